package org.plover.replication;

import java.nio.ByteBuffer;

/**
 * A bounded queue of byte messages with two numbers each, from many threads to the group's loop, without allocation. A full
 * ring makes the producer wait, which is how pressure reaches the network it reads from.
 */
final class FrameRing {
    private static final int HEADER_BYTES = 4 + 4 + 8;

    private final ByteBuffer ring;
    private final ByteBuffer view;
    private final Object lock = new Object();
    private int head;
    private int tail;
    private volatile int used;
    private boolean closed;

    /** @param bytes capacity; a message takes its length and 16 bytes, and never wraps */
    FrameRing(int bytes) {
        ring = ByteBuffer.allocateDirect(bytes);
        view = ring.duplicate();
    }

    boolean isEmpty() {
        return used == 0;
    }

    int usedBytes() {
        return used;
    }

    /** Appends a message; waits while there is no room. Returns false once the ring has been closed. */
    boolean put(int a, long b, ByteBuffer message) throws InterruptedException {
        int need = HEADER_BYTES + message.remaining();
        if (need > ring.capacity() / 2) {
            throw new IllegalArgumentException("a message of " + message.remaining() + " bytes does not belong here");
        }
        synchronized (lock) {
            while (true) {
                if (closed) {
                    return false;
                }
                boolean wraps = tail + need > ring.capacity();
                int skip = wraps ? ring.capacity() - tail : 0;
                if (used + skip + need <= ring.capacity()) {
                    if (wraps) {
                        if (skip >= 4) {
                            ring.putInt(tail, -1);
                        }
                        used += skip;
                        tail = 0;
                    }
                    ring.putInt(tail, message.remaining()).putInt(tail + 4, a).putLong(tail + 8, b);
                    ring.put(tail + HEADER_BYTES, message, message.position(), message.remaining());
                    tail += need;
                    used += need;
                    return true;
                }
                lock.wait();
            }
        }
    }

    /** What is done with a message. */
    interface Reader {
        /** Returns false to leave the message where it is and stop reading. */
        boolean read(int a, long b, ByteBuffer message);
    }

    /** Reads up to {@code max} messages in order; only from one thread. Returns how many were taken. */
    int read(int max, Reader reader) {
        int n = 0;
        while (n < max && used > 0) {
            int length = ring.capacity() - head >= 4 ? ring.getInt(head) : -1;
            if (length < 0) {
                free(ring.capacity() - head, 0);
                continue;
            }
            view.limit(head + HEADER_BYTES + length).position(head + HEADER_BYTES);
            if (!reader.read(ring.getInt(head + 4), ring.getLong(head + 8), view)) {
                return n;
            }
            free(HEADER_BYTES + length, head + HEADER_BYTES + length);
            n++;
        }
        return n;
    }

    private void free(int bytes, int newHead) {
        synchronized (lock) {
            head = newHead;
            used -= bytes;
            lock.notifyAll();
        }
    }

    void close() {
        synchronized (lock) {
            closed = true;
            lock.notifyAll();
        }
    }
}
