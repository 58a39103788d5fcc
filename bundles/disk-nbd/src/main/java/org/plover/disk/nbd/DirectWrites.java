package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import org.plover.api.disk.Disks;
import org.plover.api.memory.PageSet;

/**
 * Long writes of a guest without a backup, which go into the image at once instead of through the journal. That is right for a block over
 * which nothing lies, neither in a layer nor in the journal: then no record can put something older over it at recovery, and until the
 * guest flushes, the image may have the block, or some of its sectors, or not, as any disk. Before the first write into a chunk the journal
 * says, durably, that it differs from the other replica's. Thread-safe.
 */
final class DirectWrites {
    /** Shorter writes are better off in the journal, where a flush finds them side by side. */
    static final int BYTES_MIN = 64 << 10;
    /** Atomic units of a disk that are larger than this are not of one that writes in place. */
    private static final int SECTOR_BYTES_MAX = 512;
    private static final int CHUNKS_AHEAD_MAX = 64;
    /** So many blocks that could not go into the image because of older ones in the journal are worth emptying it. */
    private static final int HINDERED_BLOCKS_MAX = 1024;

    private final Image[] images;
    private final boolean[] fit;
    private final Content content;
    private final Journal journal;
    private final ChangeTracker tracker;
    /** Chunks of which the journal says that they differ, since the guest has been without a backup. Its own monitor. */
    private final PageSet[] marked;
    private final AtomicInteger hindered = new AtomicInteger();

    // Changed while no write is under way.
    private volatile boolean together;
    private volatile boolean copying;

    DirectWrites(Image[] images, boolean[] fit, Content content, Journal journal, ChangeTracker tracker) {
        this.images = images;
        this.fit = fit;
        this.content = content;
        this.journal = journal;
        this.tracker = tracker;
        this.marked = new PageSet[images.length];
        for (int d = 0; d < images.length; d++) {
            marked[d] = new PageSet(images[d].chunks());
        }
    }

    /** Whether writes in place are as atomic as a disk with such sectors promises. */
    static boolean fits(int sectorBytes) {
        return sectorBytes <= SECTOR_BYTES_MAX;
    }

    /** While there is a backup nothing goes into the images but through the journal. Waits for writes that are under way. */
    void together(boolean now) {
        if (together != now) {
            content.chunkLocks.exclusively(() -> {
                together = now;
                synchronized (marked) {
                    for (PageSet set : marked) {
                        set.clear();
                    }
                }
            });
        }
    }

    /** A disk has another length. */
    void resize(int disk) {
        content.chunkLocks.exclusively(() -> {
            synchronized (marked) {
                marked[disk] = new PageSet(images[disk].chunks()); // saying it once more does no harm
            }
        });
    }

    /** While the images are copied as of one moment nothing goes into them but through the checkpointer. Waits as {@link #together}. */
    void copying(boolean now) {
        content.chunkLocks.exclusively(() -> copying = now);
    }

    private boolean allowed() {
        return !together && !copying;
    }

    /** Writes a request, or none of it and returns false: then it has to go into the current layer. Not to be called with any lock held. */
    boolean write(int disk, long offset, ByteBuffer from) throws IOException {
        if (from.remaining() < BYTES_MIN || (offset | from.remaining()) % Disks.BLOCK_BYTES != 0 || !fit[disk] || !allowed()) {
            return false;
        }
        int end = from.limit();
        try {
            for (long block = offset / Disks.BLOCK_BYTES; from.position() < end; ) {
                int chunk = (int) (block / Disks.CHUNK_BLOCKS);
                int count = (int) Math.min((end - from.position()) / Disks.BLOCK_BYTES, (chunk + 1L) * Disks.CHUNK_BLOCKS - block);
                from.limit(from.position() + count * Disks.BLOCK_BYTES);
                mark(disk, chunk);
                writeInChunk(disk, block, count, from);
                block += count;
            }
            return true;
        } finally {
            from.limit(end);
        }
    }

    private void writeInChunk(int disk, long block, int count, ByteBuffer from) throws IOException {
        long first = Disks.id(disk, block);
        int end = from.limit();
        Lock chunkLock = content.chunkLocks.of(first).writeLock();
        chunkLock.lock();
        try {
            boolean inPlace = allowed() && isMarked(disk, (int) (block / Disks.CHUNK_BLOCKS));
            for (int done = 0; done < count; ) {
                int run = content.runInImage(first + done, count - done);
                boolean free = run > 0;
                run = Math.abs(run);
                from.limit(from.position() + run * Disks.BLOCK_BYTES);
                if (inPlace && free) {
                    images[disk].writeDirectly(block + done, from);
                    content.addWritten(first + done, run);
                } else {
                    hindered.addAndGet(inPlace ? run : 0);
                    content.write(disk, (block + done) * Disks.BLOCK_BYTES, from);
                }
                done += run;
            }
        } finally {
            chunkLock.unlock();
            from.limit(end);
        }
    }

    private boolean isMarked(int disk, int chunk) {
        synchronized (marked) {
            return marked[disk].contains(chunk);
        }
    }

    /** Makes it durable that a chunk differs; if those before it do so too, also of some that follow, for they are likely to be next. */
    private void mark(int disk, int chunk) throws IOException {
        if (isMarked(disk, chunk)) {
            return;
        }
        journal.writing.lock();
        try {
            if (!allowed() || isMarked(disk, chunk)) {
                return;
            }
            int before = chunk;
            while (before > 0 && chunk - before < CHUNKS_AHEAD_MAX && isMarked(disk, before - 1)) {
                before--;
            }
            int end = Math.min(images[disk].chunks(), chunk + Math.max(1, chunk - before));
            Layer chunks = new Layer(content.memory);
            for (int c = chunk; c < end; c++) {
                chunks.zero(Disks.id(disk, (long) c * Disks.CHUNK_BLOCKS));
            }
            // In this order: who stores the tracker's content counts records from where the journal was before.
            tracker.add(ChangeTracker.NO_EPOCH, chunks.chunks());
            journal.release(journal.append(RecordKind.CHANGED, 0, 0, List.of(chunks)));
            journal.sync();
            synchronized (marked) {
                if (!together) {
                    marked[disk].addRange(chunk, end);
                }
            }
        } finally {
            journal.writing.unlock();
        }
    }

    /** Makes durable what has gone into the images. */
    void sync() throws IOException {
        for (Image image : images) {
            image.syncDirectWrites();
        }
    }

    /** Whether it is time to empty the journal so that more can go into the images at once. */
    boolean isHindered() {
        return hindered.get() > HINDERED_BLOCKS_MAX;
    }

    void journalIsBeingEmptied() {
        hindered.set(0);
    }
}
