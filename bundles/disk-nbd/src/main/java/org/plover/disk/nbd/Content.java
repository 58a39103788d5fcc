package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.plover.api.disk.Disks;
import org.plover.linux.Memory;

/**
 * What lies over what: what the guest has written, what has been sealed, what is being made durable, the journal, the images. Reads and
 * writes of whole requests; thread-safe. The lock is held for copies in memory, never for I/O.
 */
final class Content {
    private static final int BATCH_BLOCKS = 256;
    private static final int PATIENCE = 4;
    private static final int IN_MEMORY = -2;
    private static final int IN_IMAGE = -3;

    final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    final ChunkLocks chunkLocks = new ChunkLocks();
    final BlockMemory memory = new BlockMemory();
    final WrittenBlocks written;
    private final Image[] images;
    /** Chunks that ever were in a layer: where to look for data that is not in the image. */
    private final BlockMap touched = new BlockMap();
    private Journal journal;

    private volatile Layer current = new Layer(memory);
    private Layer sealed;
    /** Oldest first. */
    private final Deque<Layer> committing = new ArrayDeque<>();
    /** How often {@link #current} has been replaced. */
    private long replaced;

    Content(Image[] images) {
        this.images = images;
        this.written = new WrittenBlocks(images);
    }

    void attach(Journal opened) {
        journal = opened;
    }

    long unsealedBytes() {
        return current.bytes();
    }

    // ---- moving layers; the callers say when ----

    /** What the guest has written becomes the sealed layer. */
    Layer seal() {
        lock.writeLock().lock();
        try {
            sealed = replaceCurrent();
            return sealed;
        } finally {
            lock.writeLock().unlock();
        }
    }

    private Layer replaceCurrent() {
        Layer before = current;
        current = new Layer(memory);
        replaced++;
        return before;
    }

