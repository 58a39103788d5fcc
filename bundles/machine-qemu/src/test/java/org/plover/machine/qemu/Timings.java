package org.plover.machine.qemu;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** How long operations took; printed, never asserted. */
final class Timings {
    /** An operation that may fail. */
    interface Operation<T> {
        T run() throws Exception;
    }

    private final Map<String, long[]> samples = new LinkedHashMap<>();

    <T> T measure(String name, Operation<T> operation) throws Exception {
        long start = System.nanoTime();
        T result = operation.run();
        long nanos = System.nanoTime() - start;
        samples.merge(name, new long[] {nanos}, (old, one) -> {
            long[] all = Arrays.copyOf(old, old.length + 1);
            all[old.length] = one[0];
            return all;
        });
        return result;
    }

    @Override
    public String toString() {
        StringBuilder s = new StringBuilder();
        samples.forEach((name, all) -> {
            Arrays.sort(all);
            s.append(String.format("%n  %-14s n=%d p50=%.3f p95=%.3f max=%.3f ms", name, all.length, all[all.length / 2] / 1e6,
                    all[all.length * 95 / 100] / 1e6, all[all.length - 1] / 1e6));
        });
        return s.toString();
    }
}
