package org.plover.consensus.paxos;

import org.plover.api.consensus.Membership;

/**
 * The membership in force and the change under way. A change takes its place in the log, so it is taken back when a new
 * leader's log does not hold it, and it counts nobody before it is committed: a change that replaces an incarnation must be
 * acknowledged by a majority of those whom it finds in office, else an old leader and a newly named voter could make a
 * majority that shares no member with one of the newer view.
 */
final class Memberships {
    private Membership committed;
    private Membership pending;
    private long pendingIndex;

    /** In force; null as long as unknown. */
    Membership committed() {
        return committed;
    }

    /** Accepted but not known to be committed, or null. */
    Membership pending() {
        return pending;
    }

    long pendingIndex() {
        return pendingIndex;
    }

    Membership newest() {
        return pending != null ? pending : committed;
    }

    /** Whether that incarnation of a member is a voter. */
    boolean isVoter(int member, long incarnation) {
        return committed != null && committed.isVoter(member) && committed.incarnation(member) == incarnation;
    }

    /** A change stands in the log at {@code index}. */
    void accept(Membership next, long index) {
        if (committed != null && !next.isNewerThan(committed)) {
            return;
        }
        if (pending != null && pendingIndex != index) {
            throw new IllegalStateException("two membership changes are under way: " + pending + " at " + pendingIndex
                    + " and " + next + " at " + index);
        }
        pending = next;
        pendingIndex = index;
    }

    /** The log is committed up to {@code index}; true if that put a change in force. */
    boolean commitUpTo(long index) {
        if (pending == null || pendingIndex > index) {
            return false;
        }
        committed = pending;
        pending = null;
        return true;
    }

    /** The log was cut after {@code index}; true if that took a change back. */
    boolean dropAfter(long index) {
        if (pending == null || pendingIndex <= index) {
            return false;
        }
        pending = null;
        return true;
    }

    /** This log's history is over: a new generation of views has begun elsewhere. */
    void forget() {
        committed = null;
        pending = null;
    }

    /** The log is no longer the one that holds the change under way. */
    void dropPending() {
        pending = null;
    }

    /** Another voter knows that {@code other} is committed; true if that is news. */
    boolean learnCommitted(Membership other) {
        if (other == null || committed != null && !other.isNewerThan(committed)) {
            return false;
        }
        committed = other;
        if (pending != null && !pending.isNewerThan(other)) {
            pending = null;
        }
        return true;
    }

    static Membership newer(Membership a, Membership b) {
        return a == null || b != null && b.isNewerThan(a) ? b : a;
    }
}
