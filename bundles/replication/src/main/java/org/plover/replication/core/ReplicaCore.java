package org.plover.replication.core;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.plover.api.consensus.Consensus;
import org.plover.api.consensus.ConsensusHost;
import org.plover.api.consensus.EntryType;
import org.plover.api.consensus.Membership;
import org.plover.api.gate.OutputGate;
import org.plover.api.group.Group;
import org.plover.api.group.MemberKind;
import org.plover.api.memory.PageSet;
import org.plover.api.status.DiskVerifyReport;
import org.plover.api.status.VerifyReport;

/**
 * One member of a group: ties the agreed log, the guest, the output gate and the other replica together. Pure: every method
 * is called from the group's loop, is told the time by {@link #now}, and acts through {@link Effects}, {@link Guest} and
 * {@link Consensus} without blocking.
 *
 * <p>The roles are states ({@link ReplicaState}); what an epoch's end takes on either side is in {@link PrimaryEpochs} and
 * {@link BackupEpochs}, how a fresh backup gets in is in {@link Join} and {@link Learner}, what operators ask in {@link Orders}.
 */
public final class ReplicaCore implements ConsensusHost, GuestEvents {
    private static final long GUEST_RETRY_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final int BOOTS_MAX = 3;
    /** A guest that has received and emitted nothing is looked at this much less often. */
    private static final int CALM_FACTOR = 8;
    /** In solo operation the log is forgotten in steps of this many entries. */
    private static final long TRUNCATE_STEP = 256;

    final Group group;
    final Effects fx;
    final Guest guest;
    final Settings settings;
    final int peer;
    final InputQueue inputs = new InputQueue();
    final PrimaryEpochs primary = new PrimaryEpochs(this);
    private final BackupEpochs backup = new BackupEpochs(this);
    private final Learner learner = new Learner(this);
    private final Orders orders = new Orders(this);
    private final DiskGrowth growth = new DiskGrowth(this);
    Consensus consensus;
    /** Inputs wait in {@link #inputs} and are not given to the guest: it stands still, or is about to. */
    boolean holdInputs;

    private ReplicaState state = ReplicaState.STARTING;
    private String message = "waiting for the other members";
    private long now;
    /** The guest here holds a state from which it may go on, if the in-sync set names this replica. */
    boolean guestIntact;
    boolean guestReady;
    private int boots;
    private long bootAtNanos;
    /** The last session whose pages this primary has begun to send: its machine is not fresh any more. */
    private long usedSession;
    private Join join;
    private boolean aloneAgreed;
    /** Number of the last request to make the guest's disks durable, and whether it has been fulfilled. */
    private int settleRequest;
    private boolean settled = true;
    private boolean membershipWanted;
    private boolean removing;
    private long nextSampleNanos;
    private long lastInputIndex;
    private long deliveredIndex;
    private long truncatedIndex;

    public ReplicaCore(Group group, Effects fx, Guest guest, Settings settings) {
        this.group = group;
        this.fx = fx;
        this.guest = guest;
        this.settings = settings;
        this.peer = group.otherReplica().index();
    }

    /** Ties in the consensus core, which needs this object as its host and so is made after it. */
    public void bind(Consensus core) {
        this.consensus = core;
    }

    /** To be called with the time before anything else is called in one step of the loop. */
    public void now(long nowNanos) {
        now = nowNanos;
    }

    ReplicaState state() {
        return state;
    }

    boolean isRemoving() {
        return removing;
    }

    /** Whether the view is led by the other replica. */
    boolean isFollowingPeer() {
        return consensus.leader() == peer;
    }

    String peerName() {
        return group.member(peer).name();
    }

    long lastInputIndex() {
        return lastInputIndex;
    }

    private boolean isWitness() {
        return group.me().kind() == MemberKind.WITNESS;
    }

    private void transition(ReplicaState to, String why) {
        if (state == to) {
            return;
        }
        if (!state.next().contains(to)) {
            throw new IllegalStateException("illegal change from " + state + " to " + to + ": " + why);
        }
        fx.log(state + " -> " + to + ": " + why);
        state = to;
        message = why;
    }

