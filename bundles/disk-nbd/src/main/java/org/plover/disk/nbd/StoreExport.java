package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.plover.api.disk.Disks;

/** One disk of a store as the server sees it; counts the guest's requests. */
final class StoreExport implements Export {
    private final Store store;
    private final int disk;
    private final AtomicInteger inFlight;
    private final AtomicLong operations;

    StoreExport(Store store, int disk, AtomicInteger inFlight, AtomicLong operations) {
        this.store = store;
        this.disk = disk;
        this.inFlight = inFlight;
        this.operations = operations;
    }

    private interface Operation {
        void run() throws IOException;
    }

    private void count(boolean operation, Operation request) throws IOException {
        inFlight.incrementAndGet();
        try {
            if (operation) {
                operations.incrementAndGet();
            }
            request.run();
        } catch (NoSpaceException e) {
            throw e;
        } catch (IOException e) {
            if (!store.isClosed()) {
                store.failure.report(e);
            }
            throw e;
        } finally {
            inFlight.decrementAndGet();
        }
    }

    private void requireWritable() throws IOException {
        if (readOnly()) {
            throw new IOException(store.images[disk].name() + " is configured as read-only");
        }
    }

    @Override
    public String name() {
        return "disk" + disk;
    }

    @Override
    public long bytes() {
        return store.images[disk].bytes();
    }

    @Override
    public int sectorBytes() {
        return store.spec.disks().get(disk).sectorBytes();
    }

    @Override
    public boolean readOnly() {
        return store.images[disk].readOnly();
    }

    @Override
    public void read(long offset, ByteBuffer to) throws IOException {
        requireInside(offset, to.remaining());
        count(true, () -> {
            store.checkOpen();
            if (offset % Disks.BLOCK_BYTES == 0 && to.remaining() % Disks.BLOCK_BYTES == 0) {
                store.content.read(Disks.id(disk, offset / Disks.BLOCK_BYTES), to.remaining() / Disks.BLOCK_BYTES, to, true);
            } else {
                readUnaligned(offset, to);
            }
        });
    }

    private void readUnaligned(long offset, ByteBuffer to) throws IOException {
        long first = offset / Disks.BLOCK_BYTES;
        long end = (offset + to.remaining() + Disks.BLOCK_BYTES - 1) / Disks.BLOCK_BYTES;
        int count = (int) (end - first);
        ByteBuffer whole = ByteBuffer.allocate(count * Disks.BLOCK_BYTES);
        store.content.read(Disks.id(disk, first), count, whole, true);
        int within = (int) (offset % Disks.BLOCK_BYTES);
        to.put(whole.position(within).limit(within + to.remaining()));
    }

    @Override
    public void write(long offset, ByteBuffer from, boolean forced) throws IOException {
        requireInside(offset, from.remaining());
        requireWritable();
        count(true, () -> store.write(disk, offset, from, forced));
    }

    @Override
    public void zero(long offset, long length, boolean forced) throws IOException {
        requireInside(offset, length);
        requireWritable();
        count(true, () -> store.zero(disk, offset, length, forced));
    }

    @Override
    public void trim(long offset, long length, boolean forced) throws IOException {
        requireInside(offset, length);
        requireWritable();
        // Only whole blocks give room back; the rest may stay as it is.
        long from = (offset + Disks.BLOCK_BYTES - 1) / Disks.BLOCK_BYTES * Disks.BLOCK_BYTES;
        long to = offset + length == bytes() ? bytes() : (offset + length) / Disks.BLOCK_BYTES * Disks.BLOCK_BYTES;
        count(true, () -> store.zero(disk, Math.min(from, Math.max(to, 0)), Math.max(0, to - from), forced));
    }

    @Override
    public void flush() throws IOException {
        count(false, store::flush);
    }

    @Override
    public long extent(long offset, long length) throws IOException {
        requireInside(offset, length);
        store.checkOpen();
        long block = offset / Disks.BLOCK_BYTES;
        long end = offset + length;
        long next = store.content.nextData(Disks.id(disk, block), true);
        long data = next < 0 ? bytes() : Disks.blockOf(next) * Disks.BLOCK_BYTES;
        if (data > offset) {
            return -(Math.min(end, data) - offset);
        }
        long dataEnd = store.content.dataEnd(Disks.id(disk, block), (end + Disks.BLOCK_BYTES - 1) / Disks.BLOCK_BYTES);
        return Math.min(end, dataEnd * Disks.BLOCK_BYTES) - offset;
    }

    private void requireInside(long offset, long length) {
        if (offset < 0 || length < 0 || offset + length > bytes()) {
            throw new IllegalArgumentException("bytes " + offset + " to " + (offset + length) + " are not within the disk's " + bytes());
        }
    }
}
