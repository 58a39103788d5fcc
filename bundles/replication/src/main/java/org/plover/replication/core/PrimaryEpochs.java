package org.plover.replication.core;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.plover.api.consensus.Consensus;
import org.plover.api.consensus.EntryType;
import org.plover.api.gate.OutputGate;
import org.plover.api.memory.PageSet;
import org.plover.api.policy.Decision;
import org.plover.api.policy.EpochView;
import org.plover.api.status.EpochRecord;
import org.plover.api.status.VerifyReport;

/**
 * The primary's side of the epoch cycle: when the policy says so, a SYNC entry ends the epoch; both guests stop at it; the
 * primary captures its state, learns the backup's dirty pages and runs on; what differs is sent; the output of the epoch
 * leaves when the backup has staged all of it (PLOVER, NSDI 2018, section 4; output commit as in Remus, NSDI 2008).
 */
final class PrimaryEpochs implements EpochView {
    /** Where the current epoch's end stands. */
    enum Phase {
        /** The guest runs; no end of the epoch is under way. */
        RUNNING,
        /** A SYNC entry has been proposed. */
        PROPOSED,
        /** The SYNC entry has been delivered; the guest still takes up the inputs before it. */
        DRAINING,
        /** The guest is being stopped and saved. */
        CAPTURING,
        /** Captured; the backup's dirty pages are not known yet. */
        AWAIT_PEER_DIRTY,
        /** The last pages are being copied and the guest is let go. */
        FINISHING,
        /** The guest runs in the next epoch; the backup's digests are not known yet. */
        AWAIT_PEER_DIGESTS,
        /** What differs is being sent. */
        TRANSFERRING,
        /** All is sent; the backup has not applied it yet. */
        AWAIT_APPLIED
    }

    private static final long DRAIN_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(20);
    /**
     * A primary that has heard from no majority for longer asks again before it releases what has been acknowledged. Not what
     * makes it safe, an acknowledged epoch is committed; but after having been frozen it does not send on behalf of a view
     * that is over, next to the replica that took over.
     */
    private static final long QUORUM_AGE_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(150);

    private final ReplicaCore core;
    private Phase phase = Phase.RUNNING;
    /** The epoch the guest runs in; what it emits belongs to it. */
    private long epoch = 1;
    private long resumedNanos;
    private long inputs;
    private int idleSamples;
    private int busyPermille;
    private boolean peerQuiet;
    private long peerDelivered;
    private long lastInputIndex;

    // The end of the epoch that is under way.
    private Wire.Sync sync;
    private long syncIndex;
    private boolean forJoin;
    private boolean aborted;
    private Decision reason;
    private long phaseNanos;
    private long capturedNanos;
    private long previousCaptureNanos;
    private boolean staged;
    /** All is sent, and the epoch's disk content is durable here. */
    private boolean transferred;
    private boolean peerApplied;
    /** The epoch up to which output may leave as soon as a majority has been heard from, or 0. */
    private long releasable;
    private PageSet peerDirty;
    private long[] peerDigests;
    private long pauseNanos;
    private long commitNanos;
    private GuestEvents.Transferred sent;
    private int releasedFrames;
    private int verified = -1;
    private CompletableFuture<VerifyReport> verifyRequest;
    private boolean handOverRequested;
    private final DiskComparison disks = new DiskComparison();
    private long now;

    PrimaryEpochs(ReplicaCore core) {
        this.core = core;
    }

    Phase phase() {
        return phase;
    }

    long epoch() {
        return epoch;
    }

    /** Numbers of epochs only ever grow on one gate, whichever role counts them. */
    void epochAtLeast(long next) {
        epoch = Math.max(epoch, next);
    }

    void requestVerify(CompletableFuture<VerifyReport> request) {
        if (verifyRequest != null) {
            request.completeExceptionally(new IllegalStateException("a comparison is already under way; ask again when it is done"));
        } else {
            verifyRequest = request;
        }
    }

    DiskComparison disks() {
        return disks;
    }

    void requestHandOver(boolean requested) {
        handOverRequested = requested;
    }

    /** An input has been delivered to the guest of this primary. */
    void onInput(long index) {
        inputs++;
        lastInputIndex = index;
        idleSamples = 0;
    }