    // ---- consensus ----

    @Override
    public void send(int member, ByteBuffer m) {
        fx.sendConsensus(member, m);
    }

    @Override
    public boolean canLead() {
        return guestIntact && !isWitness();
    }

    @Override
    public boolean canColdStart() {
        return !guestIntact && !isWitness() && state != ReplicaState.FAILED;
    }

    @Override
    public void onColdStart(String why) {
        fx.warn(why + "; booting the guest");
        destroyGuest();
        inputs.clear();
        fx.gate().mode(OutputGate.Mode.CLOSED);
        bootGuest();
    }

    @Override
    public void onHistoryLost() {
        guestIntact = false;
    }

    private void bootGuest() {
        learner.forget();
        settled = true; // nothing has been written to the disks that would not be durable
        guestIntact = true;
        guestReady = false;
        holdInputs = true;
        guest.boot();
    }

    @Override
    public void onLeading(long view) {
        if (!guestIntact) {
            throw new IllegalStateException("S1: this replica leads view " + view + " and holds no guest");
        }
        boolean wasBackup = state == ReplicaState.BACKUP || state == ReplicaState.UNSETTLED || state == ReplicaState.LEARNER;
        transition(ReplicaState.TAKING_OVER, "leading view " + view + "; asking for agreement that this replica alone is in sync");
        if (wasBackup) {
            backup.abort(now);
        }
        primary.abort("a new view began", now);
        primary.epochAtLeast(backup.applied() + 1);
        joinCancelQuietly();
        orders.failSwitchover(peerName() + " did not take over");
        removing = false;
        aloneAgreed = false;
        membershipWanted = true;
        settle();
        proposeAlone();
    }

    /** What the guest has written to its disks so far becomes durable, and counts: no other replica's epoch takes its place any more. */
    private void settle() {
        settled = guest.alone(++settleRequest);
    }

    /** Lets output pass at once, as soon as nothing it tells of can be lost by this host's loss of power. */
    void openGate() {
        settle();
        if (settled) {
            fx.gate().mode(OutputGate.Mode.OPEN);
        }
    }

    @Override
    public void onSettled(int request) {
        if (request != settleRequest || settled) {
            return;
        }
        settled = true;
        if (state == ReplicaState.SOLO) {
            fx.gate().mode(OutputGate.Mode.OPEN);
        } else {
            serveIfAgreed();
        }
    }

    private void proposeAlone() {
        Membership next = consensus.membership().withInSync(consensus.view(), group.me().bit());
        membershipWanted = consensus.proposeMembership(next, now) < 0;
    }

    @Override
    public void onFollowing(long view, int leader) {
        String why = "view " + view + " is led by " + group.member(leader).name();
        if (isWitness()) {
            transition(ReplicaState.WITNESS, why);
            message = why;
            return;
        }
        leaveLead(why);
        backup.abort(now);
        orders.onFollowing(view, group.member(leader).name());
        if (guestIntact && consensus.membership() != null && consensus.membership().isInSync(group.self())) {
            fx.gate().mode(OutputGate.Mode.STANDBY);
            transition(ReplicaState.BACKUP, why);
        } else {
            becomeLearner(why);
        }
    }

    @Override
    public void onViewChange(long view) {
        if (isWitness()) {
            return;
        }
        leaveLead("view change to " + view);
        backup.abort(now);
        if (state != ReplicaState.LEARNER || guestIntact) {
            transition(ReplicaState.UNSETTLED, "view change to " + view);
        }
    }

    /** Stops acting as the view's primary, whatever stage that was in. */
    private void leaveLead(String why) {
        fx.activatePorts(false);
        if (!state.leads()) {
            return;
        }
        if (bootAtNanos != 0) {
            bootAtNanos = 0;
            guestIntact = false;
        }
        // What has not been released by now belongs to the past of another replica, or will be released by a later view.
        fx.gate().mode(OutputGate.Mode.STANDBY);
        joinCancelQuietly();
        primary.abort(why, now);
        aloneAgreed = false;
        membershipWanted = false;
        removing = false;
        orders.failMembership(why);
        growth.fail(why);
    }

