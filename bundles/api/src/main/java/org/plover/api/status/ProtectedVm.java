package org.plover.api.status;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Service: a protected VM on this member, with the property {@code vm.name}. Thread-safe; nothing here blocks. */
public interface ProtectedVm {
    /** Service property: name of the VM. */
    String NAME = "vm.name";

    String name();

    /** A recent snapshot, at most some hundred milliseconds old. */
    VmStatus status();

    /** Records of the epochs after {@code epoch} that this member committed as primary and still remembers, oldest first. */
    List<EpochRecord> epochsSince(long epoch);

    /** How long inputs took from their arrival at this member, as the primary, to their agreement. */
    LatencyCounts inputConsensus();

    /** Events with a larger sequence number that this member still remembers (about 1000), oldest first; 0 for all of them. */
    List<VmEvent> eventsSince(long sequence);

    /**
     * Compares all guest memory at the end of an epoch. Completes exceptionally with an IllegalStateException whose message
     * says why, if this member is not the primary or has no backup in sync.
     */
    CompletableFuture<VerifyReport> verify();

    /**
     * Compares the disks of both replicas in the background, a slice at the end of each epoch. As {@link #verify}; also refused if the
     * guest has no disks, and ended without a result if protection is lost meanwhile.
     */
    CompletableFuture<DiskVerifyReport> verifyDisks();

    /**
     * Copies the disks, as of the last epoch that is durable on this member, to files on this member's host while the guest runs.
     * Completes exceptionally with an IllegalStateException that says why not; no incomplete file is left then.
     *
     * @param files absolute paths, one for each disk, that do not exist yet
     */
    CompletableFuture<String> backup(List<String> files);

    /**
     * Makes a disk longer on both replicas, and lets the guest know. To be called on the primary, with a backup in sync. A length that it
     * has already is told to the guest once more. Completes with a sentence; exceptionally with an IllegalStateException that says why not.
     * The guest has not been told of anything then, and the order may be repeated.
     */
    default CompletableFuture<String> growDisk(int disk, long bytes) {
        return CompletableFuture.failedFuture(new IllegalStateException("this member cannot change the length of disks"));
    }

    /**
     * Hands the guest over to the backup on purpose. Completes with a sentence for the operator once the backup leads;
     * exceptionally with an IllegalStateException whose message says why it cannot be done now (nothing has changed then).
     */
    CompletableFuture<String> switchover();

    /**
     * Lets this member alone go on, although the majority is lost; see {@code Consensus.forceLead}. For an operator who
     * knows that the other members are dead or switched off.
     *
     * @param confirmation must be the VM's name
     * @return completes with a sentence that says what was done and what may be lost; exceptionally with an
     *         IllegalStateException if the confirmation is wrong, there still is a majority, or this member cannot serve. Nothing has changed then
     */
    CompletableFuture<String> forcePrimary(String confirmation);

    /**
     * Takes another member out of the group for good, or until {@link #join}: it neither votes nor is synchronised. To be called
     * on the primary. Completes once a majority has agreed; exceptionally with an IllegalStateException that says why not.
     */
    CompletableFuture<String> leave(String member);

    /** Lets a member that had left come back, with empty hands if need be. As {@link #leave}. */
    CompletableFuture<String> join(String member);
}
