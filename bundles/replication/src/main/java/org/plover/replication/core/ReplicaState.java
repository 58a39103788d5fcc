package org.plover.replication.core;

import java.util.EnumSet;
import java.util.Set;

/** What a replica is doing. Every constant says what is true in it; {@link #next()} says which may follow. */
enum ReplicaState {
    /** No view has been entered yet. No guest, gate closed. */
    STARTING,
    /** Between views. Whatever guest there is runs on with what it has; nothing is released. */
    UNSETTLED,
    /** Leads the view, but may not release anything before a majority has agreed that it alone is in sync. */
    TAKING_OVER,
    /** Leads the view, and the agreed in-sync set is this replica alone: output passes at once. */
    SOLO,
    /** Leads the view; a backup is in sync: output waits for the end of its epoch. */
    PROTECTED,
    /** In sync and following: its guest executes the log, its output is kept in case it is promoted. */
    BACKUP,
    /** Follows the log without a guest that counts: is being brought up to the primary's state. */
    LEARNER,
    /** The witness, at all times. */
    WITNESS,
    /** Cannot go on; an operator has to look. Nothing is released. */
    FAILED;

    Set<ReplicaState> next() {
        return switch (this) {
            case STARTING -> EnumSet.of(UNSETTLED, TAKING_OVER, LEARNER, WITNESS, FAILED);
            case UNSETTLED -> EnumSet.of(TAKING_OVER, BACKUP, LEARNER, FAILED);
            case TAKING_OVER -> EnumSet.of(SOLO, UNSETTLED, BACKUP, LEARNER, FAILED);
            case SOLO -> EnumSet.of(PROTECTED, UNSETTLED, BACKUP, LEARNER, FAILED);
            case PROTECTED -> EnumSet.of(SOLO, UNSETTLED, BACKUP, LEARNER, FAILED);
            case BACKUP -> EnumSet.of(UNSETTLED, TAKING_OVER, LEARNER, FAILED);
            case LEARNER -> EnumSet.of(UNSETTLED, TAKING_OVER, BACKUP, FAILED);
            case WITNESS -> EnumSet.noneOf(ReplicaState.class);
            case FAILED -> EnumSet.of(LEARNER, UNSETTLED);
        };
    }

    /** Whether this member leads its view in this state. */
    boolean leads() {
        return this == TAKING_OVER || this == SOLO || this == PROTECTED;
    }
}
