package org.plover.machine.qemu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.plover.api.machine.MachineListener;
import org.plover.linux.Linux;
import org.plover.linux.Memory;
import org.plover.linux.PollSet;
import org.plover.linux.SystemCallException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One guest interface's frames over QEMU's {@code -netdev stream}: four bytes of length, big-endian, then the frame. A reader
 * thread drains it all the time. Frames for the guest go straight into the socket as long as that takes them; the rest waits in
 * a ring that a writer thread empties. While the guest is stopped nothing is written to the socket: what QEMU has taken cannot be
 * taken back.
 */
final class NicLink implements AutoCloseable {
    /** Longest frame that QEMU's network layer passes on. */
    static final int FRAME_BYTES_MAX = 68 << 10;
    /** Room for frames that the socket does not take. */
    static final int RING_BYTES = 1 << 20;

    private static final Logger LOG = LoggerFactory.getLogger(NicLink.class);
    private static final int LENGTH_BYTES = 4;
    /** A guest that is being stopped cannot send more than its queues and QEMU's socket hold. */
    private static final int SPILL_BYTES_MAX = 8 << 20;

    private final int nic;
    private final int fd;
    private final MachineListener listener;
    private final Consumer<String> onBroken;
    private final Thread reader;
    private final Thread writer;

    private final Object lock = new Object();
    // Guarded by lock. head and tail count bytes since the start; the ring holds those in between.
    private final ByteBuffer ring = Memory.allocate(RING_BYTES).order(ByteOrder.BIG_ENDIAN);
    private final long ringAddress = Memory.addressOf(ring);
    private final ByteBuffer count = Memory.allocate(4);
    private long head;
    private long tail;
    /** The first border between frames at or after head. */
    private long boundary;
    private boolean held = true;
    private boolean closed;

    /** Guards taking from the socket. Never held while waiting for anything. */
    private final Object intake = new Object();
    private final ByteBuffer unread = Memory.allocate(4);
    /** What was taken from the socket on the reader's behalf, while it was kept by the listener; null or to be read. */
    private ByteBuffer spill;
    /** Whether the reader has bytes that the listener has not got yet. */
    private boolean delivering;


    /**
     * Takes over a connected socket; holds frames for the guest until {@link #release}.
     *
     * @param onBroken told on the reader thread if what QEMU sends makes no sense; nothing is read afterwards
     */
    NicLink(int nic, int fd, String threadPrefix, MachineListener listener, Consumer<String> onBroken) {
        this.onBroken = onBroken;
        this.nic = nic;
        this.fd = fd;
        this.listener = listener;
        reader = new Thread(this::readFrames, threadPrefix + "-nic" + nic + "-reader");
        writer = new Thread(this::writeFrames, threadPrefix + "-nic" + nic + "-writer");
        reader.setDaemon(true);
        writer.setDaemon(true);
        reader.start();
        writer.start();
    }

    // --- from the guest -----------------------------------------------------------------------------------------------

    private void readFrames() {
        ByteBuffer in = ByteBuffer.allocateDirect(4 * FRAME_BYTES_MAX);
        PollSet readable = new PollSet(fd);
        try {
            int taken;
            do {
                readable.await(-1);
                taken = take(in);
                while (taken > 0) {
                    in.flip();
                    deliver(in);
                    in.compact();
                    taken = takeSpill(in);
                }
            } while (taken != 0);
        } catch (SystemCallException e) {
            LOG.debug("frames of interface {}", nic, e);
        } finally {
            synchronized (intake) {
                delivering = false;
            }
        }
    }

    /** Takes from the socket what it has; as {@link Linux#receive}. */
    private int take(ByteBuffer in) throws SystemCallException {
        synchronized (intake) {
            int taken = Linux.receive(fd, in, Linux.MSG_DONTWAIT);
            delivering = taken > 0;
            return taken;
        }
    }

