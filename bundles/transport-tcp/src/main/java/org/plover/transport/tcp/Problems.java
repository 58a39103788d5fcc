package org.plover.transport.tcp;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;

/**
 * Says each problem once, not at every retry: a text is logged when it differs from the last one about the same thing, or after a
 * while again with the count of what was left out. Thread-safe.
 */
final class Problems {
    private static final int KEYS_MAX = 64;
    private static final long REPEAT_NANOS = TimeUnit.MINUTES.toNanos(10);

    private record Said(String text, long nanos, int leftOut) {
    }

    private final Logger log;
    private final String prefix;
    /** Bounded, because keys come from the network: an address that scans ports must not fill the memory. */
    private final Map<String, Said> said = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Said> eldest) {
            return size() > KEYS_MAX;
        }
    };

    Problems(Logger log, String prefix) {
        this.log = log;
        this.prefix = prefix;
    }

    void say(String about, String text) {
        int leftOut = 0;
        synchronized (said) {
            Said last = said.get(about);
            if (last != null && last.text().equals(text)) {
                if (System.nanoTime() - last.nanos() < REPEAT_NANOS) {
                    said.put(about, new Said(text, last.nanos(), last.leftOut() + 1));
                    log.debug("{}{}", prefix, text);
                    return;
                }
                leftOut = last.leftOut();
            }
            said.put(about, new Said(text, System.nanoTime(), 0));
        }
        if (leftOut > 0) {
            log.warn("{}{} ({} more times since this was last logged)", prefix, text, leftOut);
        } else {
            log.warn("{}{}", prefix, text);
        }
    }

    /** It is over: the next problem of this kind is news again. */
    void over(String about) {
        synchronized (said) {
            said.remove(about);
        }
    }

    /** The last thing said about it, or null. */
    String last(String about) {
        synchronized (said) {
            Said last = said.get(about);
            return last == null ? null : last.text();
        }
    }
}
