package org.plover.consensus.paxos;

import java.nio.ByteBuffer;
import org.plover.api.consensus.Consensus;
import org.plover.api.consensus.EntryType;
import org.plover.api.consensus.Membership;
import org.plover.api.group.Group;
import org.plover.api.group.MemberKind;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the leader of a view does: take proposals, send them, count acknowledgements, commit. */
final class Leadership {
    /** {@link MessageType#ACK}: the sender is a voter and remembers what it acknowledged. */
    static final int VOTING = 1;
    /** {@link MessageType#ACK}: the index is not a match, but after it entries are needed. */
    static final int FETCH = 2;
    /** {@link MessageType#ACK} with {@link #FETCH}: the sender does not know where the log begins. */
    static final int NEEDS_BASE = 4;

    private static final Logger LOG = LoggerFactory.getLogger(Leadership.class);
    /** An answer is that old at times when all is well. */
    private static final int DEAF_HEARTBEATS = 2;
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final PaxosCore core;
    private final EntryLog log;
    private boolean entered;
    private long openedNanos;
    /** First entry of the view; the older ones are committed by its commitment (Ongaro and Ousterhout 2014, section 5.4.2). */
    private long firstIndex;
    private long gatheredBytes;
    /** Why the guest has to be booted when the view is entered, or null. */
    private String coldStart;
    /** The in-sync set to be agreed on before the view is entered, or 0; see {@link Election#unused}. */
    private int reinstated;
    /** A membership came into force and the others should know now. */
    private boolean announce;

    Leadership(PaxosCore core) {
        this.core = core;
        this.log = core.log;
    }

    boolean isEntered() {
        return entered;
    }

    /** The group's very first view is this member's; there is nothing to repair. */
    void beginFirst(long now) {
        open();
        firstIndex = 0;
        pumpAll(true, now);
        enterIfReady();
    }

    /**
     * The view is this member's, with a log from older views that has to be committed anew.
     *
     * @param coldWhy   null, or why nobody holds the guest any more, so that the host has to boot one
     * @param confirmed null, or a membership that is known from stable storage while the log that brought it may be
     *                  forgotten, so that it has to be agreed on again
     * @param reinstate 0, or the in-sync set that a change in the log replaces, which has never been acted on
     */
    void begin(long now, String coldWhy, Membership confirmed, int reinstate) {
        open();
        coldStart = coldWhy;
        reinstated = reinstate;
        if (confirmed == null) {
            log.append(core.view(), EntryType.NOOP, NOTHING.rewind());
        } else {
            appendMembership(confirmed.withInSync(core.view(), confirmed.inSyncMask()));
        }
        firstIndex = log.last();
        pumpAll(true, now);
    }

    /** As {@link #begin}, of a generation in which this member alone votes: nobody has to agree. */
    void beginAlone(long now, String coldWhy) {
        begin(now, coldWhy, null, 0);
        commitWhatMajorityHas(now);
    }

    private void open() {
        if (core.leaderOf(core.view()) != core.self || !core.isVoterMyself()) {
            throw new IllegalStateException(core.name() + " must not lead view " + core.view() + " (S1)");
        }
        core.leader = core.self;
        core.carryLogInto(core.view());
        coldStart = null;
        reinstated = 0;
        entered = false;
        gatheredBytes = 0;
        openedNanos = core.lastTick();
        for (Peer p : core.peers) {
            p.forget(log.last());
            p.silence.end();
        }
    }

    void end() {
        entered = false;
    }

    private void enterIfReady() {
        if (entered || core.state != State.NORMAL_LEADER || core.commitIndex() < firstIndex) {
            return;
        }
        if (reinstated != 0) {
            appendMembership(core.memberships.committed().withInSync(core.view(), reinstated));
            reinstated = 0;
            firstIndex = log.last();
            pumpAll(true, core.lastTick());
            return;
        }
        if (coldStart != null) {
            // older entries mean nothing to a guest that is booted
            core.resumeAfter(core.commitIndex());
        }
        if (core.isSuspended()) {
            throw new IllegalStateException(core.name() + " leads view " + core.view() + " without a guest (S1)");
        }
        if (core.delivered() < firstIndex) {
            return;
        }
        entered = true;
        LOG.info("{}: leads view {}, log {}..{}, {}", core.name(), core.view(), log.base(), log.last(), core.memberships.committed());
        if (coldStart != null) {
            core.host.onColdStart(coldStart);
            coldStart = null;
        }
        core.host.onLeading(core.view());
    }

