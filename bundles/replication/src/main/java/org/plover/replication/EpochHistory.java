package org.plover.replication;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.plover.api.status.EpochRecord;
import org.plover.api.status.Percentiles;

/** The last epochs committed here, and the last latencies of agreement. Thread-safe. */
final class EpochHistory {
    private static final int EPOCHS_MAX = 4096;
    private static final int LATENCIES_MAX = 8192;

    private final EpochRecord[] epochs = new EpochRecord[EPOCHS_MAX];
    private final long[] addedNanos = new long[EPOCHS_MAX];
    private long epochCount;
    private final long[] latencies = new long[LATENCIES_MAX];
    private long latencyCount;
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

    synchronized List<EpochRecord> since(long epoch) {
        List<EpochRecord> found = new ArrayList<>();
        for (long i = Math.max(0, epochCount - EPOCHS_MAX); i < epochCount; i++) {
            EpochRecord r = epochs[(int) (i % EPOCHS_MAX)];
            if (r.epoch() > epoch) {
                found.add(r);
            }
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
