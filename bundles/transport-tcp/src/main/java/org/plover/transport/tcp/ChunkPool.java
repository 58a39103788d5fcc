package org.plover.transport.tcp;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/**
 * Direct buffers of one size for everything that waits to be sent. Chunks are never given back to the JVM: direct memory is
 * freed by the garbage collector only, so a queue that allocated afresh under load would run into the limit although little is
 * in use. What the pool holds is bounded by the queues' limits, because only they take chunks.
 */
final class ChunkPool {
    static final int CHUNK_BYTES = 64 << 10;

    private final ArrayDeque<ByteBuffer> free = new ArrayDeque<>();

    /** An empty chunk. Throws OutOfMemoryError when the JVM's direct memory is used up. */
    ByteBuffer take() {
        synchronized (free) {
            ByteBuffer chunk = free.pollLast();
            if (chunk != null) {
                return chunk.clear();
            }
        }
        return ByteBuffer.allocateDirect(CHUNK_BYTES);
    }

    void giveBack(ByteBuffer chunk) {
        synchronized (free) {
            free.addLast(chunk);
        }
    }
}
