package org.plover.api.consensus;

import java.nio.ByteBuffer;

/**
 * Agreement on one log among the three members of a group, led by the view's primary; after Viewstamped Replication
 * Revisited (Liskov and Cowling 2012) with a durable ballot, and an in-sync set as agreed entries (as in
 * APUS, SoCC 2017, and the replica sets of primary-backup systems).
 *
 * <p>A pure core: it has no thread, clock, socket or file of its own. Every method is called from one thread (the group's
 * loop), is told the time, and acts through {@link ConsensusHost} before it returns.
 */
public interface Consensus {
    /** {@link #propose}: this member does not lead. */
    long NOT_LEADING = -1;
    /** {@link #propose}: the window of entries not yet committed is full; try again after a delivery. */
    long WINDOW_FULL = -2;

    /** Begins to take part. */
    void start(long nowNanos);

    /** A message that the same member's core sent with {@link ConsensusHost#send}; the buffer is valid during the call only. */
    void onMessage(int from, long incarnation, ByteBuffer message, long nowNanos);

    /** Tells that time has passed; to be called at least every {@link #tickMillis()} milliseconds. */
    void onTick(long nowNanos);

    /** The longest time between two ticks, in milliseconds. */
    int tickMillis();

    /** A peer's link came up; what it missed will be sent again. */
    void onConnected(int member, long incarnation, long nowNanos);

    /** A peer's link broke. Not taken as proof of its death, only as a hint. */
    void onDisconnected(int member, long nowNanos);

    /**
     * Appends an entry to the log and sends it to the others, at the latest at the next {@link #flush}. The payload is copied.
     *
     * @return its index (1 and up), {@link #NOT_LEADING} or {@link #WINDOW_FULL}
     */
    long propose(EntryType type, ByteBuffer payload, long nowNanos);

    /** Sends what {@link #propose} gathered; the end of a batch. */
    void flush(long nowNanos);

    /**
     * Proposes that other members count; see {@link Membership}. Only one proposal may be under way.
     *
     * @return index of the entry, {@link #NOT_LEADING}, or {@link #WINDOW_FULL} also if an earlier proposal is still under way
     * @throws IllegalStateException if a vote is taken away and those that remain are no majority now; says who is missing
     */
    long proposeMembership(Membership next, long nowNanos);

    /**
     * The state of every in-sync replica includes all entries up to {@code index}: they may be forgotten everywhere.
     * Called on the leader, which tells the others.
     */
    void truncate(long index, long nowNanos);

    /**
     * A replica that had no part in the log gets its entries from {@code index + 1} on, because its guest has received
     * the state as of {@code index}. Entries up to it are not delivered.
     */
    void skipTo(long index, long nowNanos);

    /** Leader: gives up leading at once in favour of another in-sync replica, which starts a new view without waiting. */
    void handOver(int member, long nowNanos);

    /**
     * An operator's order, for a group that has lost its majority for good: this member alone votes from now on, and leads a
     * new generation of views, above every view that the others can reach by themselves. They give up whatever they have
     * when they hear of it, and come back as members that must be synchronised. Durable before this returns. Nothing
     * protects against two members being ordered so, or against the others being alive and serving: the operator answers
     * for that.
     *
     * @throws IllegalStateException if this member cannot lead, or there is a majority; says why. Nothing has changed then
     */
    void forceLead(long nowNanos);

    /** This member's random number, drawn when its stable storage was empty. */
    long incarnation();

    /** The highest view this member takes part in; 0 before the first. */
    long view();

    /** The leader of {@link #view()} as far as known, or -1. */
    int leader();

    /** Whether this member leads {@link #view()} and has finished entering it. */
    boolean isLeading();

    /** The newest membership this member has accepted (committed or not); null before the first view. */
    Membership membership();

    /** Index of the last entry in the log. */
    long lastIndex();

    /** Index of the last committed entry known here. */
    long commitIndex();

    /** State for status pages, for instance {@code NORMAL}, {@code VIEW_CHANGE}, {@code RECOVERING}, {@code FORMING}. */
    String state();

    /**
     * The latest time of which is known that a majority was still in this leader's view then: when the oldest of the newest
     * messages was sent that a majority has answered. {@link Long#MIN_VALUE} if this member does not lead. Proves nothing about now (nothing can);
     * a leader that was frozen sees by it that it must ask before it acts.
     */
    long lastQuorumNanos();

    /** Nanoseconds of {@code nowNanos} when {@code member} was last heard from in this or a newer view; {@link Long#MIN_VALUE} if never. */
    long lastHeardNanos(int member);
}
