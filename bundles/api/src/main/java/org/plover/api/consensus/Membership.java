package org.plover.api.consensus;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.plover.api.group.Group;

/**
 * The agreed facts about who counts: which incarnation of each member is a voter, and which replicas are in sync.
 * Proposed by a view's leader, written to stable storage by every member that accepts it, ordered by
 * ({@link #view}, {@link #version}).
 *
 * <p>A member whose incarnation is not the agreed one has forgotten its promises; it neither votes nor acknowledges
 * until an entry names its new incarnation (safety rule S5).
 */
public final class Membership {
    /** Bytes of the encoded form. */
    public static final int BYTES = 8 + 8 + 4 + 4 + 4 + 8 * Group.SIZE;
    /** All members, as a mask. */
    public static final int ALL = (1 << Group.SIZE) - 1;

    private final long view;
    private final long version;
    private final int inSyncMask;
    private final int voterMask;
    private final int leftMask;
    private final long[] incarnations;

    /**
     * @param view         view of the leader that proposed it
     * @param version      counts up with every change
     * @param inSyncMask   bit {@code 1 << index} for every replica that is in sync
     * @param voterMask    bit {@code 1 << index} for every member whose vote counts; a majority is one of these
     * @param leftMask     the members that an operator has taken out, and that do not come back by themselves; none of them votes
     * @param incarnations the members' incarnations, by member index; copied
     */
    public Membership(long view, long version, int inSyncMask, int voterMask, int leftMask, long[] incarnations) {
        if (incarnations.length != Group.SIZE) {
            throw new IllegalArgumentException("needs " + Group.SIZE + " incarnations, has " + incarnations.length);
        }
        this.view = view;
        this.version = version;
        if (voterMask == 0 || (voterMask & leftMask) != 0 || (inSyncMask & ~voterMask) != 0) {
            throw new IllegalArgumentException("in sync " + Integer.toBinaryString(inSyncMask) + ", voters "
                    + Integer.toBinaryString(voterMask) + ", left " + Integer.toBinaryString(leftMask) + " contradict each other");
        }
        this.inSyncMask = inSyncMask;
        this.voterMask = voterMask;
        this.leftMask = leftMask;
        this.incarnations = incarnations.clone();
    }

    public long view() {
        return view;
    }

    public long version() {
        return version;
    }

    public int inSyncMask() {
        return inSyncMask;
    }

    /** Whose votes count. Normally everybody's; fewer after {@code leave} or a forced start of a new generation. */
    public int voterMask() {
        return voterMask;
    }

    public int leftMask() {
        return leftMask;
    }

    public boolean isVoter(int member) {
        return (voterMask & 1 << member) != 0;
    }

    public boolean hasLeft(int member) {
        return (leftMask & 1 << member) != 0;
    }

    /** How many votes decide. */
    public int majority() {
        return Integer.bitCount(voterMask) / 2 + 1;
    }

    public long incarnation(int member) {
        return incarnations[member];
    }

    public boolean isInSync(int member) {
        return (inSyncMask & 1 << member) != 0;
    }

    /** Whether this one supersedes the other. */
    public boolean isNewerThan(Membership other) {
        return view != other.view ? view > other.view : version > other.version;
    }

    /** The next membership with another in-sync set. */
    public Membership withInSync(long newView, int newInSyncMask) {
        return new Membership(newView, version + 1, newInSyncMask, voterMask, leftMask, incarnations);
    }

    /** The next membership with one member's incarnation replaced; that member votes, and is in sync as {@code inSync} says. */
    public Membership withMember(long newView, int member, long incarnation, boolean inSync) {
        long[] next = incarnations.clone();
        next[member] = incarnation;
        int bit = 1 << member;
        return new Membership(newView, version + 1, inSync ? inSyncMask | bit : inSyncMask & ~bit, voterMask | bit, leftMask & ~bit, next);
    }

    /** The next membership without a member, which does not come back before it is asked for again. */
    public Membership without(long newView, int member) {
        int bit = 1 << member;
        return new Membership(newView, version + 1, inSyncMask & ~bit, voterMask & ~bit, leftMask | bit, incarnations);
    }

    /** The next membership in which a member that had left may come back; it votes as soon as it has caught up. */
    public Membership readmitting(long newView, int member) {
        return new Membership(newView, version + 1, inSyncMask, voterMask, leftMask & ~(1 << member), incarnations);
    }

    /** Writes {@link #BYTES} bytes at the buffer's position. */
    public void encode(ByteBuffer to) {
        to.putLong(view).putLong(version).putInt(inSyncMask).putInt(voterMask).putInt(leftMask);
        for (long i : incarnations) {
            to.putLong(i);
        }
    }

    /** Reads what {@link #encode} wrote. */
    public static Membership decode(ByteBuffer from) {
        long view = from.getLong();
        long version = from.getLong();
        int inSync = from.getInt();
        int voters = from.getInt();
        int left = from.getInt();
        long[] incarnations = new long[Group.SIZE];
        for (int i = 0; i < incarnations.length; i++) {
            incarnations[i] = from.getLong();
        }
        return new Membership(view, version, inSync, voters, left, incarnations);
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Membership m && m.view == view && m.version == version && m.inSyncMask == inSyncMask
                && m.voterMask == voterMask && m.leftMask == leftMask && Arrays.equals(m.incarnations, incarnations);
    }

    @Override
    public int hashCode() {
        return Long.hashCode(view * 31 + version);
    }

    @Override
    public String toString() {
        return "membership " + view + "." + version + " in-sync=" + Integer.toBinaryString(inSyncMask)
                + (voterMask == ALL ? "" : " voters=" + Integer.toBinaryString(voterMask))
                + (leftMask == 0 ? "" : " left=" + Integer.toBinaryString(leftMask));
    }
}
