package org.plover.benchmarks.digest;

import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.plover.api.memory.GuestMemory;
import org.plover.benchmarks.Suite;

/** How long a page's digest takes, on one core and on all, and how near that comes to merely reading the page. */
public final class DigestSuite implements Suite {
    private static final String[] METHODS = {"sum", "memcpy", "xxh3", "java", "aes", "hmac", "blake3"};
    /** Other work on the machine spoils some calls and so every mean; a call is short enough to escape it mostly. */
    private static final double MEDIAN = 50;

    @Override
    public String name() {
        return "digest";
    }

    @Override
    public String question() {
        return "what does the digest of a page cost, beside reading it?";
    }

    @Override
    public void run(PrintStream out) throws RunnerException {
        Map<Integer, Map<String, Double>> nanosByThreads = new LinkedHashMap<>();
        for (int threads : new TreeSet<>(List.of(1, Runtime.getRuntime().availableProcessors()))) {
            nanosByThreads.put(threads, nanosPerPage(threads));
        }
        nanosByThreads.forEach((threads, nanos) -> print(out, threads, nanos));
    }

    private static Map<String, Double> nanosPerPage(int threads) throws RunnerException {
        Options options = new OptionsBuilder()
                .include(DigestBenchmark.class.getName())
                .threads(threads)
                .forks(1)
                .warmupIterations(3).warmupTime(TimeValue.seconds(1))
                .measurementIterations(5).measurementTime(TimeValue.seconds(1))
                .shouldFailOnError(true)
                .build();
        Map<String, Double> nanos = new LinkedHashMap<>();
        for (RunResult result : new Runner(options).run()) {
            nanos.put(result.getPrimaryResult().getLabel(), result.getPrimaryResult().getStatistics().getPercentile(MEDIAN));
        }
        return nanos;
    }

    private static void print(PrintStream out, int threads, Map<String, Double> nanos) {
        out.printf("%n%d thread%s, %d MiB of pages in random order, medians%n", threads, threads == 1 ? "" : "s",
                DigestBenchmark.MEMORY_BYTES >> 20);
        out.printf("%-8s %9s %8s %12s %15s%n", "", "ns/page", "GB/s", "of sum", "of memcpy");
        for (String method : METHODS) {
            double each = nanos.get(method);
            out.printf("%-8s %9.0f %8.2f %11.0f%% %14.0f%%%n", method, each, threads * GuestMemory.PAGE_BYTES / each,
                    100 * nanos.get("sum") / each, 100 * nanos.get("memcpy") / each);
        }
    }
}
