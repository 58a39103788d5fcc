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
    public static final int BYTES = 8 + 8 + 4 + 8 * Group.SIZE;

    private final long view;
    private final long version;
    private final int inSyncMask;
    private final long[] incarnations;

    /**
     * @param view         view of the leader that proposed it
     * @param version      counts up with every change
     * @param inSyncMask   bit {@code 1 << index} for every replica that is in sync
     * @param incarnations the voters' incarnations, by member index; copied
     */
    public Membership(long view, long version, int inSyncMask, long[] incarnations) {
        if (incarnations.length != Group.SIZE) {
            throw new IllegalArgumentException("needs " + Group.SIZE + " incarnations, has " + incarnations.length);
        }
        this.view = view;
        this.version = version;
        this.inSyncMask = inSyncMask;
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
        return new Membership(newView, version + 1, newInSyncMask, incarnations);
    }

    /** The next membership with one member's incarnation replaced; that member is in sync as {@code inSync} says. */
    public Membership withMember(long newView, int member, long incarnation, boolean inSync) {
        long[] next = incarnations.clone();
        next[member] = incarnation;
        int mask = inSync ? inSyncMask | 1 << member : inSyncMask & ~(1 << member);
        return new Membership(newView, version + 1, mask, next);
    }

    /** Writes {@link #BYTES} bytes at the buffer's position. */
    public void encode(ByteBuffer to) {
        to.putLong(view).putLong(version).putInt(inSyncMask);
        for (long i : incarnations) {
            to.putLong(i);
        }
    }

    /** Reads what {@link #encode} wrote. */
    public static Membership decode(ByteBuffer from) {
        long view = from.getLong();
        long version = from.getLong();
        int mask = from.getInt();
        long[] incarnations = new long[Group.SIZE];
        for (int i = 0; i < incarnations.length; i++) {
            incarnations[i] = from.getLong();
        }
        return new Membership(view, version, mask, incarnations);
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Membership m && m.view == view && m.version == version && m.inSyncMask == inSyncMask
                && Arrays.equals(m.incarnations, incarnations);
    }

    @Override
    public int hashCode() {
        return Long.hashCode(view * 31 + version);
    }

    @Override
    public String toString() {
        return "membership " + view + "." + version + " in-sync=" + Integer.toBinaryString(inSyncMask);
    }
}
