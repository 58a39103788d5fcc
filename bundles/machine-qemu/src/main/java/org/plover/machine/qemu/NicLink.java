package org.plover.machine.qemu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.locks.LockSupport;
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
 * a ring that a writer thread empties.
 */
final class NicLink implements AutoCloseable {
    /** Longest frame that QEMU's network layer passes on. */
    static final int FRAME_BYTES_MAX = 68 << 10;
    /** Room for frames that the socket does not take. */
    static final int RING_BYTES = 1 << 20;

    private static final Logger LOG = LoggerFactory.getLogger(NicLink.class);
    private static final int LENGTH_BYTES = 4;

    private final int nic;
    private final int fd;
    private final MachineListener listener;
    private final Thread reader;
    private final Thread writer;

    private final Object lock = new Object();
    // Guarded by lock. head and tail count bytes since the start; the ring holds those in between.
    private final ByteBuffer ring = Memory.allocate(RING_BYTES).order(ByteOrder.BIG_ENDIAN);
    private final long ringAddress = Memory.addressOf(ring);
    private final ByteBuffer count = Memory.allocate(4);
    private long head;
    private long tail;
    private boolean closed;

    /** Whether the reader has, or is about to take, frames that the listener has not got yet. */
    private volatile boolean delivering;

    /** Takes over a connected socket. */
    NicLink(int nic, int fd, String threadPrefix, MachineListener listener) {
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
            while (true) {
                readable.await(-1);
                // Set before anything is taken from the socket, so that awaitDelivered never sees both as empty in between.
                delivering = true;
                if (Linux.read(fd, in) <= 0) {
                    break;
                }
                in.flip();
                deliver(in);
                in.compact();
                delivering = false;
            }
        } catch (SystemCallException e) {
            LOG.debug("frames of interface {}", nic, e);
        } finally {
            delivering = false;
        }
    }

    private void deliver(ByteBuffer in) throws SystemCallException {
        int limit = in.limit();
        while (in.remaining() >= LENGTH_BYTES) {
            int at = in.position();
            int bytes = in.getInt(at);
            if (bytes < 0 || bytes > FRAME_BYTES_MAX) {
                LOG.error("interface {}: QEMU announced a frame of {} bytes; the framing is lost, no more frames are taken", nic,
                        bytes);
                Linux.shutdown(fd);
                in.position(limit);
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
                Linux.ioctl(fd, Linux.FIONREAD, count);
                if (count.getInt(0) == 0 && !delivering) {
                    return true;
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
            if (idle) {
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
            }
        } catch (SystemCallException e) {
            // QEMU is gone; the control connection reports it.
            LOG.debug("frames for interface {}", nic, e);
            head = tail;
        }
    }

    private void writeFrames() {
        PollSet writable = new PollSet(fd);
        writable.setInterest(0, PollSet.OUT);
        try {
            while (true) {
                synchronized (lock) {
                    while (head == tail && !closed) {
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
                    drain();
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
                Linux.ioctl(fd, Linux.SIOCOUTQ, count);
            } catch (SystemCallException e) {
                LOG.debug("queue of interface {}", nic, e);
                return tail - head;
            }
            return tail - head + count.getInt(0);
        }
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
