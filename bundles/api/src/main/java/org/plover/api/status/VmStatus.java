package org.plover.api.status;

import java.util.List;

/**
 * A protected VM as one member sees it.
 *
 * @param vm                    its name
 * @param member                the member that answers
 * @param role                  what that member does
 * @param protectedNow          whether the death of any one host would be survived
 * @param message               one sentence for the operator: what is going on, and what to do if something is wrong
 * @param slowed                why clients have to wait longer than the policy wants, from measured figures; empty if they have not
 * @param notes                 further sentences, each on something that is going on and should not be; empty if all is well
 * @param view                  view number
 * @param primary               name of the primary, or empty
 * @param epoch                 last committed epoch (primary) or applied epoch (backup)
 * @param members               all members
 * @param heldFrames            frames at the gate
 * @param heldBytes             bytes at the gate
 * @param oldestHeldMillis      how long the oldest frame at the gate has waited, or 0
 * @param inputBacklogBytes     agreed input that the guest here has not taken up
 * @param quorumMillis          primary: how long ago a majority is known to have been in its view, or -1 if never; else -1
 * @param logEntries            entries in the input log
 * @param samePagesPercent      share of dirty pages that were equal, over the epochs remembered
 * @param pauseMillis           guest's pause per epoch, over the epochs remembered
 * @param intervalMillis        time between epochs
 * @param dirtyPages            dirty pages per epoch
 * @param transferredBytes      bytes sent per epoch
 * @param inputConsensusMicros  time from an input's arrival to its agreement
 * @param epochsCommitted       epochs committed by this member since it became primary
 * @param epochsVerified        epochs whose whole memory was compared
 * @param pagesDiffering        pages found different in those comparisons
 * @param synchronisationPercent progress of bringing in a fresh backup, 0 to 100, or -1 if none is under way
 * @param hasher                hasher in use
 * @param policy                sync policy in use
 * @param transport             transport in use
 */
public record VmStatus(String vm, String member, Role role, boolean protectedNow, String message, String slowed, List<String> notes, long view,
                       String primary, long epoch, List<MemberStatus> members, int heldFrames, long heldBytes, long oldestHeldMillis,
                       long inputBacklogBytes, long quorumMillis, long logEntries,
                       double samePagesPercent, Percentiles pauseMillis, Percentiles intervalMillis, Percentiles dirtyPages,
                       Percentiles transferredBytes, Percentiles inputConsensusMicros, long epochsCommitted,
                       long epochsVerified, long pagesDiffering, int synchronisationPercent, String hasher, String policy,
                       String transport) {
}
