package org.plover.disk.nbd;

import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Keeps a write that goes into an image at once apart from those that go into a layer: the former hold a chunk's lock exclusively while
 * they look whether anything lies over their blocks and write, the latter share it. Taken after {@link Journal#writing} and before
 * {@link Content#lock}, one at a time but by {@link #exclusively}.
 */
final class ChunkLocks {
    private static final int COUNT = 64;

    private final ReentrantReadWriteLock[] locks = new ReentrantReadWriteLock[COUNT];

    ChunkLocks() {
        for (int i = 0; i < COUNT; i++) {
            locks[i] = new ReentrantReadWriteLock();
        }
    }

    /** The lock of the chunk in which this block is; other chunks may have the same one. */
    ReentrantReadWriteLock of(long id) {
        long hash = Layer.chunkOf(id) * 0x9E3779B97F4A7C15L;
        return locks[(int) (hash >>> 32) & COUNT - 1];
    }

    /** Waits for all writes that have begun, and runs this before another one begins. */
    void exclusively(Runnable change) {
        int held = 0;
        try {
            for (; held < COUNT; held++) {
                locks[held].writeLock().lock();
            }
            change.run();
        } finally {
            while (held > 0) {
                locks[--held].writeLock().unlock();
            }
        }
    }
}
