package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** A disk in memory whose blocks are holes until they are written, and that can be made to fail or to wait. */
final class MemoryExport implements Export {
    private static final int BLOCK_BYTES = 4096;

    final AtomicInteger flushes = new AtomicInteger();
    final AtomicInteger forcedWrites = new AtomicInteger();
    volatile IOException failure;
    volatile boolean readOnly;
    /** Flushes wait for it. */
    volatile CountDownLatch flushGate = new CountDownLatch(0);
    /** Writes wait for it. */
    volatile CountDownLatch writeGate = new CountDownLatch(0);
    /** Longest range that was asked of it. */
    volatile long rangeBytesMax;

    private final String name;
    private final int sectorBytes;
    private final byte[] content;
    private final BitSet allocated = new BitSet();

    MemoryExport(String name, int bytes, int sectorBytes) {
        this.name = name;
        this.sectorBytes = sectorBytes;
        content = new byte[bytes];
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long bytes() {
        return content.length;
    }

    @Override
    public int sectorBytes() {
        return sectorBytes;
    }

    @Override
    public boolean readOnly() {
        return readOnly;
    }

    @Override
    public synchronized void read(long offset, ByteBuffer to) throws IOException {
        check(offset, to.remaining());
        to.put(content, (int) offset, to.remaining());
    }

    @Override
    public void write(long offset, ByteBuffer from, boolean forced) throws IOException {
        await(writeGate);
        synchronized (this) {
            check(offset, from.remaining());
            allocated.set((int) (offset / BLOCK_BYTES), (int) ((offset + from.remaining() + BLOCK_BYTES - 1) / BLOCK_BYTES));
            from.get(content, (int) offset, from.remaining());
        }
        if (forced) {
            forcedWrites.incrementAndGet();
        }
    }

    @Override
    public synchronized void zero(long offset, long length, boolean forced) throws IOException {
        check(offset, length);
        Arrays.fill(content, (int) offset, (int) (offset + length), (byte) 0);
        int first = (int) ((offset + BLOCK_BYTES - 1) / BLOCK_BYTES);
        int end = (int) ((offset + length) / BLOCK_BYTES);
        if (first < end) {
            allocated.clear(first, end);
        }
    }

    @Override
    public void trim(long offset, long length, boolean forced) throws IOException {
        zero(offset, length, forced);
    }

    @Override
    public void flush() throws IOException {
        await(flushGate);
        check(0, 0);
        flushes.incrementAndGet();
    }

    @Override
    public synchronized long extent(long offset, long length) throws IOException {
        check(offset, length);
        int block = (int) (offset / BLOCK_BYTES);
        boolean data = allocated.get(block);
        int end = data ? allocated.nextClearBit(block) : allocated.nextSetBit(block);
        long bytes = end < 0 ? length : Math.min(length, (long) end * BLOCK_BYTES - offset);
        return data ? bytes : -bytes;
    }

    private void check(long offset, long length) throws IOException {
        rangeBytesMax = Math.max(rangeBytesMax, length);
        if (offset < 0 || length < 0 || offset + length > content.length) {
            throw new AssertionError(length + " bytes at " + offset + " are not within the disk");
        }
        if (failure != null) {
            throw failure;
        }
    }

    private static void await(CountDownLatch gate) throws IOException {
        try {
            gate.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }
}
