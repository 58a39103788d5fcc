package org.plover.itests;

import java.time.Duration;
import java.util.concurrent.Callable;

/** Waits for what another process or thread is about to do. */
final class Await {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final long LOOK_MILLIS = 50;

    private Await() {
    }

    /** Returns as soon as the condition holds; fails after a minute, saying what was awaited. */
    static void until(String what, Callable<Boolean> condition) throws Exception {
        until(what, LIMIT, condition);
    }

    /** The same for what may take longer on a slow host. */
    static void until(String what, Duration limit, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + limit.toNanos();
        while (!condition.call()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("waited " + limit.toSeconds() + " s in vain until " + what);
            }
            Thread.sleep(LOOK_MILLIS);
        }
    }
}