    /** Takes what others have taken meanwhile; -1 if nothing, and then the reader counts as idle. */
    private int takeSpill(ByteBuffer in) {
        synchronized (intake) {
            if (spill == null) {
                delivering = false;
                return Linux.WOULD_BLOCK;
            }
            int bytes = Math.min(in.remaining(), spill.remaining());
            in.put(spill.slice().limit(bytes));
            spill.position(spill.position() + bytes);
            if (!spill.hasRemaining()) {
                spill = null;
            }
            return bytes;
        }
    }

    /**
     * Takes what the socket holds if the reader cannot because the listener keeps it. QEMU drops what it has not sent when it stops,
     * and a frame of which the socket took a part only (those of more than 32 KiB can be split) would make nonsense of all that
     * follow. Does not block.
     */
    void relieve() throws SystemCallException {
        synchronized (intake) {
            while (delivering && available() > 0) {
                int held = spill == null ? 0 : spill.remaining();
                if (held + FRAME_BYTES_MAX > SPILL_BYTES_MAX) {
                    LOG.warn("interface {}: {} bytes wait for the receiver of the guest's frames; QEMU drops the next", nic, held);
                    return;
                }
                ByteBuffer larger = Memory.allocate(held + available());
                if (spill != null) {
                    larger.put(spill);
                }
                int taken = Linux.receive(fd, larger, Linux.MSG_DONTWAIT);
                spill = larger.position() == 0 ? null : larger.flip();
                if (taken <= 0) {
                    return;
                }
            }
        }
    }

    private int available() throws SystemCallException {
        Linux.ioctl(fd, Linux.FIONREAD, unread);
        return unread.getInt(0);
    }

    private void deliver(ByteBuffer in) throws SystemCallException {
        int limit = in.limit();
        while (in.remaining() >= LENGTH_BYTES) {
            int at = in.position();
            int bytes = in.getInt(at);
            if (bytes < 0 || bytes > FRAME_BYTES_MAX) {
                Linux.shutdown(fd);
                in.position(limit);
                onBroken.accept("interface " + nic + ": QEMU announced a frame of " + bytes + " bytes; the framing is lost");
                return;
            }
            if (in.remaining() < LENGTH_BYTES + bytes) {
                return;
            }
            in.limit(at + LENGTH_BYTES + bytes).position(at + LENGTH_BYTES);
            try {
                listener.onFrame(nic, in);
            } catch (RuntimeException e) {
                LOG.error("a frame of interface {} was lost because its receiver failed", nic, e);
            }
            in.limit(limit).position(at + LENGTH_BYTES + bytes);
        }
    }

    /**
     * Waits until what the guest had emitted before this call has been handed to the listener; not longer than until
     * {@code deadline} of {@link System#nanoTime}, because a listener may hold the reader back on purpose.
     *
     * @return whether all of it has been handed over
     */
    boolean awaitDelivered(long deadline) throws SystemCallException {
        while (true) {
            synchronized (lock) {
                if (closed) {
                    return true;
                }
                synchronized (intake) {
                    if (available() == 0 && !delivering) {
                        return true;
                    }
                }
            }
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            LockSupport.parkNanos(10_000);
        }
    }

    // --- to the guest -------------------------------------------------------------------------------------------------

    /** As {@link org.plover.api.machine.Machine#inject}. */
    boolean inject(ByteBuffer frame) {
        int bytes = frame.remaining();
        if (bytes > FRAME_BYTES_MAX) {
            throw new IllegalArgumentException("a frame of " + bytes + " bytes; QEMU takes " + FRAME_BYTES_MAX);
        }
        synchronized (lock) {
            if (closed || RING_BYTES - (tail - head) < LENGTH_BYTES + bytes) {
                return false;
            }
            boolean idle = head == tail;
            for (int shift = 24; shift >= 0; shift -= 8) {
                ring.put((int) (tail++ % RING_BYTES), (byte) (bytes >>> shift));
            }
            int at = (int) (tail % RING_BYTES);
            int first = Math.min(bytes, RING_BYTES - at);
            ring.put(at, frame, frame.position(), first);
            ring.put(0, frame, frame.position() + first, bytes - first);
            tail += bytes;
            if (idle && !held) {
                drain();
                if (head != tail) {
                    lock.notifyAll();
                }
            }
            return true;
        }
    }