    private void joinCancelQuietly() {
        if (join != null) {
            join.stop();
            join = null;
        }
    }

    private void becomeLearner(String why) {
        if (state == ReplicaState.LEARNER && learner.isUntouched()) {
            return;
        }
        transition(ReplicaState.LEARNER, why);
        learner.begin();
    }

    /** What was under way with the machine will not be reported any more. */
    void destroyGuest() {
        guest.destroy();
        growth.machineGone();
        primary.reset();
        backup.reset();
    }

    @Override
    public void deliver(long index, EntryType type, ByteBuffer payload) {
        deliveredIndex = index;
        switch (type) {
            case INPUT -> onInput(index, payload);
            case SYNC -> onSync(index, Wire.Sync.decode(payload));
            case MEMBERSHIP -> onMembership(Membership.decode(payload));
            case NOOP -> { }
        }
    }

    private void onInput(long index, ByteBuffer payload) {
        if (isWitness() || !guestIntact) {
            return;
        }
        lastInputIndex = index;
        if (state.leads()) {
            primary.onInput(index);
            fx.agreed(index);
        } else {
            backup.onInput();
        }
        nextSampleNanos = Math.min(nextSampleNanos, now + sampleIntervalNanos());
        int nic = payload.get();
        if (!holdInputs && inputs.isEmpty() && guest.inject(nic, payload)) {
            return;
        }
        if (!inputs.add(nic, payload, settings.inputBacklogBytesMax())) {
            if (state == ReplicaState.BACKUP) {
                failBackup("the guest here is " + inputs.bytes() + " bytes of input behind and cannot follow the primary");
            } else {
                // The network's own answer to a guest that does not read: the frame is lost, its sender repeats it.
                fx.warn("the guest has not taken up " + inputs.bytes() + " bytes of input; a frame was dropped");
            }
        }
    }

    private void onSync(long index, Wire.Sync sync) {
        if (sync.view() != consensus.view()) {
            return; // ended an epoch of an older view, which can no longer be committed
        }
        if (state.leads()) {
            primary.onSync(index, now);
        } else if (state == ReplicaState.BACKUP && guestIntact) {
            backup.onSync(sync, now);
        }
    }

    private void onMembership(Membership m) {
        orders.onAgreed(m);
        if (isWitness()) {
            return;
        }
        boolean me = m.isInSync(group.self());
        if (state.leads()) {
            if (m.view() != consensus.view()) {
                return;
            }
            if (m.isInSync(peer)) {
                onPeerInSync();
            } else if (me) {
                onAlone();
            }
        } else if (me && guestIntact && m.incarnation(group.self()) == consensus.incarnation()) {
            if (state == ReplicaState.LEARNER) {
                transition(ReplicaState.BACKUP, "in sync as of epoch " + backup.applied());
            }
        } else if (state == ReplicaState.BACKUP) {
            becomeLearner(outOfSet(m));
        } else if (state == ReplicaState.LEARNER && m.hasLeft(group.self())) {
            message = outOfSet(m);
        }
    }

    private String outOfSet(Membership m) {
        return m.hasLeft(group.self()) ? "was taken out of the group by an operator; on the primary, plover join "
                + group.me().name() + " brings it back" : "no longer in the in-sync set";
    }

    private void onPeerInSync() {
        if (state == ReplicaState.SOLO) {
            String took = join == null ? "" : " after " + join.tookMillis(now) + " ms";
            join = null;
            removing = membershipWanted;
            aloneAgreed = false;
            boots = 0;
            transition(ReplicaState.PROTECTED, peerName() + " is in sync" + took);
            if (!guestIntact) {
                consensus.handOver(peer, now);
            }
        }
    }

