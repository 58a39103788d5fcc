package org.plover.gate.epoch;

import java.nio.ByteBuffer;

/**
 * Frames in the order in which they came, in memory allocated once. Not thread-safe.
 *
 * <p>Every frame is stored in one piece, so that it can be sent without a copy; what is left at the end of the memory is skipped
 * when the next frame does not fit there. The memory has room for one longest frame more than it promises, which is more than
 * can be skipped at any time: a frame that the promise covers always finds a place.
 */
final class FrameRing {
    /** Longest frame: 64 KiB of payload with the most that QEMU puts in front of it. */
    static final int FRAME_BYTES_MAX = 69_632;

    private final ByteBuffer memory;
    private final ByteBuffer view;
    private final int bytesMax;
    private final int[] offsets;
    private final int[] lengths;
    private final int[] nics;
    private final long[] epochs;
    private final long[] offeredNanos;

    private int first;
    private int frames;
    private int writeOffset;
    private int bytes;

    FrameRing(int bytesMax, int framesMax) {
        this.bytesMax = bytesMax;
        memory = ByteBuffer.allocateDirect(bytesMax + FRAME_BYTES_MAX);
        view = memory.duplicate();
        offsets = new int[framesMax];
        lengths = new int[framesMax];
        nics = new int[framesMax];
        epochs = new long[framesMax];
        offeredNanos = new long[framesMax];
    }

    /** Bytes that the ring promises to hold. */
    int bytesMax() {
        return bytesMax;
    }

    /** Frames that the ring can hold. */
    int framesMax() {
        return offsets.length;
    }

    int frames() {
        return frames;
    }

    int bytes() {
        return bytes;
    }

    /** Copies a frame to the end of the ring and consumes it; the caller has made sure of the room. */
    void addLast(long epoch, int nic, long nanos, ByteBuffer frame) {
        int length = frame.remaining();
        if (length == 0 || length > FRAME_BYTES_MAX || frames == offsets.length || bytes + length > bytesMax) {
            throw new IllegalStateException("no room for " + length + " bytes: " + bytes + " of " + bytesMax + " bytes and "
                    + frames + " of " + offsets.length + " frames are taken");
        }
        int offset = placeFor(length);
        memory.limit(offset + length).position(offset);
        memory.put(frame);

        int slot = slot(frames);
        offsets[slot] = offset;
        lengths[slot] = length;
        nics[slot] = nic;
        epochs[slot] = epoch;
        offeredNanos[slot] = nanos;
        frames++;
        bytes += length;
        writeOffset = offset + length;
    }

    private int placeFor(int length) {
        if (frames == 0) {
            return 0;
        }
        int readOffset = offsets[first];
        if (writeOffset > readOffset) {
            return memory.capacity() - writeOffset >= length ? writeOffset : 0;
        }
        return writeOffset;
    }

    /** The oldest frame; the buffer is reused by the next call, its content stays until {@link #removeFirst}. */
    ByteBuffer first() {
        view.limit(offsets[first] + lengths[first]).position(offsets[first]);
        return view;
    }

    int firstNic() {
        return nics[first];
    }

    long firstOfferedNanos() {
        return offeredNanos[first];
    }

    void removeFirst() {
        if (frames == 0) {
            throw new IllegalStateException("the ring is empty");
        }
        bytes -= lengths[first];
        first = slot(1);
        frames--;
    }

    /** Number of frames from the oldest on that belong to epochs up to {@code epoch}; epochs never fall along the ring. */
    int framesUpTo(long epoch) {
        int low = 0;
        int high = frames;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (epochs[slot(middle)] <= epoch) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Moves every frame to the end of another ring. */
    void moveTo(FrameRing target) {
        while (frames > 0) {
            target.addLast(epochs[first], nics[first], offeredNanos[first], first());
            removeFirst();
        }
    }

    private int slot(int index) {
        int slot = first + index;
        return slot >= offsets.length ? slot - offsets.length : slot;
    }
}
