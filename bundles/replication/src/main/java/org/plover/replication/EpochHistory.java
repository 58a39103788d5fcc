package org.plover.replication;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.plover.api.status.EpochRecord;
import org.plover.api.status.LatencyCounts;
import org.plover.api.status.Percentiles;

/** The last epochs committed here, and the last latencies of agreement. Thread-safe. */
final class EpochHistory {
    private static final int EPOCHS_MAX = 4096;
    private static final int LATENCIES_MAX = 8192;

    private static final long[] LATENCY_BOUNDS_MICROS = {20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000,
            200_000, 500_000, 1_000_000, 2_000_000, 5_000_000};

    private final EpochRecord[] epochs = new EpochRecord[EPOCHS_MAX];
    private final long[] addedNanos = new long[EPOCHS_MAX];
    private long epochCount;
    private final long[] latencies = new long[LATENCIES_MAX];
    private long latencyCount;
    private final long[] latencyBuckets = new long[LATENCY_BOUNDS_MICROS.length + 1];
    private long latencySumNanos;
    private long verified;
    private long differing;

    synchronized void add(EpochRecord epoch, long nowNanos) {
        addedNanos[(int) (epochCount % EPOCHS_MAX)] = nowNanos;
        epochs[(int) (epochCount++ % EPOCHS_MAX)] = epoch;
        if (epoch.verified() >= 0) {
            verified++;
            differing += epoch.verified();
        }
    }

    synchronized void addLatency(long nanos) {
        latencies[(int) (latencyCount++ % LATENCIES_MAX)] = nanos;
        latencySumNanos += nanos;
        int bucket = 0;
        while (bucket < LATENCY_BOUNDS_MICROS.length && nanos > LATENCY_BOUNDS_MICROS[bucket] * 1000) {
            bucket++;
        }
        latencyBuckets[bucket]++;
    }

    synchronized LatencyCounts latencies() {
        return new LatencyCounts(Arrays.stream(LATENCY_BOUNDS_MICROS).boxed().toList(), Arrays.stream(latencyBuckets).boxed().toList(),
                latencySumNanos);
    }

    synchronized long committed() {
        return epochCount;
    }

    synchronized long verified() {
        return verified;
    }

    synchronized long differing() {
        return differing;
    }

    /** From the newest back, for epochs only grow: whoever asks often costs the loop's thread little. */
    synchronized List<EpochRecord> since(long epoch) {
        long first = epochCount;
        while (first > Math.max(0, epochCount - EPOCHS_MAX) && epochs[(int) ((first - 1) % EPOCHS_MAX)].epoch() > epoch) {
            first--;
        }
        List<EpochRecord> found = new ArrayList<>((int) (epochCount - first));
        for (long i = first; i < epochCount; i++) {
            found.add(epochs[(int) (i % EPOCHS_MAX)]);
        }
        return found;
    }

    /** The epochs that ended after that moment of {@link System#nanoTime}. */
    synchronized List<EpochRecord> endedAfter(long nanos) {
        List<EpochRecord> found = new ArrayList<>();
        for (long i = epochCount - 1; i >= Math.max(0, epochCount - EPOCHS_MAX); i--) {
            int slot = (int) (i % EPOCHS_MAX);
            if (addedNanos[slot] - nanos <= 0) {
                break;
            }
            found.add(epochs[slot]);
        }
        return found;
    }

    Percentiles latencyMicros() {
        double[] values;
        synchronized (this) {
            values = new double[(int) Math.min(latencyCount, LATENCIES_MAX)];
            for (int i = 0; i < values.length; i++) {
                values[i] = latencies[i] / 1000.0;
            }
        }
        return percentiles(values);
    }

    static Percentiles of(List<EpochRecord> records, ToDoubleFunction<EpochRecord> value) {
        return percentiles(records.stream().mapToDouble(value).toArray());
    }

    private static Percentiles percentiles(double[] values) {
        if (values.length == 0) {
            return Percentiles.NONE;
        }
        Arrays.sort(values);
        return new Percentiles(values.length, at(values, 50), at(values, 99), values[values.length - 1]);
    }

    private static double at(double[] sorted, int percent) {
        return sorted[Math.min(sorted.length - 1, sorted.length * percent / 100)];
    }
}
