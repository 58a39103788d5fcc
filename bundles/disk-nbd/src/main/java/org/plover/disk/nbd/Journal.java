package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.zip.CRC32C;
import org.plover.api.disk.Disks;
import org.plover.linux.Memory;

/**
 * What has been made durable for all disks of a guest and is not in the images yet. Records are appended by whoever holds
 * {@link #writing}; the {@link Checkpointer} empties segments in their order. Readers use {@link #live} under {@link Content}'s read lock.
 */
final class Journal implements AutoCloseable {
    /** Segments that are kept; more are made only for what does not fit and cannot be put into the images yet. */
    static final int SEGMENTS = 2;
    static final String PREFIX = "journal-";
    private static final int COPY_BLOCKS = 256;

    /** Held by whoever appends or syncs. Taken before {@link Content}'s lock, never while holding it. */
    final ReentrantLock writing = new ReentrantLock();

    private final DiskFiles files;
    private final Path directory;
    private final long lineage;
    private final long segmentBytes;
    private final BlockMemory memory;
    private final Lock contentWrite;
    private final Failure failure;
    private final ByteBuffer copy = Memory.allocate(COPY_BLOCKS * Disks.BLOCK_BYTES);
    private final Deque<JournalSegment> free = new ArrayDeque<>();

    /** Oldest first, the last one is appended to. Replaced under the content's write lock. */
    private volatile JournalSegment[] live = new JournalSegment[0];
    private volatile long nextSequence;
    private volatile long durableSequence;
    private long nextSerial = 1;
    private int nextNumber = SEGMENTS;
    private boolean stopped;
    /** Under {@link #writing}. */
    private boolean unsyncedContent;

    Journal(DiskFiles files, Path directory, long lineage, long nextSequence, long segmentBytes, BlockMemory memory, Lock contentWrite,
            Failure failure) {
        this.files = files;
        this.directory = directory;
        this.lineage = lineage;
        this.segmentBytes = segmentBytes;
        this.memory = memory;
        this.contentWrite = contentWrite;
        this.failure = failure;
        this.nextSequence = nextSequence;
        this.durableSequence = nextSequence - 1;
    }

    /** Takes over files that hold nothing of use, makes what is missing, removes what has another length. */
    void prepare() throws IOException {
        for (String name : files.list(directory)) {
            if (name.startsWith(PREFIX) && (files.bytes(directory.resolve(name)) != segmentBytes || number(name) >= SEGMENTS)) {
                files.delete(directory.resolve(name));
            }
        }
        for (int i = 0; i < SEGMENTS; i++) {
            free.add(make(i));
        }
        open(free.remove());
    }

    private static int number(String name) {
        String digits = name.substring(PREFIX.length());
        return digits.matches("\\d{1,6}") ? Integer.parseInt(digits) : Integer.MAX_VALUE;
    }

    private JournalSegment make(int number) throws IOException {
        Path path = directory.resolve(PREFIX + number);
        return new JournalSegment(path, files.openReserved(path, segmentBytes));
    }

    private void open(JournalSegment segment) {
        segment.used = 0;
        segment.firstSequence = nextSequence;
        contentWrite.lock();
        try {
            segment.serial = nextSerial++;
            JournalSegment[] more = Arrays.copyOf(live, live.length + 1);
            more[live.length] = segment;
            live = more;
        } finally {
            contentWrite.unlock();
        }
    }

    JournalSegment[] live() {
        return live;
    }

    long nextSequence() {
        return nextSequence;
    }

    long durableSequence() {
        return durableSequence;
    }

    private JournalSegment active() {
        return live[live.length - 1];
    }

    // ---- appending; all under writing ----

