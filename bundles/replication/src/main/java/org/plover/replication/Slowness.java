package org.plover.replication;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToLongFunction;
import org.plover.api.status.EpochRecord;

/**
 * Says when clients of a protected guest wait longer than the policy wants, and for what, though nothing is broken: an overload
 * that is too small for the backup to be dropped. Judged by figures measured lately, with hysteresis: what is said at the upper
 * mark stays until the figure is below the lower one. Thread-safe.
 */
final class Slowness {
    /** So far back epochs are looked at. */
    static final long WINDOW_NANOS = 5_000_000_000L;
    /** What an epoch's end takes, from the guest's stop until the next may end; no answer leaves faster. */
    private static final Mark END_MILLIS = new Mark(300, 200);
    private static final Mark HELD_MILLIS = new Mark(1000, 500);
    /** A guest that keeps up leaves no more than a few frames. */
    private static final Mark BACKLOG_BYTES = new Mark(256 << 10, 64 << 10);
    private static final Mark WAITING_BYTES = new Mark(1 << 20, 256 << 10);
    private static final Mark CONTROL_BYTES = new Mark(1 << 20, 128 << 10);
    private static final Mark BULK_BYTES = new Mark(16 << 20, 8 << 20);
    private static final int CAUSES = 6;

    private record Mark(long upper, long lower) {
        boolean isOver(long figure, boolean before) {
            return figure >= (before ? lower : upper);
        }
    }

    /**
     * What is measured.
     *
     * @param recent       epochs that ended within {@link #WINDOW_NANOS}
     * @param heldMillis   how long the oldest frame at the gate has waited
     * @param backlogBytes agreed input that the primary's guest has not taken up
     * @param waitingBytes input from the network that has not been proposed
     * @param controlBytes messages for the backup that the network has not taken
     * @param bulkBytes    state for the backup that the network has not taken
     */
    record Figures(List<EpochRecord> recent, long heldMillis, long backlogBytes, long waitingBytes, long controlBytes, long bulkBytes) {
    }

    private final boolean[] said = new boolean[CAUSES];

    /** The causes, worst first, or an empty text. */
    synchronized String judge(Figures f) {
        long commit = mean(f.recent, EpochRecord::commitMicros);
        long apply = mean(f.recent, EpochRecord::applyMicros);
        List<String> causes = new ArrayList<>();
        if (isOver(0, END_MILLIS, commit + apply)) {
            long epoch = Math.max(mean(f.recent.stream().filter(r -> r.intervalMicros() > 0).toList(), EpochRecord::intervalMicros),
                    commit + apply);
            String bytes = mib(mean(f.recent, r -> r.transferredBytes() * 1000));
            causes.add("epochs take " + epoch + " ms (" + (apply >= commit ? "backup applies slowly: " + apply + " ms of it"
                    : "backup has an epoch's state late: after " + commit + " ms, of " + bytes + " to be sent") + ")");
        }
        if (isOver(1, HELD_MILLIS, f.heldMillis)) {
            causes.add("output has waited " + f.heldMillis + " ms for its epoch");
        }
        if (isOver(2, BACKLOG_BYTES, f.backlogBytes)) {
            causes.add("the guest has yet to take up " + mib(f.backlogBytes) + " of input");
        }
        if (isOver(3, WAITING_BYTES, f.waitingBytes)) {
            causes.add(mib(f.waitingBytes) + " of input wait to be agreed on");
        }
        if (isOver(4, CONTROL_BYTES, f.controlBytes)) {
            causes.add("the network to the backup is slow: " + mib(f.controlBytes) + " of messages wait for it");
        }
        if (isOver(5, BULK_BYTES, f.bulkBytes)) {
            causes.add("the network to the backup is slow: " + mib(f.bulkBytes) + " of state wait for it");
        }
        return String.join("; ", causes);
    }

    private boolean isOver(int cause, Mark mark, long figure) {
        said[cause] = mark.isOver(figure, said[cause]);
        return said[cause];
    }

    /** In thousandths of the value's unit. */
    private static long mean(List<EpochRecord> epochs, ToLongFunction<EpochRecord> value) {
        return Math.round(epochs.stream().mapToLong(value).average().orElse(0) / 1000);
    }

    private static String mib(long bytes) {
        return String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
    }
}
