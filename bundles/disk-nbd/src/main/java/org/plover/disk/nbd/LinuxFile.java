package org.plover.disk.nbd;

import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.plover.linux.Errno;
import org.plover.linux.Linux;
import org.plover.linux.Memory;
import org.plover.linux.SystemCallException;

/** A file or block device by its descriptor. */
final class LinuxFile implements DiskFile {
    private static final int BOUNCE_BYTES = 1 << 18;
    private static final ThreadLocal<ByteBuffer> BOUNCE = ThreadLocal.withInitial(() -> Memory.allocate(BOUNCE_BYTES));

    private final String name;
    private final int fd;
    private volatile long bytes;
    /** Held shared by every use of the descriptor, so that none meets a number that has been closed and given to another file. */
    private final ReadWriteLock use = new ReentrantReadWriteLock();
    private boolean closed;
    private volatile boolean punches = true;

    LinuxFile(String name, int fd, long bytes) {
        this.name = name;
        this.fd = fd;
        this.bytes = bytes;
    }

    private interface Call<T> {
        T run() throws SystemCallException;
    }

    private <T> T use(Call<T> call) throws IOException {
        use.readLock().lock();
        try {
            if (closed) {
                throw new IOException(name + " has been closed");
            }
            return call.run();
        } catch (SystemCallException e) {
            throw named(name, e);
        } finally {
            use.readLock().unlock();
        }
    }

    static IOException named(String name, SystemCallException e) {
        if (e.errno() == Errno.ENOSPC) {
            Export.NoSpaceException full = new Export.NoSpaceException(name + ": no space is left; make room on its file system");
            full.initCause(e);
            return full;
        }
        return new IOException(name + ": " + e.getMessage(), e);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public void grow(long wanted) throws IOException {
        use(() -> {
            if (Linux.lseek(fd, 0, Linux.SEEK_END) < wanted) {
                try {
                    Linux.ftruncate(fd, wanted);
                } catch (SystemCallException e) {
                    if (e.errno() != Errno.EINVAL) {
                        throw e;
                    }
                    // A block device; whoever made it has to enlarge it.
                }
            }
            bytes = Linux.lseek(fd, 0, Linux.SEEK_END);
            return null;
        });
        if (bytes < wanted) {
            throw new IOException(name + " has " + bytes + " bytes, needed are " + wanted + "; enlarge the block device first");
        }
    }

    @Override
    public void read(long offset, ByteBuffer to) throws IOException {
        if (!to.isDirect()) {
            long at = offset;
            while (to.hasRemaining()) {
                ByteBuffer bounce = BOUNCE.get().clear().limit(Math.min(BOUNCE_BYTES, to.remaining()));
                read(at, bounce);
                at += bounce.flip().remaining();
                to.put(bounce);
            }
            return;
        }
        use(() -> {
            long at = offset;
            while (to.hasRemaining()) {
                int n = Linux.pread(fd, Memory.addressOf(to) + to.position(), to.remaining(), at);
                if (n == 0) {
                    Memory.zero(Memory.addressOf(to) + to.position(), to.remaining());
                    n = to.remaining();
                }
                to.position(to.position() + n);
                at += n;
            }
            Reference.reachabilityFence(to);
            return null;
        });
    }

    @Override
    public void write(long offset, ByteBuffer from) throws IOException {
        if (!from.isDirect()) {
            long at = offset;
            while (from.hasRemaining()) {
                int n = Math.min(BOUNCE_BYTES, from.remaining());
                ByteBuffer bounce = BOUNCE.get().clear();
                bounce.put(from.duplicate().limit(from.position() + n)).flip();
                write(at, bounce);
                from.position(from.position() + n);
                at += n;
            }
            return;
        }
        use(() -> {
            long at = offset;
            while (from.hasRemaining()) {
                int n = Linux.pwrite(fd, Memory.addressOf(from) + from.position(), from.remaining(), at);
                from.position(from.position() + n);
                at += n;
            }
            Reference.reachabilityFence(from);
            return null;
        });
    }

    @Override
    public void zero(long offset, long length) throws IOException {
        if (punches) {
            if (useIfSupported(() -> Linux.punchHole(fd, offset, length))) {
                return;
            }
            punches = false;
        }
        writeZeros(offset, length);
    }

    /** As {@link #zero} where a punched hole may be taken for a mere hint. */
    void zeroAndGiveBack(long offset, long length) throws IOException {
        if (!useIfSupported(() -> Linux.zeroRange(fd, offset, length))) {
            writeZeros(offset, length);
        }
        useIfSupported(() -> Linux.punchHole(fd, offset, length));
    }

    private interface Action {
        void run() throws SystemCallException;
    }

    private boolean useIfSupported(Action action) throws IOException {
        return use(() -> {
            try {
                action.run();
                return true;
            } catch (SystemCallException e) {
                if (e.errno() != Errno.EOPNOTSUPP && e.errno() != Errno.ENODEV) {
                    throw e;
                }
                return false;
            }
        });
    }

    private void writeZeros(long offset, long length) throws IOException {
        byte[] zeros = new byte[(int) Math.min(length, BOUNCE_BYTES)];
        for (long at = 0; at < length; at += zeros.length) {
            write(offset + at, ByteBuffer.wrap(zeros, 0, (int) Math.min(zeros.length, length - at)));
        }
    }

    @Override
    public long nextData(long offset) throws IOException {
        return seek(offset, Linux.SEEK_DATA, offset);
    }

    @Override
    public long nextHole(long offset) throws IOException {
        return seek(offset, Linux.SEEK_HOLE, bytes);
    }

    private long seek(long offset, int whence, long unknown) throws IOException {
        return use(() -> {
            try {
                return Linux.lseek(fd, offset, whence);
            } catch (SystemCallException e) {
                if (e.errno() == Errno.ENXIO) {
                    return -1L;
                }
                if (e.errno() == Errno.EINVAL) {
                    return unknown;
                }
                throw e;
            }
        });
    }

    @Override
    public void sync() throws IOException {
        use(() -> {
            Linux.fdatasync(fd);
            return null;
        });
    }

    @Override
    public void close() throws IOException {
        use.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                Linux.close(fd);
            }
        } finally {
            use.writeLock().unlock();
        }
    }
}
