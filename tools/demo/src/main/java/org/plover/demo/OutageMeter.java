package org.plover.demo;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Says how long a service was away after moments that the caller marks, as its clients saw it. One thread.
 *
 * <p>Two measures are taken per connection, and the larger counts, so that neither can make an outage look shorter:
 * <ul>
 * <li>the time from the mark to the first completed operation that was pending at the mark or sent after it;
 * <li>the longest wait for an operation, as far as it lies after the mark. It catches an operation that was completed just
 * after the mark because its reply was already on the way, or because the service failed only a moment after the mark.
 * </ul>
 * A mark owns the operations sent until the next mark, or until {@link #WINDOW_MILLIS} have passed.
 */
final class OutageMeter {
    static final long WINDOW_MILLIS = 10_000;
    private static final long NEVER = Long.MIN_VALUE;

    private static final class Mark {
        final String name;
        final long atNanos;
        final boolean[] open;
        final long[] firstReplyNanos;
        final long[] longestWaitNanos;
        long endNanos;

        Mark(String name, long atNanos, boolean[] open) {
            this.name = name;
            this.atNanos = atNanos;
            this.open = open;
            this.endNanos = atNanos + WINDOW_MILLIS * 1_000_000;
            this.firstReplyNanos = new long[open.length];
            this.longestWaitNanos = new long[open.length];
            Arrays.fill(firstReplyNanos, NEVER);
        }

        boolean owns(long sentNanos) {
            return sentNanos - endNanos < 0;
        }

        long waited(long sentNanos, long untilNanos) {
            return untilNanos - (sentNanos - atNanos > 0 ? sentNanos : atNanos);
        }
    }

    private final List<Mark> marks = new ArrayList<>();
    private final long[] pendingSinceNanos;
    private final boolean[] open;

    OutageMeter(int connections) {
        pendingSinceNanos = new long[connections];
        Arrays.fill(pendingSinceNanos, NEVER);
        open = new boolean[connections];
        Arrays.fill(open, true);
    }

    void mark(String name, long nowNanos) {
        if (!marks.isEmpty()) {
            Mark last = marks.get(marks.size() - 1);
            last.endNanos = Math.min(last.endNanos - nowNanos, 0) + nowNanos;
        }
        marks.add(new Mark(name, nowNanos, open.clone()));
    }

    void sent(int connection, long nowNanos) {
        pendingSinceNanos[connection] = nowNanos;
    }

    void completed(int connection, long nowNanos) {
        long sentNanos = pendingSinceNanos[connection];
        pendingSinceNanos[connection] = NEVER;
        for (Mark mark : marks) {
            // A mark is taken on the caller's thread: a reply may have been read before it and be reported after it.
            if (nowNanos - mark.atNanos < 0) {
                continue;
            }
            if (mark.firstReplyNanos[connection] == NEVER) {
                mark.firstReplyNanos[connection] = nowNanos - mark.atNanos;
            }
            if (mark.owns(sentNanos)) {
                mark.longestWaitNanos[connection] = Math.max(mark.longestWaitNanos[connection], mark.waited(sentNanos, nowNanos));
            }
        }
    }

    /** The connection will answer no more. Its pending operation, if any, remains unanswered. */
    void broken(int connection) {
        open[connection] = false;
    }

    /** The longest time that an operation on an open connection has now been waiting; 0 when none is pending. */
    long pendingNanosMax(long nowNanos) {
        long max = 0;
        for (int c = 0; c < open.length; c++) {
            if (open[c] && pendingSinceNanos[c] != NEVER) {
                max = Math.max(max, nowNanos - pendingSinceNanos[c]);
            }
        }
        return max;
    }

    /** What is known by now; waits that are still going on count as far as they have come. */
    List<Outage> outages(long nowNanos) {
        List<Outage> outages = new ArrayList<>();
        for (Mark mark : marks) {
            long firstReply = 0;
            long longestWait = 0;
            int unanswered = 0;
            for (int c = 0; c < open.length; c++) {
                if (!mark.open[c]) {
                    continue;
                }
                boolean pending = open[c] && pendingSinceNanos[c] != NEVER;
                longestWait = Math.max(longestWait, mark.longestWaitNanos[c]);
                if (pending && mark.owns(pendingSinceNanos[c])) {
                    longestWait = Math.max(longestWait, mark.waited(pendingSinceNanos[c], nowNanos));
                }
                if (mark.firstReplyNanos[c] != NEVER) {
                    firstReply = Math.max(firstReply, mark.firstReplyNanos[c]);
                } else if (pending || !open[c]) {
                    unanswered++;
                }
            }
            outages.add(new Outage(mark.name, Math.max(firstReply, longestWait) / 1e6, firstReply / 1e6, longestWait / 1e6,
                                   unanswered));
        }
        return outages;
    }
}
