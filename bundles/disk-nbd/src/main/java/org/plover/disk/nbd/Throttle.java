package org.plover.disk.nbd;

import java.util.concurrent.TimeUnit;

/** Slows a guest that writes more than may be held until the next epoch ends. Thread-safe. */
final class Throttle {
    private static final long WAIT_MILLIS_MAX = 20;

    private boolean on = true;

    /** Waits the longer the more there is above the limit, but never long; not at all while it is switched off. */
    void await(long bytes, long limit) {
        if (bytes <= limit) {
            return;
        }
        long millis = Math.min(WAIT_MILLIS_MAX, 1 + WAIT_MILLIS_MAX * (bytes - limit) / limit);
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        synchronized (this) {
            for (long left = end - System.nanoTime(); on && left > 0; left = end - System.nanoTime()) {
                try {
                    TimeUnit.NANOSECONDS.timedWait(this, left);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                }
            }
        }
    }

    synchronized void set(boolean on) {
        this.on = on;
        notifyAll();
    }
}
