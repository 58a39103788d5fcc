package org.plover.consensus.paxos;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.plover.api.consensus.EntryType;

/**
 * The retained part of the log: entries {@code base + 1} to {@code last}, each with the view that proposed it (its
 * viewstamp, Oki and Liskov 1988). Two logs that have the same view at an index are equal up to that index, because one
 * leader filled that view in order; that is what lets a follower find where its log parts from the leader's.
 *
 * <p>Payloads lie in one ring that grows by doubling and is reused, so that appending does not allocate.
 */
final class EntryLog {
    private static final EntryType[] TYPES = EntryType.values();

    private long base;
    private long baseView;
    private long last;
    private byte[] ring = new byte[1 << 16];
    private ByteBuffer window = ByteBuffer.wrap(ring);
    private ByteBuffer delivery = ByteBuffer.wrap(ring).asReadOnlyBuffer();
    private long writeAt;
    private long[] views = new long[1 << 10];
    private long[] starts = new long[1 << 10];
    private long[] ends = new long[1 << 10];
    private int[] lengths = new int[1 << 10];
    private byte[] types = new byte[1 << 10];
    private long endBytes;
    private long baseEnd;

    long base() {
        return base;
    }

    long baseView() {
        return baseView;
    }

    long last() {
        return last;
    }

    long lastView() {
        return viewAt(last);
    }

    /** View of the entry at {@code index}, which may be the base. */
    long viewAt(long index) {
        if (index == base) {
            return baseView;
        }
        return views[slot(index)];
    }

    EntryType typeAt(long index) {
        return TYPES[types[slot(index)]];
    }

    int lengthAt(long index) {
        return lengths[slot(index)];
    }

    /** The payload, in a buffer that the next call reuses. */
    ByteBuffer payloadAt(long index) {
        int slot = slot(index);
        int at = (int) (starts[slot] & ring.length - 1);
        return window.limit(at + lengths[slot]).position(at);
    }

    /** The payload in a second buffer, for a callee that may call back into the log: appending leaves its bytes alone. */
    ByteBuffer deliverableAt(long index) {
        int slot = slot(index);
        int at = (int) (starts[slot] & ring.length - 1);
        return delivery.limit(at + lengths[slot]).position(at);
    }

    /** Payload bytes plus what an entry costs on the wire, of the entries after {@code from} up to {@code to}. */
    long bytesBetween(long from, long to) {
        return to <= from ? 0 : endOf(to) - endOf(Math.max(from, base));
    }

    long bytes() {
        return bytesBetween(base, last);
    }

    void append(long view, EntryType type, ByteBuffer payload) {
        int length = payload.remaining();
        if (last - base == views.length) {
            growTable();
        }
        long at = place(length);
        payload.get(ring, (int) (at & ring.length - 1), length);
        last++;
        int slot = (int) (last & views.length - 1);
        views[slot] = view;
        starts[slot] = at;
        lengths[slot] = length;
        types[slot] = (byte) type.ordinal();
        endBytes += length + Wire.ENTRY_OVERHEAD;
        ends[slot] = endBytes;
        writeAt = at + length;
    }

    /** Forgets the entries after {@code index}. */
    void dropAfter(long index) {
        if (index < base || index > last) {
            throw new IllegalStateException("cannot cut the log at " + index + ", it holds " + base + ".." + last);
        }
        endBytes = endOf(index);
        last = index;
        writeAt = last == base ? 0 : starts[slot(last)] + lengths[slot(last)];
    }

    /** Forgets the entries up to and including {@code index}. */
    void dropUpTo(long index) {
        if (index <= base) {
            return;
        }
        if (index > last) {
            throw new IllegalStateException("cannot forget up to " + index + ", the log holds " + base + ".." + last);
        }
        baseView = viewAt(index);
        long forgotten = endOf(index);
        base = index;
        if (base == last) {
            writeAt = 0;
        }
        baseEnd = forgotten;
    }

    /** Forgets everything; the log goes on after {@code index}. */
    void reset(long index, long view) {
        base = index;
        last = index;
        baseView = view;
        baseEnd = endBytes;
        writeAt = 0;
    }


    private long endOf(long index) {
        return index == base ? baseEnd : ends[slot(index)];
    }

    private int slot(long index) {
        if (index <= base || index > last) {
            throw new IllegalStateException("entry " + index + " is not in the log, it holds " + (base + 1) + ".." + last);
        }
        return (int) (index & views.length - 1);
    }

    /** Where the next payload of that length goes; payloads never wrap, so that one buffer shows each. */
    private long place(int length) {
        while (true) {
            long at = writeAt;
            int offset = (int) (at & ring.length - 1);
            if (offset + length > ring.length) {
                at += ring.length - offset;
            }
            long head = last == base ? at : starts[slot(base + 1)];
            if (length <= ring.length && at + length - head <= ring.length) {
                return at;
            }
            growRing(length);
        }
    }

    private void growRing(int length) {
        long size = ring.length;
        do {
            size *= 2;
        } while (size < 2L * length);
        if (size > 1 << 30) {
            throw new IllegalStateException("the log would need " + size + " bytes: entries are not being truncated;"
                    + " lower logBytesMax");
        }
        byte[] larger = new byte[(int) size];
        int at = 0;
        for (long i = base + 1; i <= last; i++) {
            int slot = slot(i);
            System.arraycopy(ring, (int) (starts[slot] & ring.length - 1), larger, at, lengths[slot]);
            starts[slot] = at;
            at += lengths[slot];
        }
        writeAt = at;
        ring = larger;
        window = ByteBuffer.wrap(ring);
        delivery = ByteBuffer.wrap(ring).asReadOnlyBuffer();
    }

    private void growTable() {
        int size = views.length;
        long[] oldViews = views;
        long[] oldStarts = starts;
        long[] oldEnds = ends;
        int[] oldLengths = lengths;
        byte[] oldTypes = types;
        views = Arrays.copyOf(views, size * 2);
        starts = Arrays.copyOf(starts, size * 2);
        ends = Arrays.copyOf(ends, size * 2);
        lengths = Arrays.copyOf(lengths, size * 2);
        types = Arrays.copyOf(types, size * 2);
        for (long i = base + 1; i <= last; i++) {
            int from = (int) (i & size - 1);
            int to = (int) (i & 2 * size - 1);
            views[to] = oldViews[from];
            starts[to] = oldStarts[from];
            ends[to] = oldEnds[from];
            lengths[to] = oldLengths[from];
            types[to] = oldTypes[from];
        }
    }
}
