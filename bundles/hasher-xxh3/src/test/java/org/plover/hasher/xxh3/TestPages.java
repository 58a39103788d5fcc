package org.plover.hasher.xxh3;

import com.kenai.jffi.MemoryIO;
import java.util.Random;
import org.plover.api.memory.GuestMemory;

/** Pages of native memory for a test. */
final class TestPages implements AutoCloseable {
    private static final MemoryIO MEMORY = MemoryIO.getInstance();
    private static final long PATTERN_PRIME = 0x9E3779B185EBCA8DL;

    private final long allocation;
    final long base;
    final int count;

    TestPages(int count) {
        this.count = count;
        allocation = MEMORY.allocateMemory((count + 1L) * GuestMemory.PAGE_BYTES, true);
        base = (allocation + GuestMemory.PAGE_BYTES - 1) & -GuestMemory.PAGE_BYTES;
    }

    /** Fills a page with what xxHash's own {@code tests/sanity_test.c} hashes. */
    void putPattern(int page) {
        long generator = 2654435761L;
        byte[] content = new byte[GuestMemory.PAGE_BYTES];
        for (int i = 0; i < content.length; i++, generator *= PATTERN_PRIME) {
            content[i] = (byte) (generator >>> 56);
        }
        MEMORY.putByteArray(address(page), content, 0, content.length);
    }

    void putRandom(int page, Random random) {
        byte[] content = new byte[GuestMemory.PAGE_BYTES];
        random.nextBytes(content);
        MEMORY.putByteArray(address(page), content, 0, content.length);
    }

    void copy(int from, int to) {
        MEMORY.copyMemory(address(from), address(to), GuestMemory.PAGE_BYTES);
    }

    void flipBit(int page, int bit) {
        long at = address(page) + (bit >>> 3);
        MEMORY.putByte(at, (byte) (MEMORY.getByte(at) ^ 1 << (bit & 7)));
    }

    private long address(int page) {
        return base + (long) page * GuestMemory.PAGE_BYTES;
    }

    @Override
    public void close() {
        MEMORY.freeMemory(allocation);
    }
}
