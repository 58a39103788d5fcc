package org.plover.replication.core;

import java.util.List;
import org.plover.api.memory.PageSet;

/** What the guest's edge reports to the core, on the group's loop. */
public interface GuestEvents {
    /** The machine is up; {@code offer} tells a primary's edge what its memory and disks already hold (when prepared). */
    void onReady(byte[] offer, long nowNanos);

    /** The guest stands still, its state is saved. */
    void onCaptured(long epoch, long nowNanos);

    /** The guest runs on (or stays stopped, if asked to). */
    void onResumed(long epoch, long pauseNanos, long nowNanos);

    /** Everything of the epoch has been handed to the transport, and what it wrote to disks is durable here. */
    void onTransferred(long epoch, Transferred what, long nowNanos);

    /** What {@link Guest#alone} was asked is so. */
    void onSettled(int request);

    /** A disk failed on this host; what the guest asks of it is answered with an error. */
    void onDiskFailed(String reason, long nowNanos);

    /** There is room for a disk of this length, or else {@code refusal} says why not. */
    void onRoomMade(int disk, long bytes, String refusal, long nowNanos);

    /** A disk has this length and the guest knows it, or else {@code refusal} says what of that is not so. */
    void onDiskResized(int disk, long bytes, String refusal, long nowNanos);

    /** The disks of a learner have the primary's lengths, or else {@code refusal} says why not. */
    void onLengthsAdopted(String refusal, long nowNanos);

    /** Almost all has been sent; {@code percent} is 100 at the end, and lower in reports of progress. */
    void onPrecopied(int percent, long nowNanos);

    /** The backup's guest stands still and its dirty pages are on their way. */
    void onBackupCaptured(long epoch, long nowNanos);

    /** The whole of an epoch, whose SYNC entry has the given index, has arrived intact. */
    void onStaged(long view, long epoch, long index, long nowNanos);

    /** The backup's memory and devices are the epoch's. */
    void onApplied(long epoch, long nowNanos);

    /** At the primary: the backup's dirty pages. */
    void onPeerDirty(long view, long epoch, PageSet pages, long nowNanos);

    /** At the primary: the digests of the backup's dirty pages; empty if it cannot compute them. */
    void onPeerDigests(long view, long epoch, long[] digests, long nowNanos);

    /** At the backup: all memory has been compared. */
    void onVerified(long epoch, int pages, int differing, List<Integer> firstDiffering, long nowNanos);

    /** At the backup: the slice of disks that the epoch carried has been compared; 0 blocks if that could not be done. */
    void onDisksCompared(long epoch, int blocks, int differing, List<Long> firstDiffering, long nowNanos);

    /** The machine failed or ended; it is of no use any more. */
    void onGuestFailed(String reason, long nowNanos);

    /**
     * What an epoch took to send.
     *
     * @param dirtyPages pages that either guest had written
     * @param samePages  of those, the ones that were equal
     * @param diskBlocks blocks that the primary's guest had written
     * @param sameBlocks of those, the ones that the backup's guest had written alike
     * @param bytes      bytes sent
     * @param comparedTo where the next slice of disks to be compared begins; -1 after the last one, or if there was none
     */
    record Transferred(int dirtyPages, int samePages, int diskBlocks, int sameBlocks, long bytes, long comparedTo) {
    }
}
