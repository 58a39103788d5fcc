package org.plover.disk.nbd;

/**
 * Whether one kind of request tends to wait for something (a disk, a throttle) or is only a copy in memory. Decided by a moving
 * average of how long they took of late, so that a disk whose content is cached is served without a change of threads, and one
 * whose content is not keeps no request waiting behind another. Updates may race: a lost sample does no harm.
 */
final class Pace {
    private static final long WAITS_NANOS = 60_000;
    private static final long QUICK_NANOS = 15_000;
    /** The scheduler takes threads away for milliseconds; one such sample must not decide. */
    private static final long SAMPLE_NANOS_MAX = 500_000;
    private static final int WEIGHT = 16;

    private long average;
    private volatile boolean waits;

    /** @param waits what to assume at first */
    Pace(boolean waits) {
        this.waits = waits;
        average = waits ? SAMPLE_NANOS_MAX : 0;
    }

    boolean waits() {
        return waits;
    }

    /** A request took so long, of which copying {@code bytes} is what every request of that size takes. */
    void took(long nanos, long bytes) {
        long sample = Math.max(0, Math.min(nanos - bytes, SAMPLE_NANOS_MAX));
        average += (sample - average) / WEIGHT;
        if (waits ? average < QUICK_NANOS : average > WAITS_NANOS) {
            waits = !waits;
        }
    }
}