    private void onAlone() {
        removing = false;
        membershipWanted = false;
        aloneAgreed = true;
        if (state == ReplicaState.PROTECTED) {
            primary.abort("the backup left the in-sync set", now);
            transition(ReplicaState.SOLO, "this replica alone is in sync: the guest serves unprotected until a backup is back");
            openGate();
            orders.failSwitchover("the backup left the in-sync set");
            growth.fail("the backup left the in-sync set");
        } else {
            serveIfAgreed();
        }
    }

    /** Begins to serve clients as soon as that is agreed and the guest is ready to. */
    void serveIfAgreed() {
        if (state != ReplicaState.TAKING_OVER || !aloneAgreed || !guestReady || !settled || backup.isApplying()) {
            return;
        }
        transition(ReplicaState.SOLO, "serving the guest, unprotected until a backup is in sync");
        primary.begin(now);
        fx.activatePorts(true);
        fx.gate().beginEpoch(primary.epoch());
        fx.gate().mode(OutputGate.Mode.OPEN);
        guest.resume(); // it may stand still since it was to be handed over
        releaseInputs();
    }

    /** Lets inputs reach the guest again. */
    void releaseInputs() {
        holdInputs = false;
        inputs.flush(guest);
    }

    // ---- inputs from the network ----

    /** Whether inputs can be proposed; if not, they are best left with the sender's retransmission. */
    public boolean servesInputs() {
        return state.leads() && consensus.isLeading();
    }

    // ---- messages of the other replica ----

    /** A replication message on the control lane. */
    public void onMessage(int from, long incarnation, ByteBuffer m) {
        byte type = m.get();
        long view = m.getLong();
        if (view != consensus.view() || isWitness()) {
            return; // S7: of another view; consensus tells the sender which one counts
        }
        switch (type) {
            case Wire.JOIN -> {
                long joinSession = m.getLong();
                long theirEpoch = m.getLong();
                byte[] offer = Wire.getBytes(m, m.getInt());
                if (mayJoin(StandardCharsets.UTF_8.decode(m).toString())) {
                    primary.epochAtLeast(theirEpoch); // it may have seen more of them than a guest that was booted anew
                    onJoin(joinSession, incarnation, offer);
                }
            }
            case Wire.JOIN_ANEW -> {
                if (state == ReplicaState.LEARNER) {
                    learner.onAnew(m.getLong());
                }
            }
            case Wire.STAGED -> {
                if (state.leads()) {
                    primary.onStaged(view, m.getLong(), now);
                }
            }
            case Wire.APPLIED -> {
                if (state.leads()) {
                    primary.onApplied(m.getLong(), now);
                }
            }
            case Wire.ACTIVITY -> primary.onPeerActivity(m.getLong(), m.get() != 0);
            case Wire.BACKUP_FAILED -> dropBackup(peerName() + " reports: " + Wire.getString(m));
            case Wire.DISKS_VERIFIED -> primary.onDisksVerified(m.getLong(), m.getInt(), m.getInt(), Wire.getLongs(m));
            case Wire.VERIFIED -> primary.onVerified(m.getLong(), m.getInt(), m.getInt(), Wire.getInts(m));
            case Wire.GROW -> {
                if (state == ReplicaState.BACKUP && guestReady) {
                    growth.onOrdered(m.getInt(), m.getLong());
                }
            }
            case Wire.GROWN -> growth.onGrown(m.getInt(), m.getLong(), Wire.getString(m));
            case Wire.LENGTHS -> {
                if (state == ReplicaState.LEARNER && guestReady && !guestIntact) {
                    growth.onLengths(Wire.getLongs(m).stream().mapToLong(Long::longValue).toArray(), now);
                }
            }
            default -> throw new IllegalArgumentException("unknown replication message " + type + " from " + group.member(from).name());
        }
    }

    /** Whether the state of this replica's guest would fit into the other one's machine; says so where it would not. */
    private boolean mayJoin(String hardware) {
        if (!guestReady) {
            return false;
        }
        List<String> differences = settings.differences(guest.diskBytes(), hardware, peerName());
        if (differences.isEmpty() || state != ReplicaState.SOLO) {
            return differences.isEmpty();
        }
        growth.tellLengths();
        String said = "not bringing " + peerName() + " in: " + String.join("; ", differences)
                + "; configure the guest's hardware alike and restart the appliance there";
        if (!said.equals(message)) {
            message = said;
            fx.warn(said);
        }
        return false;
    }

