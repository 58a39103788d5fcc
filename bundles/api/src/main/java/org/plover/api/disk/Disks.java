package org.plover.api.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.plover.api.memory.PageSet;

/**
 * The disks of one guest on this replica. Their content belongs to the epoch (safety rule S6). Three layers lie over each other:
 * what the guest has written since the last {@link #seal} or {@link #apply} (volatile), what belongs to an epoch (made durable
 * by {@link #commit} or {@link #stageEnd}, in one journal for all disks, so that an epoch is durable wholly or not at all), and the
 * images, into which the journal is written in the background. {@link #close} or a crash loses the first layer and nothing else.
 *
 * <p>Two ways to treat the guest's flushes, chosen by the last of these calls: after {@link #alone} a flush is answered when
 * everything written before it is durable here, as by any disk. After {@link #seal}, {@link #apply} or {@link #stageEnd} it is answered at
 * once, because no output that could tell of it leaves before {@link #commit} on one replica and {@link #stageEnd} on the other have
 * made the epoch durable. Just opened, disks behave as after {@link #alone}.
 *
 * <p>Blocks of all disks are named by one number, see {@link #id}. Unless said otherwise, methods are called by one thread at a
 * time (the one that drives the machine), may block for disk I/O, and may run while the guest reads and writes. An IOException
 * means that the disks are of no use on this replica any more; {@link DiskListener#onFailed} has been or will be called.
 */
public interface Disks extends AutoCloseable {
    /** Bytes of a block, the unit in which writes are tracked, compared and sent. */
    int BLOCK_BYTES = 4096;
    /** Blocks of a chunk, the unit in which a copy to another replica proceeds. */
    int CHUNK_BLOCKS = 256;

    /** Number of the block that is {@code block} on {@code disk}; numbers of one disk lie together, in order. */
    static long id(int disk, long block) {
        return (long) disk << 40 | block;
    }

    static int diskOf(long id) {
        return (int) (id >>> 40);
    }

    static long blockOf(long id) {
        return id & (1L << 40) - 1;
    }

    /** Number of disks. */
    int count();

    /** Length of a disk in bytes, a multiple of its sector; the image may be longer. Thread-safe, does not block. Its last block may be shorter on disk; the rest of it reads as zero. */
    long bytes(int disk);

    /** Where the machine finds the disks, in order. */
    List<DiskAttachment> attachments();

    // ---- the guest's doing ----

    /**
     * Blocks written by the guest (also trimmed or zeroed) since the last call, or since {@link #apply}, ascending. Never misses
     * one of a request that has been answered.
     */
    long[] fetchWritten();

    /** Requests of the guest that are under way. Thread-safe, does not block. */
    int inFlight();

    /** Counts up with every request of the guest but flushes. Thread-safe, does not block. */
    long operations();

    /** Bytes held in memory that {@link #seal} would seal now. Thread-safe, does not block. */
    long unsealedBytes();

    /**
     * While true, a guest that writes faster than epochs end is slowed by delayed answers. To be switched off before the machine
     * is stopped (which waits for the answers), and on again after it runs. Initially on; thread-safe.
     */
    void throttle(boolean on);

    // ---- content ----

    /**
     * Reads {@code count} blocks from {@code first} on, of one disk, as of the last {@link #seal} or {@link #apply}: without what the guest
     * has written since. After {@link #alone} as the guest sees it. Past the disk's end reads as zero.
     */
    void read(long first, int count, ByteBuffer to) throws IOException;

    /** Reads one block as the guest sees it now. */
    void readWritten(long id, ByteBuffer to) throws IOException;

    /**
     * The first block at or after {@code id} on the same disk that may hold anything but zeros as of the last seal, or -1. Holes of a
     * sparse image are skipped where the file system tells them.
     */
    long nextData(long id) throws IOException;

    // ---- primary ----

    /**
     * Everything the guest has written is durable when this returns, and flushes are from then on. What was staged and not applied is
     * dropped for good. Before output of this guest may leave without a backup's acknowledgement, this must have returned.
     */
    void alone() throws IOException;

    /** The guest is stopped: what it has written belongs to {@code epoch}. At most one sealed epoch waits for {@link #commit}. Does not block. */
    void seal(long epoch);

    /** Makes the sealed epoch durable; completes on another thread. The sealed content stays readable by {@link #read} throughout. */
    CompletableFuture<Void> commit(long epoch);

    // ---- backup and learner ----

    /** Begins to collect an epoch of the primary; forgets an earlier one that was not applied. The guest is stopped or does not exist yet. */
    void stageBegin(long epoch);

    /** A block of the epoch has this content. */
    void stage(long id, ByteBuffer content) throws IOException;

    /** A block of the epoch has the content that the guest here has written to it. */
    void stageSame(long id) throws IOException;

    /** The epoch is complete: it is durable when this returns, and {@link #standing} is WHOLE. */
    void stageEnd(long epoch) throws IOException;

    /** Forgets what has been staged and not been applied, durably by the next {@link #alone} at the latest. */
    void unstage();

    /** The guest is stopped: what it has written vanishes, the staged epoch takes its place. */
    void apply(long epoch) throws IOException;

    /** Overwrites a block of the image with a copy from the primary; the guest does not run. The first call makes {@link #standing} PARTIAL, durably. */
    void fill(long id, ByteBuffer content) throws IOException;

    /** What is on stable storage here. */
    Standing standing();

    /** The last epoch that was made durable here, 0 if none. */
    long epoch();

    // ---- catching up ----

    /**
     * Names the pair of replicas whose disks are equal as of the epoch just committed (primary) or staged (learner), and empties
     * {@link #changed}. Durable when this returns.
     */
    void bond(long id) throws IOException;

    /** The last bond that was named, or 0: {@link #changed} says in what this replica may differ from the other one of that bond. */
    long bond();

    /**
     * At the primary: the backup has acknowledged {@code epoch}, and it is durable here, so what changed up to it is no difference any
     * more. {@link #apply} implies this for the epochs before the applied one; of that one the backup cannot know that it is durable there.
     */
    void settle(long epoch);

    /**
     * Chunks of a disk that may have changed since the last epoch that both replicas of the bond have. Survives restarts and crashes,
     * never misses a chunk, may name more.
     */
    PageSet changed(int disk);

    // ---- length ----

    /**
     * Sees to it that a disk could be this long: enlarges its image if that can be done, and lets what lies past the disk's present
     * end read as zeros, durably. Nobody sees anything of it yet. Completes on another thread.
     *
     * @return completes with an empty text, or a sentence that says why it cannot be that long; nothing has happened to the disk then
     */
    default CompletableFuture<String> makeRoom(int disk, long bytes) {
        return CompletableFuture.completedFuture("disk " + disk + " is served by a provider that cannot change its length");
    }

    /**
     * Gives a disk another length, for which there must be room; durable when this returns. The guest is stopped. What it has connected
     * to the disk loses that connection, and finds the new length when it connects again. A shorter length is only for disks that
     * another replica's will be copied over: {@link #standing} is PARTIAL then.
     */
    default void resize(int disk, long bytes) throws IOException {
        throw new UnsupportedOperationException("the length of disks cannot be changed");
    }

    // ---- operations ----

    /**
     * Copies all disks, each exactly as of the last epoch that was durable when the copy began, while the guest runs and epochs go
     * on. Sparse where the content is zero. Completes on another thread; a file that could not be completed is removed.
     *
     * @param files one for each disk, must not exist
     */
    CompletableFuture<Void> copyTo(List<Path> files);

    /** Ends serving; what is not durable is lost. Idempotent. */
    @Override
    void close();
}
