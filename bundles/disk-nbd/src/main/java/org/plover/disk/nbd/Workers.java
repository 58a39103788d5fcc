package org.plover.disk.nbd;

import java.nio.ByteBuffer;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Threads for requests that may wait, and the buffers of all threads of a server. A task needs a buffer, so there are never more
 * tasks than threads; who gets no buffer does the work itself, which is what slows a client that asks for too much.
 */
final class Workers {
    static final int THREADS_MAX = 32;
    private static final long IDLE_SECONDS = 10;

    private final ThreadPoolExecutor threads;
    private final ByteBuffer[] free;
    private final int buffersMax;
    private int freeCount;
    private int made;

    /** @param reserved buffers that are taken by others than tasks */
    Workers(String threadName, int reserved) {
        threads = new ThreadPoolExecutor(0, THREADS_MAX, IDLE_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), task -> {
            Thread thread = new Thread(task, threadName);
            thread.setDaemon(true);
            return thread;
        });
        buffersMax = THREADS_MAX + reserved;
        free = new ByteBuffer[buffersMax];
    }

    /** A direct buffer of {@link Replies#BUFFER_BYTES}, or null if all are taken. */
    synchronized ByteBuffer take() {
        if (freeCount > 0) {
            return free[--freeCount];
        }
        if (made == buffersMax) {
            return null;
        }
        made++;
        return ByteBuffer.allocateDirect(Replies.BUFFER_BYTES);
    }

    synchronized void give(ByteBuffer buffer) {
        free[freeCount++] = buffer.clear();
    }

    /** @return false if no thread is to be had */
    boolean execute(Runnable task) {
        try {
            threads.execute(task);
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }

    void close() {
        threads.shutdown();
    }
}