    /** The sealed layer is to be made durable. */
    void commitSealed() {
        lock.writeLock().lock();
        try {
            committing.add(sealed);
            sealed = null;
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** All that the guest has written is to be made durable; returns what was not sealed, or null. */
    Layer commitAll() {
        lock.writeLock().lock();
        try {
            if (sealed != null) {
                committing.add(sealed);
                sealed = null;
            }
            if (current.isEmpty()) {
                return null;
            }
            Layer taken = replaceCurrent();
            committing.add(taken);
            return taken;
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** What is to be made durable up to this layer, the oldest first; all of it for null. */
    List<Layer> committing(Layer last) {
        lock.readLock().lock();
        try {
            List<Layer> layers = new ArrayList<>();
            for (Layer layer : committing) {
                layers.add(layer);
                if (layer == last) {
                    break;
                }
            }
            return layers;
        } finally {
            lock.readLock().unlock();
        }
    }

    /** These layers are in the journal: readers find them there from now on. */
    void publish(Appended group, List<Layer> layers) {
        lock.writeLock().lock();
        try {
            group.publish();
            committing.removeAll(layers);
            layers.forEach(Layer::release);
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** What the guest has written and nobody has made durable vanishes, the group takes its place. */
    void replace(Appended group) {
        lock.writeLock().lock();
        try {
            dropUndurable();
            group.publish();
            for (Appended.Part part : group.parts) {
                for (long id : part.ids()) {
                    touched.put(Layer.chunkOf(id & ~RecordHeader.ZERO), 0);
                }
            }
            written.clear();
        } finally {
            lock.writeLock().unlock();
        }
    }

    void dropUndurable() {
        lock.writeLock().lock();
        try {
            replaceCurrent().release();
            if (sealed != null) {
                sealed.release();
                sealed = null;
            }
            committing.forEach(Layer::release);
            committing.clear();
        } finally {
            lock.writeLock().unlock();
        }
    }

    long[] fetchWritten() {
        lock.writeLock().lock();
        try {
            long[] ids = written.toArray();
            written.clear();
            return ids;
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Chunks of what is not sealed. */
    void addUnsealedChunks(BlockMap to) {
        lock.readLock().lock();
        try {
            to.addKeys(current.chunks());
        } finally {
            lock.readLock().unlock();
        }
    }

    // ---- reading ----

    /** Where the content of some blocks was found: a place in a segment, or one of the constants. */
    private static final class Found {
        final int[] at;
        final JournalSegment[] segment;
        final long[] serial;

        Found(int count) {
            at = new int[count];
            segment = new JournalSegment[count];
            serial = new long[count];
        }
    }

    /**
     * Reads whole blocks of one disk.
     *
     * @param guest with what the guest has written since the last seal
     */
    void read(long first, int count, ByteBuffer to, boolean guest) throws IOException {
        Image image = images[Disks.diskOf(first)];
        Found found = new Found(Math.min(BATCH_BLOCKS, count));
        for (int done = 0; done < count; done += BATCH_BLOCKS) {
            int n = Math.min(BATCH_BLOCKS, count - done);
            int start = to.position();
            do {
                to.position(start);
                locate(first + done, n, to.duplicate(), guest, found);
            } while (!readFound(first + done, n, to, image, found));
            to.position(start + n * Disks.BLOCK_BYTES);
        }
    }

    private void locate(long first, int count, ByteBuffer to, boolean guest, Found found) {
        int start = to.position();
        lock.readLock().lock();
        try {
            for (int i = 0; i < count; i++) {
                int slot = inMemory(first + i, guest);
                if (slot == BlockMap.ABSENT) {
                    slot = locateInJournal(first + i, i, found);
                    if (slot == BlockMap.ABSENT) {
                        continue;
                    }
                } else if (slot >= 0) {
                    to.position(start + i * Disks.BLOCK_BYTES);
                    Memory.get(memory.address(slot), to, Disks.BLOCK_BYTES);
                }
                found.at[i] = IN_MEMORY;
                if (slot == Layer.ZERO) {
                    to.position(start + i * Disks.BLOCK_BYTES);
                    to.put(ZEROS.duplicate());
                }
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(Disks.BLOCK_BYTES).asReadOnlyBuffer();

    /** ABSENT if it has to be read from a file. */
    private int inMemory(long id, boolean guest) {
        if (guest) {
            int slot = current.slot(id);
            if (slot != BlockMap.ABSENT) {
                return slot;
            }
        }
        if (sealed != null) {
            int slot = sealed.slot(id);
            if (slot != BlockMap.ABSENT) {
                return slot;
            }
        }
        for (Iterator<Layer> newestFirst = committing.descendingIterator(); newestFirst.hasNext(); ) {
            int slot = newestFirst.next().slot(id);
            if (slot != BlockMap.ABSENT) {
                return slot;
            }
        }
        return BlockMap.ABSENT;
    }

    /** Returns ZERO if that is what the journal says, else notes where to read it. */
    private int locateInJournal(long id, int i, Found found) {
        JournalSegment[] live = journal.live();
        for (int s = live.length - 1; s >= 0; s--) {
            int at = live[s].index.get(id);
            if (at == Layer.ZERO) {
                return Layer.ZERO;
            }
            if (at != BlockMap.ABSENT) {
                found.at[i] = at;
                found.segment[i] = live[s];
                found.serial[i] = live[s].serial;
                return BlockMap.ABSENT;
            }
        }
        found.at[i] = IN_IMAGE;
        return BlockMap.ABSENT;
    }

    /** Returns false if a segment was emptied meanwhile, so that something else may have been read from it. */
    private boolean readFound(long first, int count, ByteBuffer to, Image image, Found found) throws IOException {
        int start = to.position();
        long block = Disks.blockOf(first);
        boolean sure = true;
        for (int i = 0; i < count; ) {
            int at = found.at[i];
            int run = 1;
            while (i + run < count && found.at[i + run] == (at < 0 ? at : at + run)
                    && (at < 0 || found.segment[i + run] == found.segment[i])) {
                run++;
            }
            if (at != IN_MEMORY) {
                ByteBuffer part = to.duplicate().position(start + i * Disks.BLOCK_BYTES)
                        .limit(start + (i + run) * Disks.BLOCK_BYTES);
                if (at == IN_IMAGE) {
                    image.read(block + i, part);
                } else {
                    try {
                        found.segment[i].read(at, part);
                    } catch (IOException e) {
                        if (found.segment[i].serial == found.serial[i]) {
                            throw e;
                        }
                    }
                    sure &= found.segment[i].serial == found.serial[i];
                }
            }
            i += run;
        }
        return sure;
    }

    /** The first block at or after this one of the same disk that may hold anything but zeros, or -1. */
    long nextData(long id, boolean guest) throws IOException {
        while (true) {
            JournalSegment[] before = journal.live();
            long next = findData(id, guest);
            // Else a block may have gone from the journal into what was a hole of the image when that was looked at.
            if (journal.live() == before) {
                return next;
            }
        }
    }

    private long findData(long id, boolean guest) throws IOException {
        int disk = Disks.diskOf(id);
        Image image = images[disk];
        for (long block = Disks.blockOf(id); block < image.blocks(); ) {
            long inImage = image.nextData(block);
            long end = inImage < 0 ? image.blocks() : inImage;
            long above = nextInLayers(disk, block, end, guest);
            if (above >= 0 || inImage < 0) {
                return above < 0 ? -1 : Disks.id(disk, above);
            }
            if (!isZeroAbove(Disks.id(disk, inImage), guest)) {
                return Disks.id(disk, inImage);
            }
            block = inImage + 1;
        }
        return -1;
    }

    /** The end, at most {@code limit}, of the blocks from this one on that are not known to be zero; a guess that may be too far. */
    long dataEnd(long id, long limit) throws IOException {
        int disk = Disks.diskOf(id);
        Image image = images[disk];
        long block = Disks.blockOf(id);
        while (block < limit) {
            if (nextInLayers(disk, block, block + 1, true) == block) {
                block++;
                continue;
            }
            long data = image.nextData(block);
            if (data != block) {
                return Math.max(block, Disks.blockOf(id) + 1);
            }
            block = image.nextHole(block);
        }
        return Math.min(block, limit);
    }

    private boolean isZeroAbove(long id, boolean guest) {
        lock.readLock().lock();
        try {
            return valueAbove(id, guest) == Layer.ZERO;
        } finally {
            lock.readLock().unlock();
        }
    }

    /** The first block in this range that something above the image says is not zero, or -1. */
    private long nextInLayers(int disk, long from, long to, boolean guest) {
        for (long block = from; block < to; ) {
            long chunk = block / Disks.CHUNK_BLOCKS;
            long end = Math.min(to, (chunk + 1) * Disks.CHUNK_BLOCKS);
            lock.readLock().lock();
            try {
                if (touched.size() == 0) {
                    return -1;
                }
                if (touched.contains(Disks.id(disk, chunk))) {
                    for (; block < end; block++) {
                        int value = valueAbove(Disks.id(disk, block), guest);
                        if (value != BlockMap.ABSENT && value != Layer.ZERO) {
                            return block;
                        }
                    }
                }
            } finally {
                lock.readLock().unlock();
            }
            block = end;
        }
        return -1;
    }

    /** What is above the image, as in a {@link BlockMap}: ABSENT, ZERO, or anything else for content. */
    private int valueAbove(long id, boolean guest) {
        int value = inMemory(id, guest);
        JournalSegment[] live = journal.live();
        for (int s = live.length - 1; s >= 0 && value == BlockMap.ABSENT; s--) {
            value = live[s].index.get(id);
        }
        return value;
    }

    // ---- writing ----

    /** Takes a guest's write of any alignment into the current layer. */
    void write(int disk, long offset, ByteBuffer from) throws IOException {
        long at = offset;
        while (from.hasRemaining()) {
            long block = at / Disks.BLOCK_BYTES;
            int within = (int) (at % Disks.BLOCK_BYTES);
            int before = from.remaining();
            if (within == 0 && before >= Disks.BLOCK_BYTES) {
                writeBlocks(Disks.id(disk, block), (int) Math.min(before / Disks.BLOCK_BYTES, toEndOfChunk(block)), from);
            } else {
                int bytes = Math.min(Disks.BLOCK_BYTES - within, before);
                writePart(Disks.id(disk, block), within, bytes, from);
            }
            at += before - from.remaining();
        }
    }

    private static long toEndOfChunk(long block) {
        return Disks.CHUNK_BLOCKS - block % Disks.CHUNK_BLOCKS;
    }

    /** How many blocks from this one on, but at most {@code count}, are in the image only; or, negative, how many are not. */
    int runInImage(long first, int count) {
        lock.readLock().lock();
        try {
            boolean free = valueAbove(first, true) == BlockMap.ABSENT;
            int run = 1;
            while (run < count && valueAbove(first + run, true) == BlockMap.ABSENT == free) {
                run++;
            }
            return free ? run : -run;
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Notes what a guest has written without a layer. */
    void addWritten(long first, int count) {
        lock.writeLock().lock();
        try {
            for (int i = 0; i < count; i++) {
                written.add(first + i);
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    private void writeBlocks(long first, int count, ByteBuffer from) {
        Lock chunkLock = chunkLocks.of(first).readLock();
        chunkLock.lock();
        lock.writeLock().lock();
        try {
            for (int i = 0; i < count; i++) {
                mark(first + i);
                Memory.put(from, current.place(first + i), Disks.BLOCK_BYTES);
            }
        } finally {
            lock.writeLock().unlock();
            chunkLock.unlock();
        }
    }

    private void mark(long id) {
        written.add(id);
        touched.put(Layer.chunkOf(id), 0);
    }

    /** Reads the block and changes a part of it; {@code from} null writes zeros. */
    private void writePart(long id, int within, int bytes, ByteBuffer from) throws IOException {
        Lock chunkLock = chunkLocks.of(id).readLock();
        chunkLock.lock();
        try {
            changePart(id, within, bytes, from);
        } finally {
            chunkLock.unlock();
        }
    }

    private void changePart(long id, int within, int bytes, ByteBuffer from) throws IOException {
        ByteBuffer whole = null;
        for (int attempt = 0; ; attempt++) {
            long seen;
            lock.writeLock().lock();
            try {
                if (attempt == PATIENCE && current.slot(id) == BlockMap.ABSENT) {
                    whole = readBlock(id);
                    putPart(id, whole, within, bytes, from);
                    return;
                }
                if (current.slot(id) != BlockMap.ABSENT) {
                    putPart(id, null, within, bytes, from);
                    return;
                }
                seen = replaced;
            } finally {
                lock.writeLock().unlock();
            }
            whole = readBlock(id);
            lock.writeLock().lock();
            try {
                // Had it been written since, it would be in the current layer, or that one would have been replaced.
                if (current.slot(id) != BlockMap.ABSENT || seen == replaced) {
                    putPart(id, whole, within, bytes, from);
                    return;
                }
            } finally {
                lock.writeLock().unlock();
            }
        }
    }

    private ByteBuffer readBlock(long id) throws IOException {
        ByteBuffer whole = ByteBuffer.allocate(Disks.BLOCK_BYTES);
        read(id, 1, whole, true);
        return whole.flip();
    }

    private void putPart(long id, ByteBuffer whole, int within, int bytes, ByteBuffer from) {
        int slot = current.slot(id);
        mark(id);
        long place = current.place(id);
        if (slot == BlockMap.ABSENT) {
            Memory.put(whole, place, Disks.BLOCK_BYTES);
        } else if (slot == Layer.ZERO) {
            Memory.zero(place, Disks.BLOCK_BYTES);
        }
        if (from == null) {
            Memory.zero(place + within, bytes);
        } else {
            Memory.put(from, place + within, bytes);
        }
    }

    /** Makes a range read as zeros; blocks that are known to do so already are left alone. */
    void zero(int disk, long offset, long length) throws IOException {
        long end = offset + length;
        long at = offset;
        while (at < end) {
            int within = (int) (at % Disks.BLOCK_BYTES);
            long id = Disks.id(disk, at / Disks.BLOCK_BYTES);
            // The disk's end counts as a block's end.
            boolean whole = within == 0 && (end - at >= Disks.BLOCK_BYTES || end == images[disk].bytes());
            if (!whole) {
                int bytes = (int) Math.min(Disks.BLOCK_BYTES - within, end - at);
                writePart(id, within, bytes, null);
                at += bytes;
                continue;
            }
            long next = nextData(id, true);
            if (next < 0) {
                return;
            }
            long block = Disks.blockOf(next);
            if (block > Disks.blockOf(id)) {
                at = Math.min(end, block * Disks.BLOCK_BYTES);
                continue;
            }
            int count = (int) Math.max(1, Math.min(toEndOfChunk(block), (end - at) / Disks.BLOCK_BYTES));
            zeroBlocks(id, count);
            at = Math.min(end, at + (long) count * Disks.BLOCK_BYTES);
        }
    }

    private void zeroBlocks(long first, int count) {
        Lock chunkLock = chunkLocks.of(first).readLock();
        chunkLock.lock();
        lock.writeLock().lock();
        try {
            for (int i = 0; i < count; i++) {
                mark(first + i);
                current.zero(first + i);
            }
        } finally {
            lock.writeLock().unlock();
            chunkLock.unlock();
        }
    }
}