    private void onJoin(long joinSession, long incarnation, byte[] offer) {
        if (state != ReplicaState.SOLO || removing || !guestReady || consensus.membership().hasLeft(peer) || join != null && join.session() == joinSession) {
            return;
        }
        if (joinSession == usedSession) {
            sendJoinAnew(joinSession);
            return;
        }
        if (join != null) {
            if (join.isProposed()) {
                return;
            }
            join.cancel(peerName() + " began anew", now);
        }
        usedSession = joinSession;
        join = new Join(this, joinSession, incarnation, offer, now);
    }

    /** Tells a learner that what it has received is of no use any more: it has to begin with an empty machine. */
    void sendJoinAnew(long ofSession) {
        fx.send(peer, Wire.message(Wire.JOIN_ANEW, consensus.view(), 8).putLong(ofSession).flip());
    }

    /** The backup runs on from the end of the epoch that was under way. */
    void onEpochCompleted() {
        if (join != null) {
            join.onApplied(now);
        } else {
            orders.onPeerApplied(now);
        }
    }

    /** A member's link went down. */
    public void onDisconnected(int member, String reason) {
        if (member != peer) {
            return;
        }
        dropBackup(reason);
        if (state == ReplicaState.LEARNER && learner.hasAsked()) {
            learner.begin();
        }
    }

    /** A backup that does not answer holds output back; memory that is being copied to one that does not count yet can wait. */
    @Override
    public void onSilent(int member, long silenceNanos) {
        if (member == peer && (state == ReplicaState.PROTECTED || join != null && join.isProposed())) {
            dropBackup("it has not answered for " + silenceNanos / 1_000_000 + " ms");
        }
    }

    /** The backup is of no use any more: asks for agreement that this primary alone is in sync. */
    private void dropBackup(String why) {
        if (join != null && !join.isProposed()) {
            join.cancel(why, now);
            join = null;
        } else if (state == ReplicaState.PROTECTED || join != null) {
            if (!removing) {
                fx.warn("dropping " + peerName() + " from the in-sync set: " + why
                        + "; output is held until a majority has agreed");
                removing = true;
                membershipWanted = true;
            }
            retryMembership();
        }
    }

    /**
     * Whether a change of the members may be proposed now. If the other replica is to go, no epoch is begun with it any more
     * and bringing it in is given up first.
     */
    boolean mayChangeMembers(boolean withoutPeer) {
        if (membershipWanted || join != null && join.isProposed()) {
            return false;
        }
        if (withoutPeer) {
            if (join != null) {
                join.cancel("an operator takes " + peerName() + " out of the group", now);
                join = null;
            }
            removing = state == ReplicaState.PROTECTED;
        }
        return true;
    }

    /** The other replica stays after all. */
    void removalRefused() {
        removing = membershipWanted;
    }

    private void retryMembership() {
        if (membershipWanted && consensus.isLeading()) {
            proposeAlone();
        }
    }

    // ---- the guest ----

    @Override
    public void onReady(byte[] offer, long nowNanos) {
        guestReady = true;
        if (guestIntact) {
            serveIfAgreed();
            if (state == ReplicaState.SOLO) {
                releaseInputs();
            }
        } else {
            learner.onReady(offer, nowNanos);
        }
    }

    @Override
    public void onCaptured(long epoch, long nowNanos) {
        primary.onCaptured(nowNanos);
    }

    @Override
    public void onResumed(long epoch, long pauseNanos, long nowNanos) {
        primary.onResumed(pauseNanos, nowNanos);
    }

    @Override
    public void onTransferred(long epoch, Transferred what, long nowNanos) {
        primary.onTransferred(epoch, what, nowNanos);
    }

    @Override
    public void onRoomMade(int disk, long bytes, String refusal, long nowNanos) {
        growth.onRoomMade(refusal);
    }