    /**
     * Appends one group of records with the content of these layers, the oldest first. It is not durable before {@link #sync}, pins its
     * segments until {@link #release}, and is not seen before {@link Appended#publish}. Waits for the checkpointer when there is no room.
     *
     * @throws Export.NoSpaceException if the file system is full; nothing of it counts then
     */
    Appended append(RecordKind kind, long epoch, long argument, List<Layer> layers) throws IOException {
        failure.check();
        Appended group = new Appended(nextSequence);
        Feed feed = new Feed(layers);
        try {
            do {
                appendPart(kind, epoch, argument, group, feed);
            } while (feed.hasMore());
            return group;
        } catch (Export.NoSpaceException e) {
            release(group);
            throw e;
        } catch (IOException e) {
            release(group);
            throw failure.report(e);
        }
    }

    /** The blocks of some layers, one after the other. */
    private static final class Feed {
        final List<Layer> layers;
        int layer;
        long[] ids;
        int at;

        Feed(List<Layer> layers) {
            this.layers = layers;
            this.ids = layers.isEmpty() ? new long[0] : layers.get(0).ids();
            skipEnded();
        }

        void skipEnded() {
            while (at == ids.length && layer + 1 < layers.size()) {
                ids = layers.get(++layer).ids();
                at = 0;
            }
        }

        boolean hasMore() {
            return at < ids.length;
        }

        Layer current() {
            return layers.get(layer);
        }
    }

    private void appendPart(RecordKind kind, long epoch, long argument, Appended group, Feed feed) throws IOException {
        int blocksMin = feed.hasMore() ? 2 : 1;
        if (active().room() < blocksMin) {
            rotate();
        }
        JournalSegment segment = active();
        int from = feed.at;
        int contents = 0;
        while (feed.at < feed.ids.length) {
            int more = feed.current().slot(feed.ids[feed.at]) == Layer.ZERO ? 0 : 1;
            int count = feed.at - from + 1;
            if (count > RecordHeader.IDS_MAX || contents + more > RecordHeader.CONTENTS_MAX
                    || RecordHeader.blocks(count) + contents + more > segment.room()) {
                break;
            }
            contents += more;
            feed.at++;
        }
        long[] ids = Arrays.copyOfRange(feed.ids, from, feed.at);
        int contentAt = segment.used + RecordHeader.blocks(ids.length);
        pin(group, new Appended.Part(segment, ids, contentAt));
        int crc = writeContents(segment, contentAt, feed.layers.isEmpty() ? null : feed.current(), ids);
        feed.skipEnded();
        RecordHeader header = new RecordHeader(kind, !feed.hasMore(), lineage, nextSequence, group.groupFirst, durableSequence, epoch,
                argument, contents, crc, ids);
        segment.unsynced = true;
        unsyncedContent |= ids.length > 0;
        segment.file.write((long) segment.used * Disks.BLOCK_BYTES, header.encode());
        segment.used += header.totalBlocks();
        segment.lastSequence = nextSequence++;
    }

    /** Writes what is not zero, and marks in {@code ids} what is. */
    private int writeContents(JournalSegment segment, int contentAt, Layer layer, long[] ids) throws IOException {
        CRC32C crc = new CRC32C();
        int at = contentAt;
        copy.clear();
        for (int i = 0; i < ids.length; i++) {
            int slot = layer.slot(ids[i]);
            if (slot == Layer.ZERO) {
                ids[i] |= RecordHeader.ZERO;
                continue;
            }
            Memory.get(memory.address(slot), copy, Disks.BLOCK_BYTES);
            if (!copy.hasRemaining()) {
                at += writeCopy(segment, at, crc);
            }
        }
        writeCopy(segment, at, crc);
        return (int) crc.getValue();
    }

    private int writeCopy(JournalSegment segment, int at, CRC32C crc) throws IOException {
        copy.flip();
        int blocks = copy.remaining() / Disks.BLOCK_BYTES;
        if (blocks > 0) {
            crc.update(copy.duplicate());
            segment.file.write((long) at * Disks.BLOCK_BYTES, copy);
        }
        copy.clear();
        return blocks;
    }

    /** Closes the segment that is written to, if there is anything in it, and takes another one. Returns the serial of the last closed one. */
    long rotate() throws IOException {
        JournalSegment full = active();
        if (full.used == 0) {
            return full.serial - 1;
        }
        long serial = full.serial;
        open(nextFree());
        synchronized (this) {
            full.closed = true;
            notifyAll();
        }
        return serial;
    }

