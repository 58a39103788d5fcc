package org.plover.replication.core;

import org.plover.api.consensus.Consensus;
import org.plover.api.consensus.Membership;

/**
 * Bringing a fresh backup in while the primary's guest serves: copy memory in rounds, end one epoch with everything that is
 * left, and when the backup runs from that state have a majority agree that it is in sync. From that epoch's end on output
 * is held, so that nothing leaves that the backup, once it can lead, would not know.
 */
final class Join {
    /** How far it has come. */
    enum Phase {
        /** Memory is being copied while the guest runs. */
        COPYING,
        /** The epoch that carries the rest is being ended. */
        ENDING_EPOCH,
        /** The backup runs; the majority has not agreed yet. */
        AGREEING
    }

    private final ReplicaCore core;
    private final long session;
    private final long incarnation;
    private final long startedNanos;
    private Phase phase = Phase.COPYING;
    private long proposedIndex;
    private int percent;

    Join(ReplicaCore core, long session, long incarnation, byte[] offer, long nowNanos) {
        this.core = core;
        this.session = session;
        this.incarnation = incarnation;
        this.startedNanos = nowNanos;
        core.fx.log("bringing " + core.peerName() + " in: copying disks and memory while the guest runs");
        core.guest.precopy(new Guest.Precopy(core.consensus.view(), session, core.peer, core.fx.random(32), core.settings.hasher(), offer));
    }

    long session() {
        return session;
    }

    int percent() {
        return percent;
    }

    /** Whether the primary's last word on the in-sync set may already name the backup. */
    boolean isProposed() {
        return phase == Phase.AGREEING && proposedIndex > 0;
    }

    /** Whether entries from the join's SYNC on must be kept for the backup. */
    boolean keepsLog() {
        return phase != Phase.COPYING;
    }

    void onPrecopied(int percentNow, long nowNanos) {
        percent = percentNow;
        if (percentNow == 100 && phase == Phase.COPYING) {
            phase = Phase.ENDING_EPOCH;
            core.primary.endForJoin(nowNanos);
        }
    }

    /** Whatever could not be proposed at once is proposed now. */
    void onTick(long nowNanos) {
        if (phase == Phase.ENDING_EPOCH && core.primary.phase() == PrimaryEpochs.Phase.RUNNING) {
            core.primary.endForJoin(nowNanos);
        } else if (phase == Phase.AGREEING && proposedIndex == 0) {
            propose(nowNanos);
        }
    }

    void onApplied(long nowNanos) {
        phase = Phase.AGREEING;
        propose(nowNanos);
    }

    private void propose(long nowNanos) {
        Membership next = core.consensus.membership().withMember(core.consensus.view(), core.peer, incarnation, true);
        long index = core.consensus.proposeMembership(next, nowNanos);
        if (index != Consensus.NOT_LEADING && index != Consensus.WINDOW_FULL) {
            proposedIndex = index;
        }
    }

    long tookMillis(long nowNanos) {
        return (nowNanos - startedNanos) / 1_000_000;
    }

    /** Ends the copy, and tells the backup that what it has received is of no use. */
    void stop() {
        core.guest.cancelPrecopy();
        core.sendJoinAnew(session);
    }

    /** The backup went away before a majority was asked: the primary alone is in sync, as before. */
    void cancel(String why, long nowNanos) {
        if (isProposed()) {
            throw new IllegalStateException("S3: a proposed in-sync set cannot be taken back, only replaced");
        }
        core.fx.log("bringing " + core.peerName() + " in was given up: " + why);
        stop();
        core.primary.abort(why, nowNanos);
        core.openGate();
    }
}
