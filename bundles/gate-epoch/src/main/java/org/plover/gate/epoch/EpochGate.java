package org.plover.gate.epoch;

import java.nio.ByteBuffer;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

import org.plover.api.gate.FrameSink;
import org.plover.api.gate.OutputGate;

/**
 * Holds frames in a ring, each tagged with the epoch in which it entered.
 *
 * <p>Two locks, always taken in this order: {@code control} lets one change of the gate happen at a time, from its start to the last
 * frame it sends; {@code state} guards the fields and is never held while a frame is being sent, so that readers can go on filling
 * the ring. Only the holder of {@code control} takes frames out, except for STANDBY, in which nobody sends.
 *
 * <p>A reader that had to wait gets the epoch in which its frame finally enters, which can only be later than the one in which the
 * guest emitted it: the frame waits longer than it needs to, and never leaves too early.
 *
 * <p>Holding output until the backup has the state that it came from is Remus's idea (Cully et al., NSDI'08, network buffering).
 */
final class EpochGate implements OutputGate {
    private final String vm;
    private final FrameSink sink;
    private final LongSupplier nanoTime;

    private final ReentrantLock control = new ReentrantLock();
    private final ReentrantLock state = new ReentrantLock();
    private final Condition changed = state.newCondition();

    private FrameRing ring;
    private GateLimits limits;
    private Mode mode = Mode.CLOSED;
    private long epoch;
    private long droppedFrames;
    /** Frames held before the gate was opened are still on their way: nobody may pass them. */
    private boolean opening;
    /** Readers that are passing a frame right now, in mode OPEN. */
    private int passing;
    /** Readers that wait for room, or for the gate to be fully open. */
    private int waiting;
    /** Counts discards, so that a reader that waited through one knows. */
    private long discards;
    /** Highest epoch discarded while readers have been waiting. */
    private long discardedEpoch;

    EpochGate(String vm, FrameSink sink, GateLimits limits, LongSupplier nanoTime) {
        this.vm = vm;
        this.sink = sink;
        this.limits = limits;
        this.nanoTime = nanoTime;
        this.ring = newRing(limits, 0, 0);
    }

    private static FrameRing newRing(GateLimits limits, int bytesHeld, int framesHeld) {
        int bytesMax = Math.max(bytesHeld, Math.max(limits.bytesMax(), limits.standbyBytesMax()));
        return new FrameRing(bytesMax, Math.max(framesHeld, limits.framesMax()));
    }

    @Override
    public void offer(int nic, ByteBuffer frame) throws InterruptedException {
        int length = frame.remaining();
        if (length == 0 || length > FrameRing.FRAME_BYTES_MAX) {
            throw new IllegalArgumentException("vm " + vm + ", interface " + nic + ": a frame of " + length
                    + " bytes cannot be held; frames have 1 to " + FrameRing.FRAME_BYTES_MAX + " bytes");
        }
        long offeredNanos = nanoTime.getAsLong();
        if (mustPass(nic, frame, offeredNanos)) {
            try {
                sink.send(nic, frame);
            } finally {
                passed();
            }
        }
    }

    /** Holds or drops the frame, waiting where the mode asks for it; or counts the caller among those who pass and says so. */
    private boolean mustPass(int nic, ByteBuffer frame, long offeredNanos) throws InterruptedException {
        state.lockInterruptibly();
        try {
            long offeredEpoch = epoch;
            long discardsBefore = discards;
            while (true) {
                switch (mode) {
                    case CLOSED -> {
                        return false;
                    }
                    case STANDBY -> {
                        dropOldestFor(frame.remaining());
                        ring.addLast(epoch, nic, offeredNanos, frame);
                        return false;
                    }
                    case HOLDING -> {
                        if (fits(frame.remaining(), limits.bytesMax())) {
                            ring.addLast(epoch, nic, offeredNanos, frame);
                            return false;
                        }
                    }
                    case OPEN -> {
                        if (!opening) {
                            passing++;
                            return true;
                        }
                    }
                }
                awaitChange();
                if (discards != discardsBefore && discardedEpoch >= offeredEpoch) {
                    return false;
                }
            }
        } finally {
            state.unlock();
        }
    }

    private void awaitChange() throws InterruptedException {
        waiting++;
        try {
            changed.await();
        } finally {
            waiting--;
        }
    }

    private void passed() {
        state.lock();
        try {
            passing--;
            if (passing == 0) {
                changed.signalAll();
            }
        } finally {
            state.unlock();
        }
    }

    private boolean fits(int length, int bytesMax) {
        return ring.bytes() + length <= bytesMax && ring.frames() < limits.framesMax();
    }

    private void dropOldestFor(int length) {
        while (!fits(length, limits.standbyBytesMax())) {
            ring.removeFirst();
            droppedFrames++;
        }
    }

