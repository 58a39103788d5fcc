package org.plover.disk.nbd;

/** What a record of the journal says. The order is part of the format. */
enum RecordKind {
    /** Blocks that a guest without a backup has written. */
    WRITES,
    /** The blocks of an epoch that ended at the primary. */
    EPOCH,
    /** The blocks of an epoch of the primary, complete, at a learner or backup. */
    STAGED,
    /** The staged epoch whose first record is named never counted. */
    UNSTAGE,
    /** Chunks, each by the first of its blocks, into whose images a guest without a backup is about to write. */
    CHANGED
}
