package org.plover.replication.core;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.plover.api.gate.OutputGate;

/**
 * The side of a replica without a guest that counts: it makes an empty machine ready, asks the primary for its state, and
 * takes that over. {@link Join} is the primary's side of it.
 */
final class Learner {
    private static final long ASK_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private final ReplicaCore core;
    /** Drawn for every machine: what was sent for an earlier one is refused. */
    private long session;
    /** The primary may have begun to send: the machine is not empty any more. */
    private boolean asked;
    /** What the machine and the disks here hold already, for the primary. */
    private byte[] offer;
    private long nextAskNanos;
    private long prepareAtNanos;
    /** Index of the SYNC entry of the state that is being put in place, or 0. */
    private long stagedIndex;

    Learner(ReplicaCore core) {
        this.core = core;
    }

    /** Whatever machine there was is of no use any more: begins with an empty one. */
    void begin() {
        core.guestIntact = false;
        core.inputs.clear();
        core.holdInputs = true;
        core.fx.gate().mode(OutputGate.Mode.CLOSED);
        core.destroyGuest();
        prepare();
    }

    private void prepare() {
        core.guestReady = false;
        forget();
        core.guest.prepare();
    }

    /** Nothing that was asked for is awaited any more. */
    void forget() {
        asked = false;
        stagedIndex = 0;
        prepareAtNanos = 0;
        offer = null;
    }

    /** Whether an empty machine is waiting, or about to be made. */
    boolean isUntouched() {
        return !asked && (core.guestReady || prepareAtNanos != 0);
    }

    boolean hasAsked() {
        return asked;
    }

    boolean isApplying() {
        return stagedIndex != 0;
    }

    void onReady(byte[] held, long nowNanos) {
        offer = held;
        nextAskNanos = nowNanos;
    }

    /** The machine failed before it counted for anything. */
    void onFailed(long againNanos) {
        core.destroyGuest();
        core.guestIntact = false;
        forget();
        prepareAtNanos = againNanos;
    }

    /** The primary has no use for what it sent in that session. */
    void onAnew(long ofSession) {
        if (asked && ofSession == session) {
            begin();
        }
    }

    void onTick(long nowNanos) {
        if (prepareAtNanos != 0 && nowNanos >= prepareAtNanos) {
            prepare();
        }
        if (core.guestReady && !core.guestIntact && offer != null && nowNanos >= nextAskNanos && core.isFollowingPeer()) {
            nextAskNanos = nowNanos + ASK_AGAIN_NANOS;
            ask();
        }
    }

    private void ask() {
        if (!asked) {
            session = ByteBuffer.wrap(core.fx.random(Long.BYTES)).getLong();
            core.guest.expect(session);
        }
        byte[] hardware = core.settings.hardware(core.guest.diskBytes()).getBytes(StandardCharsets.UTF_8);
        ByteBuffer m = Wire.message(Wire.JOIN, core.consensus.view(), 8 + 8 + 4 + offer.length + hardware.length)
                .putLong(session).putLong(core.primary.epoch()).putInt(offer.length).put(offer).put(hardware);
        asked |= core.fx.send(core.peer, m.flip());
    }

    /** All of the primary's state has arrived. */
    void onStaged(long view, long epoch, long index) {
        if (asked && view == core.consensus.view()) {
            stagedIndex = index;
            core.fx.send(core.peer, Wire.message(Wire.STAGED, view, 8).putLong(epoch).flip());
            core.guest.apply(epoch);
        }
    }

    /** The state is in place. Returns the index after which inputs are wanted, or 0 if this is of no use any more. */
    long onApplied() {
        long index = stagedIndex;
        stagedIndex = 0;
        return core.state() == ReplicaState.LEARNER ? index : 0;
    }
}
