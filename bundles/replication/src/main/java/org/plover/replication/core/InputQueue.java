package org.plover.replication.core;

import java.nio.ByteBuffer;

/**
 * Agreed inputs that the guest has not taken yet, in log order: a ring of bytes that grows up to a bound. Usually empty.
 */
final class InputQueue {
    private static final int RECORD_HEADER_BYTES = 5;

    private byte[] ring = new byte[1 << 16];
    private int head;
    private int used;
    /** Bytes at the head that came before the SYNC entry of the epoch that is being ended. */
    private int marked;
    private ByteBuffer scratch = ByteBuffer.allocate(16 << 10);

    boolean isEmpty() {
        return used == 0;
    }

    long bytes() {
        return used;
    }

    void clear() {
        head = 0;
        used = 0;
        marked = 0;
    }

    /** What is queued now came before the end of the epoch. */
    void mark() {
        marked = used;
    }

    /** Whether anything that {@link #mark} spoke of is still queued. */
    boolean hasMarked() {
        return marked > 0;
    }

    /** Forgets what {@link #mark} spoke of: the guest has taken over a state that came after it. */
    void dropMarked() {
        head = (head + marked) % ring.length;
        used -= marked;
        marked = 0;
    }

    /** Appends a frame; false if the queue would exceed {@code bytesMax}, then nothing has been appended. */
    boolean add(int nic, ByteBuffer frame, long bytesMax) {
        int length = frame.remaining();
        int need = used + RECORD_HEADER_BYTES + length;
        if (need > bytesMax || need < 0) {
            return false;
        }
        if (need > ring.length) {
            grow(need);
        }
        putByte((byte) nic);
        for (int shift = 24; shift >= 0; shift -= 8) {
            putByte((byte) (length >>> shift));
        }
        int tail = (head + used) % ring.length;
        int first = Math.min(length, ring.length - tail);
        frame.get(ring, tail, first);
        frame.get(ring, 0, length - first);
        used += length;
        return true;
    }

    /** Hands queued frames to the guest in order, as many as it takes. */
    void flush(Guest guest) {
        flush(guest, used);
    }

    /** As {@link #flush}, but only what {@link #mark} spoke of. */
    void flushMarked(Guest guest) {
        flush(guest, marked);
    }

    private void flush(Guest guest, int bytesMax) {
        int end = used - bytesMax;
        while (used > end) {
            int nic = peek(0);
            int length = 0;
            for (int i = 1; i <= 4; i++) {
                length = length << 8 | peek(i) & 0xff;
            }
            if (scratch.capacity() < length) {
                scratch = ByteBuffer.allocate(length);
            }
            int at = (head + RECORD_HEADER_BYTES) % ring.length;
            int first = Math.min(length, ring.length - at);
            scratch.clear();
            scratch.put(ring, at, first).put(ring, 0, length - first).flip();
            if (!guest.inject(nic, scratch)) {
                return;
            }
            head = (head + RECORD_HEADER_BYTES + length) % ring.length;
            used -= RECORD_HEADER_BYTES + length;
            marked = Math.max(0, marked - RECORD_HEADER_BYTES - length);
        }
    }

    private byte peek(int offset) {
        return ring[(head + offset) % ring.length];
    }

    private void putByte(byte b) {
        ring[(head + used) % ring.length] = b;
        used++;
    }

    private void grow(int need) {
        byte[] larger = new byte[(int) Math.min(Integer.MAX_VALUE - 8L, Math.max(need, ring.length * 2L))];
        int first = Math.min(used, ring.length - head);
        System.arraycopy(ring, head, larger, 0, first);
        System.arraycopy(ring, 0, larger, first, used - first);
        ring = larger;
        head = 0;
    }
}
