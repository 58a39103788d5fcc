package org.plover.demo.chaos;

/** When clients were answered: the longest time in which none was, and the longest wait of one. Thread-safe. */
final class AckClock {
    private long lastNanos;
    /** First answer since the guest began anew. */
    private long firstNanos;
    private long longestGapNanos;
    private long longestWaitNanos;

    synchronized void acknowledged(long calledNanos, long answeredNanos) {
        if (lastNanos != 0) {
            longestGapNanos = Math.max(longestGapNanos, answeredNanos - lastNanos);
        }
        lastNanos = answeredNanos;
        firstNanos = firstNanos == 0 ? answeredNanos : firstNanos;
        longestWaitNanos = Math.max(longestWaitNanos, answeredNanos - calledNanos);
    }

    /** A new span of time begins; the silence that already lasts belongs to it. */
    synchronized void begin() {
        longestGapNanos = 0;
        longestWaitNanos = 0;
    }

    /** The guest begins anew: the time until it answers is nobody's outage. */
    synchronized void forget() {
        lastNanos = 0;
        firstNanos = 0;
        begin();
    }

    /** Longest time without an answer to anybody since {@link #begin}, a silence that lasts included. */
    synchronized long outageMillis(long nowNanos) {
        return Math.max(longestGapNanos, lastNanos == 0 ? 0 : nowNanos - lastNanos) / 1_000_000;
    }

    synchronized long firstNanos() {
        return firstNanos;
    }

    synchronized long longestWaitMillis() {
        return longestWaitNanos / 1_000_000;
    }

    synchronized long lastNanos() {
        return lastNanos;
    }
}
