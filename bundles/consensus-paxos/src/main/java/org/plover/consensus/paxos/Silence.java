package org.plover.consensus.paxos;

import java.util.Arrays;

/**
 * How long a peer may be silent before it counts as gone, learned from how it has been heard so far: mean and deviation of
 * the gaps between its messages, as TCP estimates its round trips (Jacobson 1988; for failure detectors Bertier et al. 2002),
 * and the longest gap of the last half minute, because what stalls a host (garbage collection, a busy disk, a neighbour) comes
 * again but is too rare to show in a mean. Between {@code electionTimeoutMillisMin} and {@code electionTimeoutMillisMax}.
 *
 * <p>Pauses of this member itself are no silence of the peer. They are forgiven, but altogether not longer than the upper bound,
 * so that a member that hardly runs still finds out in the end.
 */
final class Silence {
    /** How much longer than the longest gap seen lately the next one may be. */
    private static final int GAP_FACTOR = 2;
    private static final int DEVIATION_FACTOR = 4;
    /** A peer that is hardly known is given this many times the lower bound. */
    private static final int STRANGER_FACTOR = 2;
    private static final long STRANGER_NANOS = 2_000_000_000L;
    private static final long BUCKET_NANOS = 10_000_000_000L;
    private static final int BUCKETS = 3;

    private boolean known;
    private long sinceNanos;
    private long heardNanos;
    private long forgivenNanos;
    private boolean begun;
    private boolean suspected;
    private long meanNanos;
    private long deviationNanos;
    private final long[] longest = new long[BUCKETS];
    private long bucketEndNanos;

    /** From now on it can be heard; what was learned of it stays. */
    void begin(long now) {
        begun = true;
        suspected = false;
        heardNanos = now;
        forgivenNanos = 0;
        if (!known) {
            known = true;
            sinceNanos = now;
            bucketEndNanos = now + BUCKET_NANOS;
        }
    }

    /** It is not expected to be heard, so its silence means nothing. */
    void end() {
        begun = false;
    }

    /** The link to it is gone: when it is heard again says nothing of how it pauses. */
    void lost() {
        begun = false;
        suspected = false;
    }

    /** It was silent for too long, and others go on without it; if it comes back, that was a pause to be learned from. */
    void suspect() {
        suspected |= begun;
        begun = false;
    }

    /** A message of any kind came from the peer. */
    void isOver(long now, Settings settings) {
        if (suspected && now - heardNanos <= settings.electionTimeoutNanosMax()) {
            roll(now);
            longest[0] = Math.max(longest[0], now - heardNanos);
        }
        suspected = false;
    }

    /** A message of the peer. Those that follow each other closely say nothing about silence. */
    void heard(long now, Settings settings) {
        if (!begun) {
            begin(now);
            return;
        }
        long gap = now - heardNanos;
        heardNanos = Math.max(heardNanos, now);
        forgivenNanos = 0;
        if (gap < settings.heartbeatNanos() / 2) {
            return;
        }
        if (meanNanos == 0) {
            meanNanos = gap;
            deviationNanos = gap / 2;
        } else {
            long error = gap - meanNanos;
            meanNanos += error / 8;
            deviationNanos += (Math.abs(error) - deviationNanos) / 4;
        }
        roll(now);
        longest[0] = Math.max(longest[0], gap);
    }

    private void roll(long now) {
        if (now - bucketEndNanos >= BUCKETS * BUCKET_NANOS) {
            Arrays.fill(longest, 0);
            bucketEndNanos = now + BUCKET_NANOS;
        }
        while (now - bucketEndNanos >= 0) {
            System.arraycopy(longest, 0, longest, 1, BUCKETS - 1);
            longest[0] = 0;
            bucketEndNanos += BUCKET_NANOS;
        }
    }

    /** This member itself did not run for so long. */
    void forgive(long pauseNanos, long now, Settings settings) {
        if (!begun) {
            return;
        }
        long more = Math.min(Math.min(pauseNanos, settings.electionTimeoutNanosMax() - forgivenNanos), now - heardNanos);
        if (more > 0) {
            forgivenNanos += more;
            heardNanos += more;
        }
    }

    long nanos(long now) {
        return begun ? now - heardNanos : 0;
    }

    /** How long it may be silent. */
    long timeoutNanos(long now, Settings settings) {
        long learned = meanNanos + DEVIATION_FACTOR * deviationNanos;
        for (long gap : longest) {
            learned = Math.max(learned, GAP_FACTOR * gap);
        }
        long least = settings.electionTimeoutNanosMin();
        if (!known || now - sinceNanos < STRANGER_NANOS) {
            least *= STRANGER_FACTOR;
        }
        return Math.min(Math.max(learned, least), settings.electionTimeoutNanosMax());
    }

    boolean isTooLong(long now, Settings settings) {
        return begun && nanos(now) > timeoutNanos(now, settings);
    }
}
