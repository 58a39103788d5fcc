package org.plover.security;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Counts attempts in a row that did not succeed, for each name or address, and says how long the next has to wait. Thread-safe. */
final class Lockout {
    /** Names are the attacker's choice: there is no end to them. */
    private static final int REMEMBERED_MAX = 10_000;
    private static final long FIRST_WAIT_MILLIS = 1000;
    private static final int DOUBLINGS_MAX = 20;

    private static final class Attempts {
        int count;
        long lastNanos;
        long waitNanos;
    }

    private final Map<String, Attempts> known = new LinkedHashMap<>();

    /** How long this one still has to wait, in milliseconds; 0 if it may try. */
    synchronized long waitMillis(String key, long nowNanos) {
        Attempts attempts = known.get(key);
        if (attempts == null) {
            return 0;
        }
        long left = attempts.waitNanos - (nowNanos - attempts.lastNanos);
        return left <= 0 ? 0 : TimeUnit.NANOSECONDS.toMillis(left + 999_999);
    }

    /** One that failed, or came while it had to wait: both lengthen the wait. */
    synchronized void failed(String key, int free, int max, int lockSeconds, long nowNanos) {
        Attempts attempts = known.computeIfAbsent(key, unused -> new Attempts());
        // Long after its last wait it begins anew.
        if (attempts.count > 0 && nowNanos - attempts.lastNanos > TimeUnit.SECONDS.toNanos(lockSeconds)) {
            attempts.count = 0;
        }
        attempts.count++;
        attempts.lastNanos = nowNanos;
        long lockNanos = TimeUnit.SECONDS.toNanos(lockSeconds);
        if (attempts.count >= max) {
            attempts.waitNanos = lockNanos;
        } else if (attempts.count >= free) {
            long millis = FIRST_WAIT_MILLIS << Math.min(attempts.count - free, DOUBLINGS_MAX);
            attempts.waitNanos = Math.min(lockNanos, TimeUnit.MILLISECONDS.toNanos(millis));
        } else {
            attempts.waitNanos = 0;
        }
        forgetOldest(nowNanos, lockNanos);
    }

    synchronized void succeeded(String key) {
        known.remove(key);
    }

    synchronized void clear() {
        known.clear();
    }

    private void forgetOldest(long nowNanos, long lockNanos) {
        if (known.size() <= REMEMBERED_MAX) {
            return;
        }
        known.values().removeIf(attempts -> nowNanos - attempts.lastNanos > lockNanos);
        Iterator<Attempts> oldest = known.values().iterator();
        while (known.size() > REMEMBERED_MAX) {
            oldest.next();
            oldest.remove();
        }
    }
}
