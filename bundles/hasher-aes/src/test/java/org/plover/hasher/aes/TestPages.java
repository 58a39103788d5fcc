package org.plover.hasher.aes;

import java.util.Random;
import org.plover.api.memory.GuestMemory;
import sun.misc.Unsafe;

/** Pages of native memory for a test. */
final class TestPages implements AutoCloseable {
    private static final Unsafe MEMORY = AesPageHasher.UNSAFE;
    private static final long PATTERN_PRIME = 0x9E3779B185EBCA8DL;

    private final long allocation;
    final long base;
    final int count;

    TestPages(int count) {
        this.count = count;
        allocation = MEMORY.allocateMemory((count + 1L) * GuestMemory.PAGE_BYTES);
        MEMORY.setMemory(allocation, (count + 1L) * GuestMemory.PAGE_BYTES, (byte) 0);
        base = (allocation + GuestMemory.PAGE_BYTES - 1) & -GuestMemory.PAGE_BYTES;
    }

    /** Fills a page with what xxHash's own {@code tests/sanity_test.c} hashes. */
    void putPattern(int page) {
        long generator = 2654435761L;
        byte[] content = new byte[GuestMemory.PAGE_BYTES];
        for (int i = 0; i < content.length; i++, generator *= PATTERN_PRIME) {
            content[i] = (byte) (generator >>> 56);
        }
        MEMORY.copyMemory(content, Unsafe.ARRAY_BYTE_BASE_OFFSET, null, address(page), content.length);
    }

    void putRandom(int page, Random random) {
        byte[] content = new byte[GuestMemory.PAGE_BYTES];
        random.nextBytes(content);
        MEMORY.copyMemory(content, Unsafe.ARRAY_BYTE_BASE_OFFSET, null, address(page), content.length);
    }

    void copy(int from, int to) {
        MEMORY.copyMemory(address(from), address(to), GuestMemory.PAGE_BYTES);
    }

    void flipBit(int page, int bit) {
        long at = address(page) + (bit >>> 3);
        MEMORY.putByte(at, (byte) (MEMORY.getByte(at) ^ 1 << (bit & 7)));
    }

    void copyBlock(int page, int bytes, int from, int to) {
        MEMORY.copyMemory(address(page) + (long) from * bytes, address(page) + (long) to * bytes, bytes);
    }

    void swapBlocks(int page, int bytes, int one, int two) {
        byte[] kept = new byte[bytes];
        MEMORY.copyMemory(null, address(page) + (long) one * bytes, kept, Unsafe.ARRAY_BYTE_BASE_OFFSET, bytes);
        copyBlock(page, bytes, two, one);
        MEMORY.copyMemory(kept, Unsafe.ARRAY_BYTE_BASE_OFFSET, null, address(page) + (long) two * bytes, bytes);
    }

    private long address(int page) {
        return base + (long) page * GuestMemory.PAGE_BYTES;
    }

    @Override
    public void close() {
        MEMORY.freeMemory(allocation);
    }
}
