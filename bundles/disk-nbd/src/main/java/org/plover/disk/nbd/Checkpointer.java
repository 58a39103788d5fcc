package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.Lock;
import org.plover.api.disk.Disks;
import org.plover.linux.Memory;

/** Puts segments of the journal into the images, the oldest first. Runs on a thread of its own. */
final class Checkpointer implements Runnable {
    private static final int RUN_BLOCKS = 256;

    /** Makes the meta file say from which record on the journal is needed. */
    interface Forget {
        void before(long sequence) throws IOException;
    }

    private final Journal journal;
    private final Image[] images;
    private final Lock contentRead;
    private final Failure failure;
    private final Forget forget;
    private final ByteBuffer buffer = Memory.allocate(RUN_BLOCKS * Disks.BLOCK_BYTES);
    private volatile Snapshot snapshot;

    Checkpointer(Journal journal, Image[] images, Lock contentRead, Failure failure, Forget forget) {
        this.journal = journal;
        this.images = images;
        this.contentRead = contentRead;
        this.failure = failure;
        this.forget = forget;
    }

    /** From now on images are not overwritten by what came after the snapshot's moment before it has copied what was there; null ends that. */
    void protect(Snapshot running) {
        snapshot = running;
    }

    @Override
    public void run() {
        try {
            while (true) {
                JournalSegment segment = journal.awaitCheckpointable();
                if (segment == null) {
                    return;
                }
                checkpoint(segment);
            }
        } catch (IOException e) {
            failure.report(e);
        } catch (RuntimeException | Error e) {
            failure.report(new IOException("putting the journal into the images failed: " + e, e));
            throw e;
        } finally {
            journal.wake();
        }
    }

    private void checkpoint(JournalSegment segment) throws IOException {
        // In this order: segments that come after a copy's moment can only be among those if the copy is seen here.
        JournalSegment[] live = journal.live();
        Snapshot running = snapshot;
        boolean copying = running != null && segment.serial <= running.boundary();
        Snapshot protecting = copying ? null : running;
        long serialMax = copying ? running.boundary() : Long.MAX_VALUE;
        long[] ids = segment.index.sortedKeys();
        for (int from = 0; from < ids.length; ) {
            if (isSuperseded(ids[from], live, serialMax)) {
                from++;
                continue;
            }
            boolean zero = segment.index.get(ids[from]) == Layer.ZERO;
            int to = from + 1;
            while (to < ids.length && to - from < RUN_BLOCKS && ids[to] == ids[to - 1] + 1
                    && segment.index.get(ids[to]) == Layer.ZERO == zero && !isSuperseded(ids[to], live, serialMax)) {
                to++;
            }
            if (protecting != null) {
                protecting.beforeOverwriting(ids[from], to - from);
            }
            put(segment, ids, from, to, zero);
            from = to;
        }
        for (Image image : images) {
            image.sync();
        }
        forget.before(segment.lastSequence + 1);
        journal.free(segment);
    }

    /**
     * Whether another closed segment has something newer, which comes into the image before a snapshot looks at it. It must be
     * durable: this segment's content may be all that a flush promised.
     */
    private boolean isSuperseded(long id, JournalSegment[] live, long serialMax) {
        contentRead.lock();
        try {
            for (int s = 1; s < live.length - 1; s++) {
                if (live[s].serial <= serialMax && !live[s].unsynced && live[s].index.contains(id)) {
                    return true;
                }
            }
            return false;
        } finally {
            contentRead.unlock();
        }
    }

    private void put(JournalSegment segment, long[] ids, int from, int to, boolean zero) throws IOException {
        Image image = images[Disks.diskOf(ids[from])];
        long block = Disks.blockOf(ids[from]);
        if (zero) {
            image.zero(block, to - from);
            return;
        }
        buffer.clear();
        for (int i = from; i < to; ) {
            int at = segment.index.get(ids[i]);
            int n = 1;
            while (i + n < to && segment.index.get(ids[i + n]) == at + n) {
                n++;
            }
            buffer.limit(buffer.position() + n * Disks.BLOCK_BYTES);
            segment.read(at, buffer);
            i += n;
        }
        image.write(block, buffer.flip());
    }
}
