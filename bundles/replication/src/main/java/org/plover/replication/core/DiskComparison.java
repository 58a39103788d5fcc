package org.plover.replication.core;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.plover.api.disk.Disks;
import org.plover.api.status.DiskVerifyReport;

/**
 * A comparison of both replicas' disks that an operator has asked for: each epoch carries digests of one slice, as of its end, and
 * the backup compares them with what it has put in place. So whole disks are compared without a long pause, and each block at a
 * moment at which both must be equal.
 */
final class DiskComparison {
    /** While a comparison is under way epochs end at least this often, so that an idle guest's does not take hours. */
    private static final long INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final int NAMED_MAX = 32;

    private CompletableFuture<DiskVerifyReport> request;
    private long next;
    private long firstEpoch;
    private long compared;
    private long differing;
    private final List<String> first = new ArrayList<>();
    private boolean sliceCompared;

    void begin(CompletableFuture<DiskVerifyReport> asked) {
        forgetCancelled();
        if (request != null) {
            asked.completeExceptionally(new IllegalStateException("a comparison of the disks is already under way; ask again when it is done"));
            return;
        }
        request = asked;
        next = 0;
        firstEpoch = 0;
        compared = 0;
        differing = 0;
        first.clear();
    }

    boolean wantsEnd(long ageNanos) {
        return request != null && ageNanos > INTERVAL_NANOS;
    }

    /** The block from which the epoch that is being sent shall compare, or -1. */
    long slice() {
        sliceCompared = false;
        forgetCancelled();
        return request == null ? -1 : next;
    }

    /** What the backup has found in the slice of the epoch that is under way. */
    void onCompared(long epoch, int blocks, int different, List<Long> firstOnes) {
        if (request == null) {
            return;
        }
        if (blocks == 0) {
            fail("the backup does not have this epoch's hasher");
            return;
        }
        sliceCompared = true;
        firstEpoch = firstEpoch == 0 ? epoch : firstEpoch;
        compared += blocks;
        differing += different;
        for (long id : firstOnes) {
            if (first.size() < NAMED_MAX) {
                first.add("disk " + Disks.diskOf(id) + " block " + Disks.blockOf(id));
            }
        }
    }

    /** The epoch is complete; the next one goes on from {@code following}, or there is nothing left if that is -1. */
    void onEpochCompleted(long epoch, long following) {
        if (request == null || !sliceCompared) {
            return;
        }
        next = following;
        if (following < 0) {
            request.complete(new DiskVerifyReport(firstEpoch, epoch, compared, differing, List.copyOf(first)));
            request = null;
        }
    }

    /** Whoever asked may have gone. */
    private void forgetCancelled() {
        if (request != null && request.isDone()) {
            request = null;
        }
    }

    void fail(String why) {
        if (request != null) {
            request.completeExceptionally(new IllegalStateException("the disks were not compared to the end: " + why));
            request = null;
        }
    }
}