    // ---- proposals

    long propose(EntryType type, ByteBuffer payload, long now) {
        if (!entered) {
            return Consensus.NOT_LEADING;
        }
        int bytes = payload.remaining();
        if (bytes > Wire.PAYLOAD_BYTES_MAX) {
            throw new IllegalArgumentException("entry of " + bytes + " bytes, at most " + Wire.PAYLOAD_BYTES_MAX + " can be agreed on");
        }
        if (isFull(bytes)) {
            return Consensus.WINDOW_FULL;
        }
        log.append(core.view(), type, payload);
        gatheredBytes += bytes + Wire.ENTRY_OVERHEAD;
        if (gatheredBytes >= core.settings().batchBytesMax()) {
            flush(now);
        }
        return log.last();
    }

    private boolean isFull(int bytes) {
        Settings s = core.settings();
        long open = log.last() - core.commitIndex();
        long openBytes = log.bytesBetween(core.commitIndex(), log.last());
        return open >= s.windowEntriesMax() || open > 0 && openBytes + bytes > s.windowBytesMax()
                || log.last() > log.base() && log.bytes() + bytes > s.logBytesMax();
    }

    void flush(long now) {
        if (core.state != State.NORMAL_LEADER) {
            return;
        }
        gatheredBytes = 0;
        pumpAll(false, now);
        if (votesAlone() && core.commitIndex() < log.last()) {
            commitWhatMajorityHas(now);
        }
    }

    long proposeMembership(Membership next, long now) {
        if (!entered) {
            return Consensus.NOT_LEADING;
        }
        Membership current = core.memberships.committed();
        if (core.memberships.pending() != null) {
            return Consensus.WINDOW_FULL;
        }
        check(current, next);
        checkMajorityRemains(current, next, now);
        appendMembership(next);
        LOG.info("{}: proposes {} as entry {}", core.name(), next, log.last());
        pumpAll(false, now);
        return log.last();
    }

    /** Durable here before anyone hears of it; a majority of those in office has to follow. */
    private void appendMembership(Membership next) {
        core.ballot.store(core.view(), core.membershipInForce(), next);
        ByteBuffer payload = ByteBuffer.allocate(Membership.BYTES);
        next.encode(payload);
        log.append(core.view(), EntryType.MEMBERSHIP, payload.flip());
        core.memberships.accept(next, log.last());
    }

    private void check(Membership current, Membership next) {
        int replaced = 0;
        for (int i = 0; i < Group.SIZE; i++) {
            if (next.incarnation(i) != current.incarnation(i)) {
                replaced++;
            }
            if (next.isInSync(i) && core.group.member(i).kind() == MemberKind.WITNESS) {
                throw new IllegalArgumentException(next + " names the witness in sync; only replicas can be");
            }
        }
        if (Integer.bitCount(next.voterMask() ^ current.voterMask()) > 1 || !next.isVoter(core.self)) {
            throw new IllegalArgumentException(next + " after " + current
                    + ": one change may bring or take one vote, and not the leader's");
        }
        if (next.view() != core.view() || next.version() != current.version() + 1) {
            throw new IllegalArgumentException(next + " is not the successor of " + current + " in view " + core.view());
        }
        if (replaced > 1 || next.incarnation(core.self) != current.incarnation(core.self) || !next.isInSync(core.self)) {
            throw new IllegalArgumentException(next + " after " + current
                    + ": one change may replace one other member, and the leader stays in sync");
        }
    }

    /** An order that takes a vote away must not stop the group: those who remain have to be there. */
    private void checkMajorityRemains(Membership current, Membership next, long now) {
        if (next.voterMask() == (next.voterMask() | current.voterMask())) {
            return;
        }
        int there = 1;
        for (Peer p : core.peers) {
            there += next.isVoter(p.index) && isActiveVoter(p, now) ? 1 : 0;
        }
        if (there < next.majority()) {
            throw new IllegalStateException("without it no majority would be left: of " + core.group.names(next.voterMask())
                    + " too few can be reached and vote now; bring them back first");
        }
    }

