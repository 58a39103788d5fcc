package org.plover.consensus.paxos;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/** Where a member stands. Every change goes through {@link PaxosCore#transition}, which refuses what {@link #mayBecome} does not allow. */
enum State {
    /**
     * The stable storage knows no view: this member never counted in any group. Left when the group forms, or when it
     * turns out that the group was formed without this incarnation.
     */
    FORMING,
    /**
     * This member's incarnation is not known to be an agreed voter. It follows the log; its acknowledgements and answers
     * to candidates do not count. Left when a committed membership names its incarnation.
     */
    LEARNER,
    /**
     * An agreed voter that restarted: it remembers its promises but not the entries it acknowledged. It answers nothing
     * with them until a leader has sent it its log, see {@link Following#recover}.
     */
    RECOVERING,
    /** A voter that takes the entries of the leader of its view. */
    NORMAL_FOLLOWER,
    /** Leads its view; it takes proposals once the entries of older views are committed in this one. */
    NORMAL_LEADER,
    /** A voter between views: it promised a view whose leader it has not heard yet, stands for one, or was deposed. */
    VIEW_CHANGE;

    private static final Map<State, Set<State>> MOVES = new EnumMap<>(Map.of(
            FORMING, EnumSet.of(LEARNER, NORMAL_LEADER, NORMAL_FOLLOWER),
            LEARNER, EnumSet.of(LEARNER, NORMAL_FOLLOWER, VIEW_CHANGE, NORMAL_LEADER),
            RECOVERING, EnumSet.of(NORMAL_FOLLOWER, LEARNER, NORMAL_LEADER),
            NORMAL_FOLLOWER, EnumSet.of(NORMAL_FOLLOWER, VIEW_CHANGE, LEARNER),
            NORMAL_LEADER, EnumSet.of(NORMAL_FOLLOWER, VIEW_CHANGE, LEARNER),
            VIEW_CHANGE, EnumSet.of(VIEW_CHANGE, NORMAL_FOLLOWER, NORMAL_LEADER, LEARNER)));

    boolean mayBecome(State next) {
        return MOVES.get(this).contains(next);
    }

    /** Whether this member's acknowledgements and promises count. */
    boolean isVoting() {
        return this == NORMAL_FOLLOWER || this == NORMAL_LEADER || this == VIEW_CHANGE;
    }
}
