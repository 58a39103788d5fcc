package org.plover.api.status;

import java.util.List;

/**
 * Result of comparing the disks of both replicas, a slice at each of a row of committed epochs, while the guest runs.
 *
 * @param firstEpoch      the first of these epochs
 * @param lastEpoch       the last one
 * @param blocksCompared  blocks of 4 KiB compared
 * @param blocksDiffering blocks that differ
 * @param firstDiffering  the first differing blocks, each as {@code disk N block M}, at most 32
 */
public record DiskVerifyReport(long firstEpoch, long lastEpoch, long blocksCompared, long blocksDiffering,
                               List<String> firstDiffering) {
}