    private boolean isActiveVoter(Peer p, long now) {
        return p.index != core.self && p.connected && p.voting && core.isVoter(p) && p.ackedNanos != Long.MIN_VALUE
                && now - p.ackedNanos < p.silence.timeoutNanos(now, core.settings());
    }

    void handOver(int member, long now) {
        Membership current = core.memberships.committed();
        if (!entered) {
            throw new IllegalStateException(core.name() + " does not lead and has nothing to hand over");
        }
        if (member == core.self || !current.isInSync(member)) {
            throw new IllegalArgumentException(core.name() + ": " + core.nameOf(member) + " cannot take over, it is not in sync");
        }
        flush(now);
        core.send(core.peers[member], core.wire.begin(MessageType.TAKEOVER, 0, core.view(), 0));
        core.toViewChange("hands over to " + core.nameOf(member), now);
    }

    // ---- sending

    private void pumpAll(boolean heartbeat, long now) {
        for (Peer p : core.peers) {
            if (p.index != core.self) {
                pump(p, heartbeat, now);
            }
        }
    }

    /** Sends what the peer lacks as far as its window allows; if that is nothing and {@code heartbeat}, an empty append. */
    void pump(Peer p, boolean heartbeat, long now) {
        if (!p.connected || core.state != State.NORMAL_LEADER) {
            return;
        }
        Settings s = core.settings();
        boolean sent = false;
        if (p.needsBase || p.next <= log.base()) {
            sendSkip(p, now);
            sent = true;
        }
        while (p.next <= log.last() && log.bytesBetween(p.match, p.next - 1) < s.peerWindowBytesMax()) {
            int count = Wire.countFor(log, p.next, s.batchBytesMax());
            sendAppend(p, count, now);
            p.next += count;
            sent = true;
        }
        if (!sent && heartbeat) {
            sendAppend(p, 0, now);
            sent = true;
        }
        if (sent) {
            p.sentNanos = now;
        }
    }

    private void sendAppend(Peer p, int count, long now) {
        long prev = p.next - 1;
        int bytes = (int) log.bytesBetween(prev, prev + count);
        ByteBuffer m = core.wire.begin(MessageType.APPEND, 0, core.view(), 8 * 7 + 4 + bytes);
        m.putLong(now).putLong(deafNanos(now)).putLong(core.commitIndex()).putLong(log.base()).putLong(log.last());
        m.putLong(prev).putLong(log.viewAt(prev)).putInt(count);
        Wire.putEntries(m, log, p.next, count);
        core.send(p, m);
    }

    /**
     * For how long no majority has answered, beyond what is usual. Goes with every heartbeat: followers who hear a leader that
     * does not hear them are to find out.
     */
    private long deafNanos(long now) {
        if (votesAlone()) {
            return 0;
        }
        long newest = openedNanos;
        for (Peer p : core.peers) {
            if (p.index != core.self && p.voting && core.isVoter(p)) {
                newest = Math.max(newest, p.answeredNanos);
            }
        }
        return Math.max(0, now - newest - DEAF_HEARTBEATS * core.settings().heartbeatNanos());
    }

    private void sendSkip(Peer p, long now) {
        ByteBuffer m = core.wire.begin(MessageType.SKIP, 0, core.view(), 8 * 4 + 1 + Membership.BYTES);
        m.putLong(now).putLong(log.last()).putLong(log.base()).putLong(log.baseView());
        Wire.putMembership(m, core.memberships.committed());
        core.send(p, m);
        p.next = log.base() + 1;
        p.match = log.base();
        p.needsBase = false;
    }

    void onTick(long now) {
        long interval = core.settings().heartbeatNanos();
        for (Peer p : core.peers) {
            if (p.index != core.self && now - p.sentNanos >= interval) {
                pump(p, true, now);
            }
            if (p.index != core.self && p.connected && p.ackedNanos != Long.MIN_VALUE && !p.reportedSilent
                    && p.silence.isTooLong(now, core.settings()) && isHeardByOthers(p, now)) {
                p.reportedSilent = true;
                LOG.warn("{}: {} has not answered for {} ms", core.name(), core.nameOf(p.index), p.silence.nanos(now) / 1_000_000);
                core.host.onSilent(p.index, p.silence.nanos(now));
            }
        }
    }