    @Override
    public void onDiskResized(int disk, long bytes, String refusal, long nowNanos) {
        if (state.leads()) {
            growth.onResizedHere(refusal);
        } else {
            growth.answer(disk, bytes, refusal);
        }
    }

    @Override
    public void onLengthsAdopted(String refusal, long nowNanos) {
        if (growth.onAdopted(refusal, nowNanos) && state == ReplicaState.LEARNER && !guestIntact) {
            learner.begin();
        }
    }

    @Override
    public void onPrecopied(int percent, long nowNanos) {
        if (join != null) {
            join.onPrecopied(percent, nowNanos);
        }
    }

    @Override
    public void onBackupCaptured(long epoch, long nowNanos) {
        backup.onCaptured(nowNanos);
    }

    @Override
    public void onStaged(long view, long epoch, long index, long nowNanos) {
        if (state == ReplicaState.BACKUP) {
            backup.onStaged(view, epoch, nowNanos);
        } else if (state == ReplicaState.LEARNER) {
            learner.onStaged(view, epoch, index);
        }
    }

    @Override
    public void onApplied(long epoch, long nowNanos) {
        if (!learner.isApplying()) {
            backup.onApplied(epoch, nowNanos);
            return;
        }
        long index = learner.onApplied();
        if (index == 0) {
            return; // the view ended before this guest counted for anything; it is destroyed on the next one
        }
        fx.log("took over the primary's state as of epoch " + epoch);
        guestIntact = true;
        backup.begin(epoch);
        primary.epochAtLeast(epoch + 1);
        fx.gate().beginEpoch(epoch + 1);
        fx.gate().mode(OutputGate.Mode.STANDBY);
        guest.resume();
        releaseInputs();
        lastInputIndex = index;
        consensus.skipTo(index, nowNanos);
        fx.send(peer, Wire.message(Wire.APPLIED, consensus.view(), 8).putLong(epoch).flip());
    }

    @Override
    public void onPeerDirty(long view, long epoch, PageSet pages, long nowNanos) {
        if (state.leads() && view == consensus.view()) {
            primary.onPeerDirty(epoch, pages, nowNanos);
        }
    }

    @Override
    public void onPeerDigests(long view, long epoch, long[] digests, long nowNanos) {
        if (state.leads() && view == consensus.view()) {
            primary.onPeerDigests(epoch, digests, nowNanos);
        }
    }

    @Override
    public void onVerified(long epoch, int pages, int differing, List<Integer> first, long nowNanos) {
        ByteBuffer m = Wire.message(Wire.VERIFIED, consensus.view(), 8 + 4 + 4 + 4 + 4 * first.size())
                .putLong(epoch).putInt(pages).putInt(differing).putInt(first.size());
        first.forEach(m::putInt);
        fx.send(peer, m.flip());
    }

    @Override
    public void onDisksCompared(long epoch, int blocks, int differing, List<Long> first, long nowNanos) {
        ByteBuffer m = Wire.message(Wire.DISKS_VERIFIED, consensus.view(), 8 + 4 + 4 + 4 + 8 * first.size())
                .putLong(epoch).putInt(blocks).putInt(differing).putInt(first.size());
        first.forEach(m::putLong);
        fx.send(peer, m.flip());
    }

    @Override
    public void onGuestFailed(String reason, long nowNanos) {
        guestReady = false;
        if (isWitness()) {
            return;
        }
        if (state == ReplicaState.PROTECTED || join != null && join.isProposed()) {
            // The backup holds the state, and counts or is about to count as in sync: it goes on, nothing is booted anew. Should it
            // be gone as well, consensus finds out whether anybody holds the guest.
            fx.warn("the guest's machine failed here: " + reason + "; handing over to " + peerName());
            guestIntact = false;
            destroyGuest();
            growth.fail("the guest's machine failed");
            if (state == ReplicaState.PROTECTED) {
                consensus.handOver(peer, nowNanos);
            } // else: as soon as the backup counts
        } else if (state.leads()) {
            rebootGuest(reason);
        } else if (state == ReplicaState.BACKUP || state == ReplicaState.UNSETTLED) {
            failBackup("the guest's machine failed: " + reason);
        } else if (state == ReplicaState.LEARNER) {
            message = "the machine for the guest could not be made ready: " + reason + "; trying again";
            fx.warn(message);
            if (learner.hasAsked()) {
                tellBackupFailed(message);
            }
            learner.onFailed(nowNanos + GUEST_RETRY_NANOS);
        }
    }

