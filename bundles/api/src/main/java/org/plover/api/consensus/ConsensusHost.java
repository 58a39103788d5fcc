package org.plover.api.consensus;

import java.nio.ByteBuffer;

/** What a {@link Consensus} core asks of its surroundings. Called from within calls to the core, on the same thread. */
public interface ConsensusHost {
    /** Sends a message to a member's core; it may get lost. The buffer is the core's again when this returns. */
    void send(int member, ByteBuffer message);

    /**
     * A committed entry, in log order, without gaps, each once (S2). The payload is valid during the call only.
     * Membership entries are delivered here too, encoded as by {@link Membership#encode}.
     */
    void deliver(long index, EntryType type, ByteBuffer payload);

    /**
     * Whether this replica's guest holds a state from which it can go on: asked before this member stands for election.
     * Being named in the in-sync set is checked by the core itself.
     */
    boolean canLead();

    /**
     * Whether this replica, which holds no guest, could boot one: asked before this member stands for election although
     * {@link #canLead} says no. The core lets it lead only if it is in the in-sync set and every member that is has promised
     * the view and holds no guest either.
     */
    boolean canColdStart();

    /**
     * This member is about to lead, and nobody holds the guest's state any more, or ever did: the guest is to be booted.
     * Called before {@link #onLeading}.
     *
     * @param why a sentence for the log
     */
    void onColdStart(String why);

    /**
     * A new generation of views has begun elsewhere: what this replica's guest has taken is no part of the group's history
     * any more, and the guest is of no use before it has been synchronised. Called before {@link #onFollowing}.
     */
    default void onHistoryLost() {
    }

    /**
     * A member that can be reached has left this leader's messages unanswered for longer than its pauses so far explain. Told
     * once for each silence; the link to it may be fine, or break later.
     *
     * @param silenceNanos time since its last answer
     */
    default void onSilent(int member, long silenceNanos) {
    }

    /** This member leads {@code view}: the log is repaired, all entries committed in older views have been delivered. */
    void onLeading(long view);

    /** This member takes part in {@code view} as a follower of {@code leader}; whatever it led before is over. */
    void onFollowing(long view, int leader);

    /** This member is between views: it follows nobody and must release nothing. */
    void onViewChange(long view);
}
