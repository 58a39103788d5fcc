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

    /** Nanoseconds of {@code nowNanos} when {@code member} was last heard from in this or a newer view; {@link Long#MIN_VALUE} if never. */
    long lastHeardNanos(int member);
}
