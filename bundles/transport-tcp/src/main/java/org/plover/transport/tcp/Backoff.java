package org.plover.transport.tcp;

import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/** Waits between attempts: doubling, bounded, and spread by a quarter so that members do not call in step. */
final class Backoff {
    private final RandomGenerator random;
    private long nextMillis;

    Backoff(RandomGenerator random) {
        this.random = random;
    }

    /** The last attempt was good for something: begin with the shortest wait again. */
    void reset() {
        nextMillis = 0;
    }

    long nextNanos(Settings settings) {
        long millis = Math.min(Math.max(nextMillis, settings.reconnectMillisMin()), settings.reconnectMillisMax());
        nextMillis = millis * 2;
        return spread(millis);
    }

    /** The slow pace, for a peer that has said no. */
    long slowNanos(Settings settings) {
        return spread(settings.reconnectMillisMax());
    }

    private long spread(long millis) {
        return (long) (TimeUnit.MILLISECONDS.toNanos(millis) * random.nextDouble(0.75, 1.25));
    }
}
