package org.plover.replication.core;

import java.nio.ByteBuffer;
import org.plover.api.memory.PageSet;

/**
 * The guest as the pure core drives it. Every method returns at once; the ones that take time report to
 * {@link GuestEvents} later, in the order in which they were asked. After {@link #destroy} nothing asked before it is
 * reported any more.
 */
public interface Guest {
    /** Starts a machine and boots it; reports {@link GuestEvents#onReady}. */
    void boot();

    /** Starts a machine that waits for a state; reports {@link GuestEvents#onReady}. */
    void prepare();

    /** Kills the machine and forgets everything about it. */
    void destroy();

    /** Primary: stops the guest, saves its device state, fetches its dirty pages and copies them; reports {@link GuestEvents#onCaptured}. */
    void capture(Capture what);

    /**
     * Primary, after a capture: copies the pages that only the backup wrote, then lets the guest run on (unless the
     * capture said to stay stopped); reports {@link GuestEvents#onResumed}.
     */
    void finishCapture(long epoch, PageSet peerDirty);

    /**
     * Primary, guest running again: compares with the backup's digests, sends state and divergent pages and blocks, and makes the
     * epoch's disk content durable here; reports {@link GuestEvents#onTransferred} when both are done.
     *
     * @param compareFrom block of the disks from which on digests of a slice are sent along, for comparison; -1 for none
     */
    void transfer(long view, long epoch, int member, long[] peerDigests, long compareFrom);

    /** Primary: the backup has acknowledged the epoch, so what changed on disk up to it is no difference any more. */
    void acknowledged(long epoch, boolean forJoin);

    /**
     * Makes everything durable that the guest has written to its disks, and its flushes from now on. Returns true if that is
     * so at once (it has no disks); else reports {@link GuestEvents#onSettled} with the number given.
     */
    boolean alone(int request);

    /** Primary: sends disks and memory to a fresh backup while the guest runs, again and again what was written meanwhile, until
     * little is left; reports progress to {@link GuestEvents#onPrecopied}. What is left is sent by the next capture. */
    void precopy(Precopy what);

    /** Ends a precopy that is under way as soon as possible; {@link GuestEvents#onPrecopied} is not reported then. */
    void cancelPrecopy();

    /** Backup: stops the guest and sends dirty pages and their digests to the primary; reports {@link GuestEvents#onBackupCaptured}. */
    void captureBackup(long view, long epoch, int primary, String hasher);

    /** Learner: from now on pages that carry this session's number are for the machine that has been prepared. */
    void expect(long session);

    /** Backup: puts the completely received epoch in place, wholly; the guest stays stopped; reports {@link GuestEvents#onApplied}. */
    void apply(long epoch);

    /** Forgets whatever has been received of an epoch but not been applied. */
    void dropStaged();

    /** Lets a stopped guest run on. */
    void resume();

    /** Hands a frame to the guest; false if its queue is full. */
    boolean inject(int nic, ByteBuffer frame);

    /** Bytes the guest has not taken up yet. */
    long pendingInputBytes();

    /** Busiest vCPU since the last call, permille; a guest with disk requests counts as busy. */
    int sampleActivity();

    /** Whether the guest has disks at all. */
    boolean hasDisks();

    /** Length of each disk, once a machine is ready. */
    default long[] diskBytes() {
        return new long[0];
    }

    /** Sees to it that a disk could be this long, which nobody notices; reports {@link GuestEvents#onRoomMade}. */
    default void makeRoom(int disk, long bytes) {
        throw new UnsupportedOperationException("this guest's disks keep their length");
    }

    /** Makes room, then gives a disk this length and lets the guest, which is stopped for it, know; reports {@link GuestEvents#onDiskResized}. */
    default void resizeDisk(int disk, long bytes) {
        throw new UnsupportedOperationException("this guest's disks keep their length");
    }

    /**
     * Learner: gives the disks these lengths, which are the primary's, and does not tell the machine, which is of no use any more;
     * reports {@link GuestEvents#onLengthsAdopted}.
     */
    default void adoptDiskBytes(long[] bytes) {
        throw new UnsupportedOperationException("this guest's disks keep their length");
    }

    /** Bytes written to disks that wait for this epoch's end. */
    long unsealedDiskBytes();

    /**
     * What a capture is for.
     *
     * @param epoch    the epoch that ends
     * @param index    index of the SYNC entry that ends it
     * @param everything a fresh backup gets this epoch: all pages not yet sent to it count as dirty, no backup's pages are awaited
     * @param verify   also digest all memory, so that the backup can compare
     * @param staysStopped the guest is not to run on, because it is about to be handed over
     * @param hasher   hasher of this epoch
     */
    record Capture(long epoch, long index, boolean everything, boolean verify, boolean staysStopped, String hasher) {
    }

    /**
     * Whom to copy the guest to.
     *
     * @param session drawn by the fresh backup for its new machine; all that is sent to it carries this number
     * @param secret  keys the hashers of both sides for this session
     * @param hasher  hasher with which disks are compared
     * @param offer   what the fresh backup has already, as its {@link GuestEvents#onReady} said
     */
    record Precopy(long view, long session, int member, byte[] secret, String hasher, byte[] offer) {
    }
}
