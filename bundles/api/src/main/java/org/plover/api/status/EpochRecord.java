package org.plover.api.status;

/**
 * What one epoch was like, as the primary saw it.
 *
 * @param epoch            number of the epoch
 * @param view             view in which it was committed
 * @param intervalMicros   time from the previous epoch's end to this one's
 * @param pauseMicros      time in which the primary's guest stood still
 * @param commitMicros     time from the stop of the guest to the backup's acknowledgement
 * @param dirtyPages       pages that either guest had written
 * @param samePages        of those, the pages that were equal on both sides
 * @param diskBlocks       blocks that the primary's guest had written to its disks
 * @param sameBlocks       of those, the blocks that the backup's guest had written alike
 * @param transferredBytes bytes of state sent to the backup
 * @param releasedFrames   frames that went out at the commit
 * @param reason           why the policy ended it
 * @param verified         whether all of the memory was compared, and how: -1 not compared, else number of differing pages
 */
public record EpochRecord(long epoch, long view, long intervalMicros, long pauseMicros, long commitMicros, int dirtyPages,
                          int samePages, int diskBlocks, int sameBlocks, long transferredBytes, int releasedFrames, String reason, int verified) {
}