    /**
     * Whether another voter has answered meanwhile, or none is needed. A leader that hears nobody is cut off itself: were it to propose
     * that the silent one leaves the in-sync set, the others might still hear and accept that, and nobody could take over.
     */
    private boolean isHeardByOthers(Peer silent, long now) {
        boolean heard = votesAlone();
        for (Peer p : core.peers) {
            heard |= p != silent && p.index != core.self && p.voting && core.isVoter(p) && p.ackedNanos != Long.MIN_VALUE
                    && now - p.ackedNanos < (now - silent.ackedNanos) / 2;
        }
        return heard;
    }

    // ---- acknowledgements

    /** What was answered meanwhile could not be read. */
    void onOwnPause(long now) {
        openedNanos = now;
    }

    void onAck(Peer p, int flags, long index, long sentNanos, long now) {
        if (sentNanos - now > 0) {
            throw new IllegalStateException(core.name() + ": " + core.nameOf(p.index) + " answers what has not been sent yet");
        }
        p.answeredNanos = Math.max(p.answeredNanos, sentNanos);
        if (index > log.last()) {
            throw new IllegalStateException(core.name() + ": " + core.nameOf(p.index) + " acknowledges " + index + ", the log of view "
                    + core.view() + " ends at " + log.last());
        }
        p.ackedNanos = now;
        p.silence.heard(now, core.settings());
        p.reportedSilent = false;
        p.voting = (flags & VOTING) != 0;
        if ((flags & FETCH) != 0) {
            p.needsBase = (flags & NEEDS_BASE) != 0;
            p.match = Math.max(index, log.base());
            p.next = index + 1;
            pump(p, true, now);
            return;
        }
        p.match = Math.max(p.match, index);
        p.next = Math.max(p.next, p.match + 1);
        commitWhatMajorityHas(now);
        pump(p, false, now);
        proposeReturnedWitness(p, now);
    }

    /**
     * With the leader's own, one other voter's acknowledgement makes a majority of two or three; a leader that alone votes
     * needs none. Only an entry of this view is counted; it commits what is before it. Entries after a membership change are
     * counted by what the change put in force.
     */
    private void commitWhatMajorityHas(long now) {
        while (true) {
            long index = votesAlone() ? log.last() : 0;
            for (Peer p : core.peers) {
                if (p.index != core.self && p.voting && core.isVoter(p)) {
                    index = Math.max(index, p.match);
                }
            }
            if (index <= core.commitIndex() || log.viewAt(index) != core.view()) {
                break;
            }
            boolean changes = core.memberships.pending() != null;
            core.commitTo(changes ? Math.min(index, core.memberships.pendingIndex()) : index);
        }
        if (announce) {
            announce = false;
            pumpAll(true, now);
        }
        core.deliver();
        enterIfReady();
    }

    private boolean votesAlone() {
        return core.majorityOf(core.memberships.committed()) == 1;
    }

    /** When the newest message was sent that a majority has answered in this view; see {@link Consensus#lastQuorumNanos}. */
    long lastQuorumNanos() {
        if (!entered) {
            return Long.MIN_VALUE;
        }
        long newest = votesAlone() ? core.lastTick() : Long.MIN_VALUE;
        for (Peer p : core.peers) {
            if (p.index != core.self && p.voting && core.isVoter(p)) {
                newest = Math.max(newest, p.answeredNanos);
            }
        }
        return newest;
    }

    /** A member that becomes a voter by it should know at once, for its acknowledgements count from then on. */
    void onMembershipCommitted() {
        announce = true;
    }

    /** A witness that lost its storage has nothing to synchronise: it is voted in again as soon as it follows. */
    private void proposeReturnedWitness(Peer p, long now) {
        if (entered && p.index == core.group.witness().index() && core.memberships.pending() == null && !core.isVoter(p)
                && !core.memberships.committed().hasLeft(p.index)) {
            proposeMembership(core.memberships.committed().withMember(core.view(), p.index, p.incarnation, false), now);
        }
    }

    /** Whether another voter has acknowledged lately, so that nobody has a reason to stand against this leader. */
    boolean hasMajority(long now) {
        if (votesAlone()) {
            return true;
        }
        for (Peer p : core.peers) {
            if (isActiveVoter(p, now)) {
                return true;
            }
        }
        return false;
    }
}
