package org.plover.hasher.xxh3;

import com.kenai.jffi.MemoryIO;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.plover.api.hasher.DigestSecret;
import org.plover.api.hasher.PageHasher;

/** Digests by libxxhash. Page numbers and digests pass through native memory, a run of pages at a time. */
final class Xxh3PageHasher implements PageHasher {
    private static final MemoryIO MEMORY = MemoryIO.getInstance();

    /** Pages a call: what the call costs is spread over them, and what it carries still fits a first-level cache. */
    static final int RUN_PAGES = 256;
    private static final int DIGESTS_OFFSET = RUN_PAGES * Integer.BYTES;
    private static final int BUFFER_BYTES = DIGESTS_OFFSET + RUN_PAGES * 2 * Long.BYTES;

    private final PageCalls calls;
    private final long secret;
    /** Buffers that no call is using; there are as many as there were ever calls at once. */
    private final ConcurrentLinkedQueue<Long> buffers = new ConcurrentLinkedQueue<>();
    private volatile boolean closed;

    /** @param xxh3Secret {@link DigestSecret#BYTES} bytes */
    Xxh3PageHasher(PageCalls calls, byte[] xxh3Secret) {
        this.calls = calls;
        this.secret = MEMORY.allocateMemory(xxh3Secret.length, false);
        MEMORY.putByteArray(secret, xxh3Secret, 0, xxh3Secret.length);
    }

    @Override
    public void digest(long base, int[] pages, int from, int to, long[] digests) {
        Objects.checkFromToIndex(from, to, pages.length);
        Objects.checkFromToIndex(2L * from, 2L * to, digests.length);
        if (closed) {
            throw new IllegalStateException("this page hasher has been closed");
        }
        Long pooled = buffers.poll();
        long buffer = pooled != null ? pooled : MEMORY.allocateMemory(BUFFER_BYTES, false);
        try {
            for (int at = from; at < to; at += RUN_PAGES) {
                int count = Math.min(RUN_PAGES, to - at);
                MEMORY.putIntArray(buffer, pages, at, count);
                calls.digest(base, buffer, count, buffer + DIGESTS_OFFSET, secret);
                MEMORY.getLongArray(buffer + DIGESTS_OFFSET, digests, 2 * at, 2 * count);
            }
        } finally {
            buffers.add(buffer);
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        for (Long buffer = buffers.poll(); buffer != null; buffer = buffers.poll()) {
            MEMORY.freeMemory(buffer);
        }
        MEMORY.setMemory(secret, DigestSecret.BYTES, (byte) 0);
        MEMORY.freeMemory(secret);
    }
}
