package org.plover.transport.tcp;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One selector and the thread that serves it: ready channels first, then tasks from other threads, then the timer tick. In that
 * order a tick that judges silence has seen every byte that was there before it.
 */
final class Loop {
    /** What a key's channel wants done when it is ready; runs on the loop's thread and handles its own exceptions. */
    interface Ready {
        void onReady(SelectionKey key);
    }

    private static final Logger LOG = LoggerFactory.getLogger(Loop.class);

    private final Selector selector;
    private final Thread thread;
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final CountDownLatch quiet = new CountDownLatch(1);
    private final Consumer<SelectionKey> dispatch = key -> ((Ready) key.attachment()).onReady(key);
    private final LongSupplier tickMillis;
    private final LongSupplier busyPollNanos;
    private final LongConsumer onTick;
    private volatile boolean stopping;
    private long lastWorkNanos;
    private long lastTickNanos;

    /**
     * @param tickMillis    longest time between two ticks
     * @param busyPollNanos how long to poll after work before the thread sleeps
     * @param onTick        called about every {@code tickMillis} with the time in nanoseconds
     */
    Loop(String name, LongSupplier tickMillis, LongSupplier busyPollNanos, LongConsumer onTick) throws IOException {
        this.tickMillis = tickMillis;
        this.busyPollNanos = busyPollNanos;
        this.onTick = onTick;
        this.selector = Selector.open();
        this.thread = new Thread(this::run, name);
        this.thread.setDaemon(true);
        // Heartbeats and agreement must get their turn on a busy host; effective where the JVM may set priorities.
        this.thread.setPriority(Thread.MAX_PRIORITY);
    }

    void start() {
        thread.start();
    }

    Selector selector() {
        return selector;
    }

    boolean isCurrentThread() {
        return Thread.currentThread() == thread;
    }

    /** Has the loop's thread run the task soon; tasks keep their order. Dropped when the loop stops first. */
    void execute(Runnable task) {
        tasks.add(task);
        if (!isCurrentThread()) {
            selector.wakeup();
        }
    }

    /** Asks the thread to end; does not wait. */
    void stop() {
        stopping = true;
        selector.wakeup();
    }

    /** Waits until the thread does nothing more. Called on the thread itself it only promises that, so it cannot deadlock. */
    void awaitQuiet() {
        if (isCurrentThread()) {
            quiet.countDown();
            return;
        }
        boolean interrupted = false;
        while (true) {
            try {
                quiet.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Frees the selector of a loop that was never started. */
    void discard() throws IOException {
        selector.close();
    }

    private void run() {
        lastTickNanos = System.nanoTime();
        try {
            while (!stopping) {
                try {
                    turn();
                } catch (IOException | RuntimeException | Error e) {
                    // One turn failed, not the links: go on, but slowly, because the cause may be there in the next turn too.
                    LOG.error("{}: a turn of the loop failed; going on", Thread.currentThread().getName(), e);
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
                }
            }
            selector.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            quiet.countDown();
        }
    }

    private void turn() throws IOException {
        long spin = busyPollNanos.getAsLong();
        int ready;
        if (spin > 0 && System.nanoTime() - lastWorkNanos < spin) {
            ready = selector.selectNow(dispatch);
            if (ready == 0) {
                // Where cores are scarce the peer, the guest or the sender may be waiting for this very one.
                Thread.yield();
            }
        } else {
            ready = selector.select(dispatch, tickMillis.getAsLong());
        }
        for (Runnable task = tasks.poll(); task != null && !stopping; task = tasks.poll()) {
            task.run();
            ready++;
        }
        long now = System.nanoTime();
        if (ready > 0) {
            lastWorkNanos = now;
        }
        if (!stopping && now - lastTickNanos >= TimeUnit.MILLISECONDS.toNanos(tickMillis.getAsLong())) {
            lastTickNanos = now;
            onTick.accept(now);
        }
    }
}
