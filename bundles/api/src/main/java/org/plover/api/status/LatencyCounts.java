package org.plover.api.status;

import java.util.List;

/**
 * How many of something took how long since this member's start: a histogram that only grows, so that whoever looks at it now and
 * then misses none.
 *
 * @param boundsMicros upper bounds of the buckets, ascending, in microseconds
 * @param counts       how many lay in each bucket and in no lower one; one more than there are bounds, for what is above all of them
 * @param sumNanos     sum of all of them, in nanoseconds
 */
public record LatencyCounts(List<Long> boundsMicros, List<Long> counts, long sumNanos) {
    /** None so far. */
    public static final LatencyCounts NONE = new LatencyCounts(List.of(), List.of(0L), 0);
}
