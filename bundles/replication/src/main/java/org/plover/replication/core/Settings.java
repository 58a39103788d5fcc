package org.plover.replication.core;

import java.util.List;
import org.plover.api.policy.SyncPolicy;

/** What may change while the core runs; read anew whenever it is needed. */
public interface Settings {
    /** The policy in use. */
    SyncPolicy policy();

    /** Id of the hasher to name in the next epoch. */
    String hasher();

    /** Every n-th epoch all memory is compared; 0 for never. */
    int verifyIntervalEpochs();

    /** A backup that has not acknowledged an epoch after this time is dropped from the in-sync set. */
    int epochTimeoutMillis();

    /** Inputs agreed but not yet taken up by the guest, in bytes, beyond which a replica counts as unable to follow. */
    long inputBacklogBytesMax();

    /** How fast a fresh backup may be brought in, in MiB per second; 0 for as fast as the link is. */
    default int copyMiBPerSecondMax() {
        return 0;
    }

    /** Bytes written to disks in one epoch that make the primary end it. */
    default long diskEpochBytesMax() {
        return 64 << 20;
    }

    /** Whether the guest is handed over to the backup when a disk fails here; otherwise it sees the error. */
    default boolean handsOverOnDiskError() {
        return true;
    }

    /**
     * What of the guest's hardware must be alike on both replicas, as text for {@link #differences} of the other one.
     *
     * @param diskBytes length of each disk
     */
    default String hardware(long[] diskBytes) {
        return "";
    }

    /** A sentence for everything in which the other replica's {@link #hardware} differs. */
    default List<String> differences(long[] diskBytes, String theirs, String theirName) {
        return List.of();
    }
}
