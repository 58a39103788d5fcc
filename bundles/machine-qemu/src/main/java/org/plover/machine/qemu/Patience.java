package org.plover.machine.qemu;

import java.util.concurrent.TimeUnit;

/**
 * How long QEMU is given for one kind of operation: several times the longest that it took of late, so that a busy host is not
 * taken for a hanging QEMU. Not thread-safe.
 */
final class Patience {
    private static final int TIMES_LONGEST = 8;
    /** The longest of at least this many operations counts, and of at most twice as many. */
    private static final int WINDOW = 64;

    private long longestNanos;
    private long longestBeforeNanos;
    private int operations;

    /** An operation was done after this time. */
    void took(long nanos) {
        longestNanos = Math.max(longestNanos, nanos);
        if (++operations == WINDOW) {
            operations = 0;
            longestBeforeNanos = longestNanos;
            longestNanos = 0;
        }
    }

    /** Within {@code min} and {@code max}. */
    long limitMillis(long min, long max) {
        long longest = TimeUnit.NANOSECONDS.toMillis(Math.max(longestNanos, longestBeforeNanos));
        return Math.min(max, Math.max(min, TIMES_LONGEST * longest));
    }
}