    void onPeerActivity(long delivered, boolean quiet) {
        peerDelivered = delivered;
        peerQuiet = quiet;
    }

    /** Samples the guest's activity and lets the policy decide. */
    void onSample(long nowNanos, boolean mayEnd) {
        now = nowNanos;
        busyPermille = core.guest.sampleActivity();
        boolean quiet = core.inputs.isEmpty() && core.guest.pendingInputBytes() == 0
                && core.settings.policy().isQuiet(busyPermille, idleSamples);
        idleSamples = quiet ? idleSamples + 1 : 0;
        if (!mayEnd || phase != Phase.RUNNING) {
            return;
        }
        Decision decision = verifyRequest != null || handOverRequested || disks.wantsEnd(ageNanos()) ? Decision.END_INTERVAL_MAX
                : core.guest.unsealedDiskBytes() > core.settings.diskEpochBytesMax() ? Decision.END_DISK
                : core.settings.policy().decide(this);
        if (decision.ends()) {
            reason = decision;
            propose(false);
        }
    }

    /** Proposes the end of the epoch that brings a fresh backup in. */
    void endForJoin(long nowNanos) {
        now = nowNanos;
        if (phase == Phase.RUNNING) {
            reason = Decision.END_INTERVAL_MAX;
            propose(true);
        }
    }

    private void propose(boolean join) {
        int every = core.settings.verifyIntervalEpochs();
        boolean verify = verifyRequest != null || every > 0 && epoch % every == 0;
        sync = new Wire.Sync(core.consensus.view(), epoch, verify, handOverRequested && !join, core.settings.hasher());
        long index = core.consensus.propose(EntryType.SYNC, sync.encode(), now);
        if (index == Consensus.WINDOW_FULL || index == Consensus.NOT_LEADING) {
            return;
        }
        syncIndex = index;
        forJoin = join;
        aborted = false;
        staged = false;
        transferred = false;
        peerApplied = false;
        peerDirty = null;
        peerDigests = null;
        verified = -1;
        releasedFrames = 0;
        to(Phase.PROPOSED);
    }

    /** The SYNC entry came out of the log: everything before it has been handed to the guest. */
    void onSync(long index, long nowNanos) {
        now = nowNanos;
        if (phase != Phase.PROPOSED || index != syncIndex) {
            return;
        }
        to(Phase.DRAINING);
        core.holdInputs = true;
        core.inputs.mark();
        drain(nowNanos);
    }

    /** Stops the guest once it has taken up what was handed to it, or has had time enough to do so. */
    void drain(long nowNanos) {
        now = nowNanos;
        if (phase != Phase.DRAINING) {
            return;
        }
        core.inputs.flushMarked(core.guest);
        if (!core.inputs.hasMarked() && core.guest.pendingInputBytes() == 0 || nowNanos - phaseNanos > DRAIN_NANOS_MAX) {
            to(Phase.CAPTURING);
            core.guest.capture(new Guest.Capture(sync.epoch(), syncIndex, forJoin, sync.verify(), sync.handOver(), sync.hasher()));
        }
    }

    void onCaptured(long nowNanos) {
        now = nowNanos;
        if (phase != Phase.CAPTURING) {
            return;
        }
        if (aborted) {
            runOn();
            return;
        }
        previousCaptureNanos = capturedNanos;
        capturedNanos = nowNanos;
        epoch = sync.epoch() + 1;
        inputs = 0;
        core.fx.gate().beginEpoch(epoch);
        if (forJoin) {
            // From here on a fresh backup may become able to lead: nothing it does not know may leave any more.
            core.fx.gate().mode(OutputGate.Mode.HOLDING);
        }
        to(Phase.AWAIT_PEER_DIRTY);
        finish();
    }

    void onPeerDirty(long ofEpoch, PageSet pages, long nowNanos) {
        now = nowNanos;
        if (isEnding(ofEpoch) && peerDirty == null) {
            peerDirty = pages;
            finish();
        }
    }

    private void finish() {
        if (phase == Phase.AWAIT_PEER_DIRTY && (forJoin || peerDirty != null)) {
            to(Phase.FINISHING);
            core.guest.finishCapture(sync.epoch(), peerDirty);
        }
    }

