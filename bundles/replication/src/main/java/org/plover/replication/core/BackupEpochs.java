package org.plover.replication.core;

import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;

/**
 * The backup's side of the epoch cycle: stop at the SYNC entry, show which pages were written and what they hold, receive the
 * epoch, acknowledge it when all of it is there, put it in place, run on. An epoch is applied wholly or not at all (S4).
 */
final class BackupEpochs {
    /** Where the end of an epoch stands. */
    enum Phase {
        /** The guest runs. */
        RUNNING,
        /** The SYNC entry has been delivered; the guest still takes up the inputs before it. */
        DRAINING,
        /** The guest is being stopped. */
        CAPTURING,
        /** The primary's state has not arrived completely. */
        AWAIT_STATE,
        /** Acknowledged; being put in place. From here there is no way back. */
        APPLYING
    }

    private static final long DRAIN_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(20);

    private final ReplicaCore core;
    private Phase phase = Phase.RUNNING;
    private Wire.Sync sync;
    private long phaseNanos;
    private long stagedEpoch;
    private boolean aborted;
    private long applied;
    private int idleSamples;
    private boolean toldQuiet;
    private long toldDelivered = -1;

    BackupEpochs(ReplicaCore core) {
        this.core = core;
    }

    Phase phase() {
        return phase;
    }

    /** The last epoch whose state this replica took over. */
    long applied() {
        return applied;
    }

    /** The first epoch after the one with which this replica was brought in. */
    void begin(long joinEpoch) {
        phase = Phase.RUNNING;
        applied = joinEpoch;
        stagedEpoch = 0;
        aborted = false;
        toldQuiet = false;
        toldDelivered = -1;
        idleSamples = 0;
    }

    void onInput() {
        idleSamples = 0;
    }

    void onSync(Wire.Sync next, long nowNanos) {
        if (phase != Phase.RUNNING) {
            throw new IllegalStateException("SYNC of epoch " + next.epoch() + " while epoch " + sync.epoch() + " is " + phase);
        }
        sync = next;
        aborted = false;
        core.holdInputs = true;
        core.inputs.mark();
        to(Phase.DRAINING, nowNanos);
        drain(nowNanos);
    }

    /** Stops the guest once it has taken up what came before the SYNC entry, or has had time enough to do so. */
    void drain(long nowNanos) {
        if (phase != Phase.DRAINING) {
            return;
        }
        core.inputs.flushMarked(core.guest);
        if (!core.inputs.hasMarked() && core.guest.pendingInputBytes() == 0 || nowNanos - phaseNanos > DRAIN_NANOS_MAX) {
            to(Phase.CAPTURING, nowNanos);
            core.guest.captureBackup(sync.view(), sync.epoch(), core.consensus.leader(), sync.hasher());
        }
    }

    void onCaptured(long nowNanos) {
        if (phase != Phase.CAPTURING) {
            return;
        }
        if (aborted) {
            runOn(nowNanos);
            return;
        }
        core.fx.gate().beginEpoch(sync.epoch() + 1);
        core.primary.epochAtLeast(sync.epoch() + 1);
        to(Phase.AWAIT_STATE, nowNanos);
        acknowledge(nowNanos);
    }

    void onStaged(long view, long epoch, long nowNanos) {
        if (phase != Phase.RUNNING && sync.view() == view && sync.epoch() == epoch) {
            stagedEpoch = epoch;
            acknowledge(nowNanos);
        }
    }

    private void acknowledge(long nowNanos) {
        if (phase != Phase.AWAIT_STATE || stagedEpoch != sync.epoch() || core.state() != ReplicaState.BACKUP) {
            return;
        }
        ByteBuffer staged = Wire.message(Wire.STAGED, sync.view(), 8).putLong(sync.epoch()).flip();
        to(Phase.APPLYING, nowNanos);
        core.guest.apply(sync.epoch());
        core.fx.send(core.peer, staged);
    }

    /** Memory and devices are the primary's; what this guest had emitted before no longer counts. */
    void onApplied(long epoch, long nowNanos) {
        if (phase != Phase.APPLYING || epoch != sync.epoch()) {
            throw new IllegalStateException("S4: epoch " + epoch + " applied in phase " + phase);
        }
        applied = epoch;
        core.inputs.dropMarked(); // the primary's guest has had it, or has it before it: never twice (S2)
        core.fx.gate().discard(epoch + 1);
        runOn(nowNanos);
        toldQuiet = false;
        toldDelivered = -1;
        core.fx.send(core.peer, Wire.message(Wire.APPLIED, sync.view(), 8).putLong(epoch).flip());
        if (core.state() == ReplicaState.TAKING_OVER) {
            core.serveIfAgreed();
        }
    }

    /** The view is over: an acknowledged epoch is still put in place, anything less is dropped and the guest runs on as it is. */
    void abort(long nowNanos) {
        switch (phase) {
            case RUNNING, APPLYING -> { }
            case DRAINING -> {
                core.releaseInputs();
                to(Phase.RUNNING, nowNanos);
            }
            case CAPTURING -> aborted = true;
            case AWAIT_STATE -> {
                core.guest.dropStaged();
                runOn(nowNanos);
            }
        }
        stagedEpoch = 0;
    }

    /** The guest is destroyed: whatever was under way with it is over. */
    void reset() {
        phase = Phase.RUNNING;
        stagedEpoch = 0;
    }

    /** Whether an acknowledged epoch is still being put in place. */
    boolean isApplying() {
        return phase == Phase.APPLYING;
    }

    boolean isRunning() {
        return phase == Phase.RUNNING;
    }

    /** Tells the primary when this guest has fallen quiet after the last input, and when it is no longer. */
    void onSample(long nowNanos) {
        boolean quiet = phase == Phase.RUNNING && core.inputs.isEmpty() && core.guest.pendingInputBytes() == 0
                && core.settings.policy().isQuiet(core.guest.sampleActivity(), idleSamples);
        idleSamples = quiet ? idleSamples + 1 : 0;
        boolean told = idleSamples >= 2;
        if (told != toldQuiet || told && toldDelivered != core.lastInputIndex()) {
            ByteBuffer message = Wire.message(Wire.ACTIVITY, core.consensus.view(), 9)
                    .putLong(core.lastInputIndex()).put((byte) (told ? 1 : 0)).flip();
            if (core.fx.send(core.peer, message)) {
                toldQuiet = told;
                toldDelivered = core.lastInputIndex();
            }
        }
    }

    /** Whether the primary knows that this guest is quiet. */
    boolean isCalm() {
        return toldQuiet && phase == Phase.RUNNING;
    }

    private void runOn(long nowNanos) {
        core.guest.resume();
        core.releaseInputs();
        to(Phase.RUNNING, nowNanos);
    }

    private void to(Phase next, long nowNanos) {
        phase = next;
        phaseNanos = nowNanos;
    }
}