    /** Sends what the socket takes at once. */
    private void drain() {
        try {
            while (head != tail) {
                int at = (int) (head % RING_BYTES);
                int bytes = (int) Math.min(tail - head, RING_BYTES - at);
                int sent = Linux.send(fd, ringAddress + at, bytes, Linux.MSG_DONTWAIT);
                if (sent == Linux.WOULD_BLOCK) {
                    return;
                }
                head += sent;
                while (boundary < head) {
                    boundary += LENGTH_BYTES + lengthAt(boundary);
                }
            }
        } catch (SystemCallException e) {
            // QEMU is gone; the control connection reports it.
            LOG.debug("frames for interface {}", nic, e);
            head = tail;
            boundary = tail;
        }
    }

    private int lengthAt(long position) {
        int bytes = 0;
        for (int i = 0; i < LENGTH_BYTES; i++) {
            bytes = bytes << 8 | ring.get((int) ((position + i) % RING_BYTES)) & 0xff;
        }
        return bytes;
    }

    /**
     * From now on no frame goes into the socket; what is in it already, QEMU may still take.
     *
     * @return whether there is something in it
     */
    boolean hold() throws SystemCallException {
        synchronized (lock) {
            held = true;
            return !closed && unsent() > 0;
        }
    }

    /** Ends {@link #hold}. */
    void release() {
        synchronized (lock) {
            held = false;
            if (!closed && head != tail) {
                drain();
                lock.notifyAll();
            }
        }
    }

    /** While held: whether {@link #discard} has anything to do. */
    boolean hasUnread() throws SystemCallException {
        synchronized (lock) {
            return !closed && (head != tail || unsent() > 0);
        }
    }

    /**
     * While held, and while QEMU drops what it reads: forgets all frames that the guest has not got, and waits until QEMU has read
     * what was in the socket.
     *
     * @return false if it has not within the time
     */
    boolean discard(long millis) throws SystemCallException {
        long deadline = System.nanoTime() + millis * 1_000_000;
        while (true) {
            synchronized (lock) {
                // Of a frame that has gone out in part the rest has to follow.
                tail = boundary;
                drain();
                if (closed || head == tail && unsent() == 0) {
                    return true;
                }
            }
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            LockSupport.parkNanos(20_000);
        }
    }

    private void writeFrames() {
        PollSet writable = new PollSet(fd);
        writable.setInterest(0, PollSet.OUT);
        try {
            while (true) {
                synchronized (lock) {
                    while ((head == tail || held) && !closed) {
                        lock.wait();
                    }
                    if (closed) {
                        return;
                    }
                }
                writable.await(-1);
                synchronized (lock) {
                    if (closed) {
                        return;
                    }
                    if (!held) {
                        drain();
                    }
                }
            }
        } catch (InterruptedException e) {
            LOG.debug("writer of interface {} was interrupted", nic);
        } catch (SystemCallException e) {
            LOG.debug("frames for interface {}", nic, e);
        }
    }

    /** Bytes in the ring and in the socket; the latter with the kernel's overhead per frame, 0 only if QEMU has read all. */
    long pendingBytes() {
        synchronized (lock) {
            if (closed) {
                return 0;
            }
            try {
                return tail - head + unsent();
            } catch (SystemCallException e) {
                LOG.debug("queue of interface {}", nic, e);
                return tail - head;
            }
        }
    }

    private int unsent() throws SystemCallException {
        Linux.ioctl(fd, Linux.SIOCOUTQ, count);
        return count.getInt(0);
    }

    /** Ends both threads. Must not be called by the listener from within {@code onFrame} unless it can stand not to be waited for. */
    @Override
    public void close() {
        synchronized (lock) {
            if (closed) {
                return;
            }
            closed = true;
            lock.notifyAll();
            try {
                Linux.shutdown(fd);
            } catch (SystemCallException e) {
                LOG.debug("interface {} was down already", nic, e);
            }
        }
        if (Thread.currentThread() != reader) {
            Threads.join(reader);
        }
        Threads.join(writer);
        Threads.closeQuietly(fd, LOG);
    }
}