    /** {@inheritDoc} Returns when the last frame that passed under the old mode has been sent. */
    @Override
    public void mode(Mode next) {
        control.lock();
        try {
            int backlog;
            state.lock();
            try {
                if (mode == next) {
                    return;
                }
                mode = next;
                if (next == Mode.CLOSED) {
                    removeFirst(ring.frames());
                    noteDiscard(Long.MAX_VALUE);
                }
                backlog = next == Mode.OPEN ? ring.frames() : 0;
                opening = backlog > 0;
                changed.signalAll();
                // Otherwise a frame could leave after its sender has been told to stop (S3), or overtake one that is held from now on.
                while (passing > 0 && next != Mode.OPEN) {
                    changed.awaitUninterruptibly();
                }
            } finally {
                state.unlock();
            }
            sendFirst(backlog);
        } finally {
            control.unlock();
        }
    }

    @Override
    public Mode mode() {
        state.lock();
        try {
            return mode;
        } finally {
            state.unlock();
        }
    }

    @Override
    public void beginEpoch(long next) {
        state.lock();
        try {
            if (next < epoch) {
                throw new IllegalStateException("vm " + vm + ": epoch " + next + " cannot begin, the gate is in epoch " + epoch);
            }
            epoch = next;
        } finally {
            state.unlock();
        }
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException in another mode than HOLDING, for an epoch that has not begun, or if the sink failed: then
     *                               every frame has been tried, and those it refused are lost
     */
    @Override
    public int release(long released) {
        control.lock();
        try {
            int count;
            state.lock();
            try {
                if (mode != Mode.HOLDING) {
                    throw new IllegalStateException("vm " + vm + ": output of epoch " + released + " cannot be released, the gate is "
                            + mode + " (safety rule S3)");
                }
                if (released > epoch) {
                    throw new IllegalStateException("vm " + vm + ": output of epoch " + released
                            + " cannot be released, the gate is in epoch " + epoch + " (safety rule S3)");
                }
                count = ring.framesUpTo(released);
            } finally {
                state.unlock();
            }
            sendFirst(count);
            return count;
        } finally {
            control.unlock();
        }
    }

    /** Sends the oldest frames; each stays in the ring until it is sent, so that what waits behind it waits. */
    private void sendFirst(int count) {
        RuntimeException failure = null;
        int failures = 0;
        try {
            for (int i = 0; i < count; i++) {
                int nic;
                ByteBuffer frame;
                state.lock();
                try {
                    nic = ring.firstNic();
                    frame = ring.first();
                } finally {
                    state.unlock();
                }
                try {
                    sink.send(nic, frame);
                } catch (RuntimeException e) {
                    failure = failure == null ? e : failure;
                    failures++;
                }
                state.lock();
                try {
                    removeFirst(1);
                } finally {
                    state.unlock();
                }
            }
        } finally {
            fullyOpen();
        }
        if (failure != null) {
            throw new IllegalStateException("vm " + vm + ": " + failures + " of " + count + " frames could not be sent and are lost", failure);
        }
    }

    private void fullyOpen() {
        state.lock();
        try {
            if (opening) {
                opening = false;
                changed.signalAll();
            }
        } finally {
            state.unlock();
        }
    }

    @Override
    public int discard(long discarded) {
        control.lock();
        state.lock();
        try {
            int count = ring.framesUpTo(discarded);
            noteDiscard(discarded);
            removeFirst(count);
            if (waiting > 0) {
                changed.signalAll();
            }
            return count;
        } finally {
            state.unlock();
            control.unlock();
        }
    }

    /** A frame whose reader is waiting is discarded like one that is held. */
    private void noteDiscard(long discarded) {
        discardedEpoch = waiting == 0 ? discarded : Math.max(discardedEpoch, discarded);
        discards++;
    }

    private void removeFirst(int count) {
        for (int i = 0; i < count; i++) {
            ring.removeFirst();
        }
        if (count > 0 && waiting > 0) {
            changed.signalAll();
        }
    }

    /** Applies new limits; nothing held is lost, even if the new limits are lower than what is held. */
    void limits(GateLimits next) {
        control.lock();
        state.lock();
        try {
            if (next.equals(limits)) {
                return;
            }
            FrameRing moved = newRing(next, ring.bytes(), ring.frames());
            ring.moveTo(moved);
            ring = moved;
            limits = next;
            changed.signalAll();
        } finally {
            state.unlock();
            control.unlock();
        }
    }

    @Override
    public int heldFrames() {
        state.lock();
        try {
            return ring.frames();
        } finally {
            state.unlock();
        }
    }

    @Override
    public long heldBytes() {
        state.lock();
        try {
            return ring.bytes();
        } finally {
            state.unlock();
        }
    }

    @Override
    public long oldestHeldNanos() {
        state.lock();
        try {
            if (ring.frames() == 0) {
                return 0;
            }
            long nanos = ring.firstOfferedNanos();
            return nanos == 0 ? 1 : nanos; // 0 says that none is held; the clock may start anywhere
        } finally {
            state.unlock();
        }
    }

    @Override
    public long droppedFrames() {
        state.lock();
        try {
            return droppedFrames;
        } finally {
            state.unlock();
        }
    }
}
