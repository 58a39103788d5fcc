package org.plover.benchmarks;

import java.io.PrintStream;
import java.util.Arrays;
import java.util.Map;

/** Prints durations as percentiles beside those of something known. */
public final class Latencies {
    private Latencies() {}

    /**
     * @param nanos durations by the name of what took them; sorted here
     * @param known name of the one that the others are compared with
     */
    public static void print(PrintStream out, Map<String, long[]> nanos, String known) {
        nanos.values().forEach(Arrays::sort);
        long[] base = nanos.get(known);
        int width = nanos.keySet().stream().mapToInt(String::length).max().orElse(0) + 2;
        String name = "%-" + width + "s";
        out.printf(name + " %10s %10s %14s %14s%n", "", "p50 \u00b5s", "p99 \u00b5s", "p50 of bare", "p99 of bare");
        nanos.forEach((way, sorted) -> out.printf(name + " %10.1f %10.1f %13.2fx %13.2fx%n", way, percentile(sorted, 50) / 1e3,
                percentile(sorted, 99) / 1e3, percentile(sorted, 50) / percentile(base, 50), percentile(sorted, 99) / percentile(base, 99)));
    }

    private static double percentile(long[] sorted, int percent) {
        return sorted[(int) ((long) sorted.length * percent / 100)];
    }
}