    @Override
    public void onDiskFailed(String reason, long nowNanos) {
        boolean backupGoesOn = state == ReplicaState.PROTECTED || join != null && join.isProposed();
        if (state.leads() && !(backupGoesOn && settings.handsOverOnDiskError())) {
            // What it was told is flushed is only safe at the backup if the next epoch cannot be made durable here.
            message = reason + (backupGoesOn ? "; the guest may see an I/O error, and is handed over when its next epoch cannot be made durable here"
                    : "; the guest sees an I/O error");
            fx.warn(message);
        } else {
            onGuestFailed(reason, nowNanos);
        }
    }

    /** Nobody else has this guest's state: as on an ordinary host, all that is left is to boot it again. */
    private void rebootGuest(String reason) {
        joinCancelQuietly();
        primary.abort("the guest's machine failed", now);
        destroyGuest();
        inputs.clear();
        holdInputs = true;
        fx.gate().mode(OutputGate.Mode.CLOSED); // what it has emitted tells of a state that is lost
        if (state == ReplicaState.SOLO) {
            fx.gate().mode(OutputGate.Mode.OPEN);
        }
        if (++boots > BOOTS_MAX) {
            guestIntact = false;
            fx.activatePorts(false);
            fx.gate().mode(OutputGate.Mode.CLOSED);
            transition(ReplicaState.FAILED, "the guest's machine keeps failing: " + reason
                    + "; look at its log under the data directory, mend the cause, then start the group anew as docs/operations.md tells");
            return;
        }
        fx.warn("the guest's machine failed and no backup was in sync: " + reason + "; booting the guest anew in "
                + GUEST_RETRY_NANOS / 1_000_000_000 + " s, what was in its memory is lost");
        bootAtNanos = now + GUEST_RETRY_NANOS;
    }

    private void tellBackupFailed(String why) {
        ByteBuffer m = Wire.message(Wire.BACKUP_FAILED, consensus.view(), 2 + why.getBytes(StandardCharsets.UTF_8).length);
        Wire.putString(m, why);
        fx.send(peer, m.flip());
    }

    private void failBackup(String why) {
        fx.warn(why);
        tellBackupFailed(why);
        guestIntact = false;
        if (state == ReplicaState.UNSETTLED) {
            destroyGuest();
            fx.gate().mode(OutputGate.Mode.CLOSED);
            return; // becomes a learner as soon as it follows someone
        }
        becomeLearner(why);
    }

    // ---- time ----

    /** Does what is due; to be called at least when {@link #nextWakeNanos} says so. */
    public void onTick() {
        if (isWitness()) {
            return;
        }
        inputsTick();
        if (bootAtNanos != 0 && now >= bootAtNanos) {
            // Not before it is agreed that no other replica holds the guest.
            if (state == ReplicaState.SOLO || aloneAgreed) {
                bootAtNanos = 0;
                bootGuest();
            }
        }
        if (membershipWanted) {
            retryMembership();
        }
        if (join != null) {
            join.onTick(now);
        }
        if (state == ReplicaState.PROTECTED
                && primary.isOverdue(now, TimeUnit.MILLISECONDS.toNanos(settings.epochTimeoutMillis()))) {
            dropBackup("it has not acknowledged epoch " + (primary.epoch() - 1) + " within " + settings.epochTimeoutMillis() + " ms");
        }
        if (join != null && primary.isOverdue(now, TimeUnit.MILLISECONDS.toNanos(settings.epochTimeoutMillis()))) {
            dropBackup("it has not taken over the guest's state within " + settings.epochTimeoutMillis() + " ms");
        }
        if (state == ReplicaState.LEARNER) {
            learner.onTick(now);
        }
        orders.onTick(now);
        sample();
        truncateSolo();
    }

