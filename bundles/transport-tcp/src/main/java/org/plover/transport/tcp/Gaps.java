package org.plover.transport.tcp;

import java.util.Arrays;

/**
 * The longest gaps in what a peer has sent lately. What stalls a host or a network for a moment comes again, so a link is given
 * twice the longest gap of the last half minute before it counts as silent, within bounds. Pure; control loop only.
 */
final class Gaps {
    private static final int FACTOR = 2;
    private static final long BUCKET_NANOS = 10_000_000_000L;
    private static final int BUCKETS = 3;

    private final long[] longest = new long[BUCKETS];
    private long bucketEndNanos;

    void add(long gapNanos, long now) {
        if (now - bucketEndNanos >= BUCKETS * BUCKET_NANOS) {
            Arrays.fill(longest, 0);
            bucketEndNanos = now + BUCKET_NANOS;
        }
        while (now - bucketEndNanos >= 0) {
            System.arraycopy(longest, 0, longest, 1, BUCKETS - 1);
            longest[0] = 0;
            bucketEndNanos += BUCKET_NANOS;
        }
        longest[0] = Math.max(longest[0], gapNanos);
    }

    /** How long the peer may be silent. */
    long silenceNanosMax(Settings settings) {
        long borne = settings.silenceNanos();
        for (long gap : longest) {
            borne = Math.max(borne, FACTOR * gap);
        }
        return Math.min(borne, settings.silenceNanosMax());
    }
}