    void onResumed(long pause, long nowNanos) {
        now = nowNanos;
        if (phase != Phase.FINISHING) {
            return;
        }
        pauseNanos = pause;
        resumedNanos = nowNanos;
        idleSamples = 0;
        peerQuiet = false;
        if (aborted) {
            runOn();
            return;
        }
        if (!sync.handOver()) {
            core.releaseInputs();
        }
        to(Phase.AWAIT_PEER_DIGESTS);
        transfer();
    }

    void onPeerDigests(long ofEpoch, long[] digests, long nowNanos) {
        now = nowNanos;
        if (isEnding(ofEpoch) && peerDigests == null) {
            peerDigests = digests;
            transfer();
        }
    }

    private void transfer() {
        if (phase == Phase.AWAIT_PEER_DIGESTS && (forJoin || peerDigests != null)) {
            to(Phase.TRANSFERRING);
            core.guest.transfer(sync.view(), sync.epoch(), core.peer, peerDigests, forJoin ? -1 : disks.slice());
        }
    }

    void onTransferred(long ofEpoch, GuestEvents.Transferred what, long nowNanos) {
        now = nowNanos;
        if (phase != Phase.TRANSFERRING || ofEpoch != sync.epoch()) {
            return;
        }
        sent = what;
        transferred = true;
        to(Phase.AWAIT_APPLIED);
        commit();
        complete();
    }

    /** The backup has the whole epoch, its disk content durably. */
    void onStaged(long view, long ofEpoch, long nowNanos) {
        now = nowNanos;
        if (!isEnding(ofEpoch) || staged || aborted) {
            return;
        }
        if (view != core.consensus.view() || !core.consensus.isLeading() || sync.view() != view) {
            throw new IllegalStateException("S3: epoch " + ofEpoch + " of view " + view + " acknowledged in view " + core.consensus.view());
        }
        staged = true;
        commit();
    }

    /**
     * The one moment at which output of a protected guest may leave (S3): the backup has the whole epoch, and what it wrote to
     * disks is durable on both sides (S6), so that even the loss of power everywhere cannot take back what output tells of.
     */
    private void commit() {
        if (!staged || !transferred || aborted) {
            return;
        }
        commitNanos = now - capturedNanos;
        if (!forJoin) {
            releasable = sync.epoch();
            release(now);
        }
        core.guest.acknowledged(sync.epoch(), forJoin);
        core.consensus.truncate(syncIndex, now);
    }

    /** Lets go what the backup has acknowledged, if this member has reason to believe that it still leads. */
    void release(long nowNanos) {
        if (releasable == 0 || nowNanos - core.consensus.lastQuorumNanos() > QUORUM_AGE_NANOS_MAX) {
            return;
        }
        releasedFrames += core.fx.gate().release(releasable);
        releasable = 0;
    }

    boolean awaitsQuorum() {
        return releasable != 0;
    }

    void onDisksVerified(long ofEpoch, int blocks, int differing, List<Long> first) {
        if (!isEnding(ofEpoch)) {
            return;
        }
        if (differing > 0) {
            core.fx.warn("epoch " + ofEpoch + ": " + differing + " of " + blocks + " compared blocks of the disks differ between the replicas"
                    + " after the commit; this must not happen, please report it");
        }
        disks.onCompared(ofEpoch, blocks, differing, first);
    }

    void onVerified(long ofEpoch, int pages, int differing, List<Integer> first) {
        if (!isEnding(ofEpoch)) {
            return;
        }
        verified = differing;
        if (differing > 0) {
            core.fx.warn("epoch " + ofEpoch + ": " + differing + " of " + pages + " pages differ between the replicas after the"
                    + " commit, first ones " + first + "; this must not happen, please report it");
        }
        if (verifyRequest != null && sync.verify()) {
            verifyRequest.complete(new VerifyReport(ofEpoch, pages, differing, first));
            verifyRequest = null;
        }
    }

    /** The backup runs on from the epoch's state. */
    void onApplied(long ofEpoch, long nowNanos) {
        now = nowNanos;
        if (isEnding(ofEpoch) && staged && !aborted) {
            peerApplied = true;
            complete();
        }
    }

