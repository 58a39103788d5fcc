package org.plover.api.gate;

import java.nio.ByteBuffer;

/**
 * Holds the frames a guest emits until they may leave the host. {@link #offer} is called by the machine's reader threads,
 * everything else by the group's loop; thread-safe. Frames keep their order per interface, across holding and passing.
 */
public interface OutputGate {
    /** What happens to frames that are offered. */
    enum Mode {
        /** Frames are dropped: this host has no guest whose output could ever matter. */
        CLOSED,
        /** Backup: frames are kept per epoch in bounded memory, the oldest going first, in case this guest is promoted. */
        STANDBY,
        /** Primary with a backup: frames are kept per epoch until it commits; a full gate blocks the guest's transmissions. */
        HOLDING,
        /** Primary alone by agreement: frames pass at once. */
        OPEN
    }

    /** A frame from the guest; belongs to the current epoch. Blocks while the gate is HOLDING and full. */
    void offer(int nic, ByteBuffer frame) throws InterruptedException;

    /**
     * Changes what happens to frames. To {@code OPEN}: everything held goes out first, in order. To {@code CLOSED}: everything
     * held is discarded, and blocked readers return. The others keep what is held.
     */
    void mode(Mode mode);

    Mode mode();

    /** Frames offered from now on belong to {@code epoch}; not lower than the current one. */
    void beginEpoch(long epoch);

    /**
     * Sends everything of epochs up to {@code epoch}, in order (safety rule S3). Only in mode HOLDING.
     *
     * @return number of frames
     */
    int release(long epoch);

    /**
     * Drops everything of epochs up to {@code epoch}: the state it came from has been replaced.
     *
     * @return number of frames
     */
    int discard(long epoch);

    /** Frames held now. */
    int heldFrames();

    /** Bytes held now. */
    long heldBytes();

    /** Nanoseconds (of {@link System#nanoTime}) when the oldest held frame was offered; 0 if none. */
    long oldestHeldNanos();

    /** Frames dropped since creation because STANDBY memory was full. */
    long droppedFrames();
}