    private JournalSegment nextFree() throws IOException {
        synchronized (this) {
            while (true) {
                failure.check();
                if (!free.isEmpty()) {
                    return free.remove();
                }
                if (stopped) {
                    throw new IOException("the disks are being closed");
                }
                if (live.length == 1 || live[0].pins > 0) {
                    break;
                }
                waitForChange();
            }
        }
        // The oldest segment holds what nobody can decide about before more has been appended: waiting would never end.
        return make(nextNumber++);
    }

    /** Whether {@link #rotate} would not have to wait. */
    synchronized boolean hasFree() {
        return !free.isEmpty();
    }

    private void pin(Appended group, Appended.Part part) {
        synchronized (this) {
            part.segment().pins++;
            group.parts.add(part);
        }
    }

    /** The group is decided: it has been published or it is void. */
    void release(Appended group) {
        synchronized (this) {
            for (Appended.Part part : group.parts) {
                part.segment().pins--;
            }
            group.parts.clear();
            notifyAll();
        }
    }

    boolean hasUnsynced() {
        for (JournalSegment segment : live) {
            if (segment.unsynced) {
                return true;
            }
        }
        return false;
    }

    /** Whether blocks have been appended that are not durable; a record without any does not matter. */
    boolean hasUnsyncedContent() {
        return unsyncedContent && hasUnsynced();
    }

    /** Returns when everything appended is durable. */
    void sync() throws IOException {
        failure.check();
        for (JournalSegment segment : live) {
            if (segment.unsynced) {
                try {
                    segment.file.sync();
                } catch (IOException e) {
                    if (segment.serial != 0) {
                        throw failure.report(e);
                    }
                    // Meanwhile the images have it, durably, and the file may be gone.
                }
                segment.unsynced = false;
            }
        }
        unsyncedContent = false;
        durableSequence = nextSequence - 1;
    }

    // ---- emptying ----

    /** Waits for the oldest segment to be closed and decided; null when stopped. */
    JournalSegment awaitCheckpointable() throws IOException {
        synchronized (this) {
            while (!stopped) {
                JournalSegment oldest = live[0];
                if (oldest.closed && oldest.pins == 0) {
                    return oldest;
                }
                waitForChange();
            }
            return null;
        }
    }

    /** The segment is in the images, durably: its place may be used again. */
    void free(JournalSegment segment) throws IOException {
        contentWrite.lock();
        try {
            segment.serial = 0;
            segment.index.clear();
            live = Arrays.copyOfRange(live, 1, live.length);
        } finally {
            contentWrite.unlock();
        }
        boolean extra;
        synchronized (this) {
            segment.closed = false;
            segment.unsynced = false;
            extra = live.length + free.size() >= SEGMENTS;
            if (!extra) {
                free.add(segment);
            }
            notifyAll();
        }
        if (extra) {
            segment.file.close();
            files.delete(segment.path);
        }
    }

    /** Waits until no segment up to this serial is left; ends early, with false, if one of them is not decided yet. */
    boolean awaitFreed(long serial, boolean untilDecided) throws IOException {
        synchronized (this) {
            while (live[0].serial <= serial && live[0].serial != 0) {
                failure.check();
                if (stopped || live[0].pins > 0 && !untilDecided) {
                    return false;
                }
                waitForChange();
            }
            failure.check();
            return true;
        }
    }

    /** Wakes everyone who waits, to look whether the disks have failed. */
    synchronized void wake() {
        notifyAll();
    }

    synchronized void stop() {
        stopped = true;
        notifyAll();
    }

    private void waitForChange() throws IOException {
        try {
            wait();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for room in the disk journal " + directory, e);
        }
    }

    @Override
    public void close() throws IOException {
        for (JournalSegment segment : live) {
            segment.file.close();
        }
        for (JournalSegment segment : free) {
            segment.file.close();
        }
    }
}