    /** The next epoch may end. */
    private void complete() {
        if (phase != Phase.AWAIT_APPLIED || !transferred || !peerApplied) {
            return;
        }
        long interval = previousCaptureNanos == 0 || forJoin ? 0 : capturedNanos - previousCaptureNanos;
        if (!forJoin) {
            core.fx.committed(new EpochRecord(sync.epoch(), sync.view(), interval / 1000, pauseNanos / 1000,
                    commitNanos / 1000, sent.dirtyPages(), sent.samePages(), sent.diskBlocks(), sent.sameBlocks(), sent.bytes(),
                    releasedFrames, reason.name(), verified));
        }
        to(Phase.RUNNING);
        if (!forJoin) {
            disks.onEpochCompleted(sync.epoch(), sent.comparedTo());
        }
        core.onEpochCompleted();
    }

    /** Whether the end of the current epoch has been waiting for the backup for longer than this. */
    boolean isOverdue(long nowNanos, long nanosMax) {
        return phase != Phase.RUNNING && nowNanos - phaseNanos > nanosMax;
    }

    /** Whether the epoch that was ended last was to hand the guest over, so that it stands still. */
    boolean endedForHandOver() {
        return sync != null && sync.handOver();
    }

    /** Whether nothing has happened in this epoch that would make its end worth hurrying. */
    boolean isCalm() {
        return phase == Phase.RUNNING && inputs == 0 && heldFrames() == 0 && verifyRequest == null && !handOverRequested;
    }

    /** Whether the epoch under way hands the guest over. */
    boolean isHandingOver() {
        return phase != Phase.RUNNING && sync.handOver();
    }

    /** Gives up ending the epoch: the backup is gone or this member no longer leads. The guest runs on. */
    void abort(String why, long nowNanos) {
        now = nowNanos;
        if (verifyRequest != null) {
            verifyRequest.completeExceptionally(new IllegalStateException("no comparison was made: " + why));
            verifyRequest = null;
        }
        disks.fail(why);
        aborted = true;
        releasable = 0;
        switch (phase) {
            case CAPTURING, FINISHING -> { } // the report is on its way and finds it aborted
            case DRAINING -> {
                core.releaseInputs();
                to(Phase.RUNNING);
            }
            case AWAIT_PEER_DIRTY -> runOn();
            case RUNNING, PROPOSED -> to(Phase.RUNNING);
            case AWAIT_PEER_DIGESTS, TRANSFERRING, AWAIT_APPLIED -> {
                if (sync.handOver()) {
                    runOn();
                } else {
                    to(Phase.RUNNING);
                }
            }
        }
    }

    /** The guest is destroyed: whatever was under way with it is over. */
    void reset() {
        phase = Phase.RUNNING;
    }

    private void runOn() {
        core.guest.resume();
        resumedNanos = now;
        core.releaseInputs();
        to(Phase.RUNNING);
    }

    /** The guest has just begun to run under this primary. */
    void begin(long nowNanos) {
        now = nowNanos;
        resumedNanos = nowNanos;
        previousCaptureNanos = 0;
        capturedNanos = 0;
    }

    private boolean isEnding(long ofEpoch) {
        return phase != Phase.RUNNING && sync.epoch() == ofEpoch;
    }

    private void to(Phase next) {
        phase = next;
        phaseNanos = now;
    }

    @Override
    public long ageNanos() {
        return now - resumedNanos;
    }

    @Override
    public int idleSamples() {
        return idleSamples;
    }

    @Override
    public boolean peerIdle() {
        return peerQuiet && peerDelivered >= lastInputIndex;
    }

    @Override
    public int busyPermille() {
        return busyPermille;
    }

    @Override
    public int heldFrames() {
        return core.fx.gate().heldFrames();
    }

    @Override
    public long heldBytes() {
        return core.fx.gate().heldBytes();
    }

    @Override
    public long heldNanos() {
        long oldest = core.fx.gate().oldestHeldNanos();
        return oldest == 0 ? 0 : Math.max(1, now - oldest);
    }

    @Override
    public long inputs() {
        return inputs;
    }
}