    private void inputsTick() {
        primary.release(now);
        primary.drain(now);
        backup.drain(now);
        if (!holdInputs && !inputs.isEmpty()) {
            inputs.flush(guest);
        }
    }

    private void sample() {
        if (now < nextSampleNanos) {
            return;
        }
        boolean calm = true;
        if (state == ReplicaState.PROTECTED) {
            primary.onSample(now, !removing);
            calm = primary.isCalm();
        } else if (state == ReplicaState.BACKUP) {
            backup.onSample(now);
            calm = backup.isCalm();
        }
        nextSampleNanos = now + sampleIntervalNanos() * (calm ? CALM_FACTOR : 1);
    }

    private long sampleIntervalNanos() {
        return TimeUnit.MICROSECONDS.toNanos(settings.policy().sampleIntervalMicros());
    }

    /** Without a backup nobody needs the log once the guest has had it. */
    private void truncateSolo() {
        if (state == ReplicaState.SOLO && (join == null || !join.keepsLog()) && deliveredIndex - truncatedIndex >= TRUNCATE_STEP) {
            truncatedIndex = deliveredIndex;
            consensus.truncate(deliveredIndex, now);
        }
    }

    /** When {@link #onTick} has something to do next. */
    public long nextWakeNanos() {
        boolean sampling = state == ReplicaState.PROTECTED || state == ReplicaState.BACKUP;
        long next = sampling ? nextSampleNanos : now + TimeUnit.MILLISECONDS.toNanos(20);
        if (backup.phase() == BackupEpochs.Phase.DRAINING || primary.phase() == PrimaryEpochs.Phase.DRAINING
                || primary.awaitsQuorum() || !holdInputs && !inputs.isEmpty()) {
            next = Math.min(next, now + TimeUnit.MICROSECONDS.toNanos(200));
        }
        return next;
    }

    // ---- orders ----

    /** See {@link org.plover.api.status.ProtectedVm#verify()}. */
    public void requestVerify(CompletableFuture<VerifyReport> request) {
        orders.verify(request);
    }

    /** See {@link org.plover.api.status.ProtectedVm#verifyDisks()}. */
    public void requestVerifyDisks(CompletableFuture<DiskVerifyReport> request) {
        orders.verifyDisks(request);
    }

    /** See {@link org.plover.api.status.ProtectedVm#growDisk}. */
    public void requestGrowDisk(int disk, long bytes, CompletableFuture<String> request) {
        if (orders.mayGrow(request)) {
            growth.begin(disk, bytes, request);
        }
    }

    /** See {@link org.plover.api.status.ProtectedVm#switchover()}. */
    public void requestSwitchover(CompletableFuture<String> request) {
        orders.switchover(request);
    }

    /** See {@link org.plover.api.status.ProtectedVm#forcePrimary}. */
    public void requestForcePrimary(String confirmation, CompletableFuture<String> request) {
        orders.forcePrimary(confirmation, now, request);
    }

    /** See {@link org.plover.api.status.ProtectedVm#leave}. */
    public void requestLeave(String member, CompletableFuture<String> request) {
        orders.leave(member, request);
    }

    /** See {@link org.plover.api.status.ProtectedVm#join}. */
    public void requestJoin(String member, CompletableFuture<String> request) {
        orders.join(member, request);
    }

    /** What to show of the core's state. */
    public Snapshot snapshot() {
        return new Snapshot(state.name(), message, join == null ? -1 : join.percent(),
                state.leads() ? primary.epoch() - 1 : backup.applied(), inputs.bytes());
    }

    /**
     * A moment's facts for status pages.
     *
     * @param state       name of the replica's state
     * @param message     why it is in it
     * @param joinPercent progress of bringing a backup in, or -1
     * @param epoch       last epoch ended (primary) or applied (backup)
     * @param backlogBytes agreed inputs that the guest has not taken up
     */
    public record Snapshot(String state, String message, int joinPercent, long epoch, long backlogBytes) {
    }
}
