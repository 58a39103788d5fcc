package org.plover.linux;

import com.kenai.jffi.LastError;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import jnr.ffi.Pointer;

/**
 * System calls. All methods are thread-safe in the sense of the kernel; those that can block say so, and block the calling
 * thread outside the Java heap (no interruption: end them with {@link #shutdown}, an eventfd in a {@link PollSet}, or by
 * {@link #close} where the kernel documents it). {@code EINTR} is retried within. Buffers must be direct.
 */
public final class Linux {
    /** Result of {@link #read}, {@link #write} and {@link #send}: a non-blocking descriptor has nothing to give or no room. */
    public static final int WOULD_BLOCK = -1;

    public static final int O_RDONLY = 0;
    public static final int O_WRONLY = 1;
    public static final int O_RDWR = 2;
    public static final int O_CREAT = 0100;
    public static final int O_EXCL = 0200;
    public static final int O_TRUNC = 01000;
    public static final int O_NONBLOCK = 04000;
    public static final int O_CLOEXEC = 02000000;

    public static final int AF_UNIX = 1;
    public static final int AF_INET = 2;
    public static final int SOCK_STREAM = 1;
    public static final int SOCK_DGRAM = 2;
    public static final int SOCK_NONBLOCK = 04000;
    public static final int SOCK_CLOEXEC = 02000000;
    public static final int MSG_DONTWAIT = 0x40;
    public static final int MSG_NOSIGNAL = 0x4000;

    /** ioctl on a stream socket or tap: bytes that can be read at once, as an int. */
    public static final long FIONREAD = 0x541B;
    /** ioctl on a stream socket: what the peer has not read yet, as an int; on Unix sockets with the kernel's overhead. */
    public static final long SIOCOUTQ = 0x5411;

    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int MAP_SHARED = 1;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_ANONYMOUS = 0x20;
    private static final int FALLOC_FL_KEEP_SIZE = 1;
    private static final int FALLOC_FL_PUNCH_HOLE = 2;
    private static final int FALLOC_FL_ZERO_RANGE = 16;
    private static final int F_RDLCK = 0;
    private static final int F_WRLCK = 1;
    private static final int F_OFD_SETLK = 37;
    private static final long SYS_PIDFD_OPEN = 434;
    private static final long SYS_PIDFD_GETFD = 438;

    private static final LibC C = LibC.INSTANCE;

    private Linux() {
    }

    // --- files --------------------------------------------------------------------------------------------------------

    /** Opens a file; {@code O_CLOEXEC} is always added, so that no child of the appliance inherits it. */
    public static int open(String path, int flags) throws SystemCallException {
        return open(path, flags, 0);
    }

    /** Opens a file that {@code O_CREAT} may create with the given mode (for instance {@code 0600}). */
    public static int open(String path, int flags, int mode) throws SystemCallException {
        int fd;
        do {
            fd = C.open(path, flags | O_CLOEXEC, mode);
        } while (fd < 0 && errno() == Errno.EINTR);
        if (fd < 0) {
            throw failed("open " + path);
        }
        return fd;
    }

    /** Closes a descriptor. Never retried: on Linux it is closed even if the call reports an error. */
    public static void close(int fd) throws SystemCallException {
        if (C.close(fd) < 0) {
            throw failed("close of descriptor " + fd);
        }
    }

    /**
     * Reads into the buffer's remaining part and advances its position. Blocks unless the descriptor is non-blocking.
     *
     * @return bytes read, 0 at the end of the stream, or {@link #WOULD_BLOCK}
     */
    public static int read(int fd, ByteBuffer into) throws SystemCallException {
        int n = read(fd, Memory.addressOfRemaining(into), into.remaining());
        Reference.reachabilityFence(into);
        if (n > 0) {
            into.position(into.position() + n);
        }
        return n;
    }

    /** Reads into raw memory; as {@link #read(int, ByteBuffer)}. */
    public static int read(int fd, long address, int bytes) throws SystemCallException {
        while (true) {
            long n = C.read(fd, address, bytes);
            if (n >= 0) {
                return (int) n;
            }
            if (wouldBlock("read from descriptor ", fd)) {
                return WOULD_BLOCK;
            }
        }
    }

    /**
     * Writes the buffer's remaining part and advances its position by what was taken. Blocks unless the descriptor is
     * non-blocking.
     *
     * @return bytes written, or {@link #WOULD_BLOCK}
     */
    public static int write(int fd, ByteBuffer from) throws SystemCallException {
        int n = write(fd, Memory.addressOfRemaining(from), from.remaining());
        Reference.reachabilityFence(from);
        if (n > 0) {
            from.position(from.position() + n);
        }
        return n;
    }

    /** Writes raw memory; as {@link #write(int, ByteBuffer)}. */
    public static int write(int fd, long address, int bytes) throws SystemCallException {
        while (true) {
            long n = C.write(fd, address, bytes);
            if (n >= 0) {
                return (int) n;
            }
            if (wouldBlock("write to descriptor ", fd)) {
                return WOULD_BLOCK;
            }
        }
    }

    /** Reads at an offset into raw memory; returns the bytes read, 0 at the end of the file. */
    public static int pread(int fd, long address, int bytes, long offset) throws SystemCallException {
        while (true) {
            long n = C.pread(fd, address, bytes, offset);
            if (n >= 0) {
                return (int) n;
            }
            if (wouldBlock("pread from descriptor ", fd)) {
                return WOULD_BLOCK;
            }
        }
    }

    /** Writes raw memory at an offset; returns the bytes written. */
    public static int pwrite(int fd, long address, int bytes, long offset) throws SystemCallException {
        while (true) {
            long n = C.pwrite(fd, address, bytes, offset);
            if (n >= 0) {
                return (int) n;
            }
            if (wouldBlock("pwrite to descriptor ", fd)) {
                return WOULD_BLOCK;
            }
        }
    }

    /** Blocks until everything written to the file, and its metadata, is on stable storage. */
    public static void fsync(int fd) throws SystemCallException {
        if (C.fsync(fd) < 0) {
            throw failed("fsync of descriptor " + fd);
        }
    }

    /** Blocks until everything written to the file can be read back after a power loss. */
    public static void fdatasync(int fd) throws SystemCallException {
        if (C.fdatasync(fd) < 0) {
            throw failed("fdatasync of descriptor " + fd);
        }
    }

    /** Sets a file's length. */
    public static void ftruncate(int fd, long bytes) throws SystemCallException {
        if (C.ftruncate(fd, bytes) < 0) {
            throw failed("ftruncate of descriptor " + fd + " to " + bytes + " bytes");
        }
    }

    /** {@code whence} of {@link #lseek}: from the file's end. */
    public static final int SEEK_END = 2;
    /** {@code whence} of {@link #lseek}: the next byte that is not in a hole; ENXIO if there is none. */
    public static final int SEEK_DATA = 3;
    /** {@code whence} of {@link #lseek}: the next byte in a hole; the file's end counts as one. */
    public static final int SEEK_HOLE = 4;

    /** Moves the descriptor's own offset (which pread and pwrite do not use) and returns it. */
    public static long lseek(int fd, long offset, int whence) throws SystemCallException {
        long at = C.lseek(fd, offset, whence);
        if (at < 0) {
            throw failed("lseek of descriptor " + fd + " to " + offset);
        }
        return at;
    }

    /** Reserves room for a range of a file and makes the file long enough; a range that has room keeps its content. */
    public static void allocate(int fd, long offset, long bytes) throws SystemCallException {
        fallocate(fd, 0, offset, bytes);
    }

    /** Gives the room of a range of a file or block device back: it reads as zeros. EOPNOTSUPP where that cannot be done. */
    public static void punchHole(int fd, long offset, long bytes) throws SystemCallException {
        fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, bytes);
    }

    /** Makes a range of a file or block device read as zeros, with or without giving its room back. EOPNOTSUPP where that cannot be done. */
    public static void zeroRange(int fd, long offset, long bytes) throws SystemCallException {
        fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, bytes);
    }

    private static void fallocate(int fd, int mode, long offset, long bytes) throws SystemCallException {
        while (C.fallocate(fd, mode, offset, bytes) < 0) {
            if (errno() != Errno.EINTR) {
                throw failed("fallocate of descriptor " + fd + " at " + offset + ", " + bytes + " bytes");
            }
        }
    }

    /**
     * Locks a whole file for as long as this open file lives (an "open file description lock": other descriptors of the same
     * process are kept out too, and closing one of those does not unlock). Does not block.
     *
     * @param exclusive nobody else may hold a lock; otherwise others may hold one that is not exclusive
     * @return false if somebody else holds a lock that is in the way
     */
    public static boolean lock(int fd, boolean exclusive) throws SystemCallException {
        ByteBuffer flock = Memory.allocate(32);
        flock.putShort(0, (short) (exclusive ? F_WRLCK : F_RDLCK));
        try {
            if (C.fcntl(fd, F_OFD_SETLK, Memory.addressOf(flock)) == 0) {
                return true;
            }
            int errno = errno();
            if (errno == Errno.EAGAIN || errno == Errno.EACCES) {
                return false;
            }
            throw new SystemCallException("lock of descriptor " + fd, errno);
        } finally {
            Reference.reachabilityFence(flock);
        }
    }

    /** Device control with a number or an address as its argument; returns what the driver returned (0 or more). */
    public static int ioctl(int fd, long request, long argument) throws SystemCallException {
        int result = C.ioctl(fd, request, argument);
        if (result < 0) {
            throw failed("ioctl 0x" + Long.toHexString(request) + " on descriptor " + fd);
        }
        return result;
    }

    /** Device control with a structure that begins at the buffer's first byte (not its position), read and written there. */
    public static int ioctl(int fd, long request, ByteBuffer structure) throws SystemCallException {
        try {
            return ioctl(fd, request, Memory.addressOf(structure));
        } finally {
            Reference.reachabilityFence(structure);
        }
    }

    // --- memory mappings ----------------------------------------------------------------------------------------------

    /** Maps a file's first bytes readable, writable and shared; returns the address. */
    public static long mapShared(int fd, long bytes) throws SystemCallException {
        return mapped(C.mmap(null, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), bytes);
    }

    /** Maps zeroed memory that belongs to nobody else; returns the address. */
    public static long mapAnonymous(long bytes) throws SystemCallException {
        return mapped(C.mmap(null, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), bytes);
    }

    private static long mapped(Pointer address, long bytes) throws SystemCallException {
        if (address == null || address.address() == -1) {
            throw failed("mmap of " + bytes + " bytes");
        }
        return address.address();
    }

    /** Ends a mapping. Whoever still uses its addresses afterwards crashes the process. */
    public static void munmap(long address, long bytes) throws SystemCallException {
        if (C.munmap(address, bytes) < 0) {
            throw failed("munmap of " + bytes + " bytes");
        }
    }

    // --- sockets and events -------------------------------------------------------------------------------------------

    /** Creates a socket; {@code SOCK_CLOEXEC} is always added to {@code type}. */
    public static int socket(int family, int type, int protocol) throws SystemCallException {
        int fd = C.socket(family, type | SOCK_CLOEXEC, protocol);
        if (fd < 0) {
            throw failed("socket of family " + family);
        }
        return fd;
    }

    /** Longest path of a Unix socket, in bytes of UTF-8. */
    public static final int UNIX_PATH_BYTES_MAX = 107;

    /**
     * Listens on a stream socket at a path that must not exist yet.
     *
     * @return the listening descriptor
     */
    public static int listenUnix(String path) throws SystemCallException {
        byte[] name = path.getBytes(StandardCharsets.UTF_8);
        if (name.length > UNIX_PATH_BYTES_MAX) {
            throw new IllegalArgumentException("socket path " + path + " has " + name.length + " bytes, Linux takes "
                    + UNIX_PATH_BYTES_MAX + ": choose a shorter directory");
        }
        ByteBuffer address = Memory.allocate(110);
        address.putShort(0, (short) AF_UNIX).position(2).put(name);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        try {
            if (C.bind(fd, Memory.addressOf(address), 110) < 0) {
                throw failed("bind to " + path);
            }
            if (C.listen(fd, 16) < 0) {
                throw failed("listen on " + path);
            }
        } catch (SystemCallException e) {
            C.close(fd);
            throw e;
        } finally {
            Reference.reachabilityFence(address);
        }
        return fd;
    }

    /** Blocks until a peer connects; returns the connection's descriptor. */
    public static int accept(int listeningFd) throws SystemCallException {
        while (true) {
            int fd = C.accept4(listeningFd, 0, 0, SOCK_CLOEXEC);
            if (fd >= 0) {
                return fd;
            }
            if (errno() != Errno.EINTR) {
                throw failed("accept on descriptor " + listeningFd);
            }
        }
    }

    /**
     * Sends raw memory on a socket; {@code MSG_NOSIGNAL} is always added to {@code flags}.
     *
     * @return bytes taken, or {@link #WOULD_BLOCK} with {@link #MSG_DONTWAIT} or a non-blocking socket
     */
    public static int send(int fd, long address, int bytes, int flags) throws SystemCallException {
        while (true) {
            long n = C.send(fd, address, bytes, flags | MSG_NOSIGNAL);
            if (n >= 0) {
                return (int) n;
            }
            if (wouldBlock("send on descriptor ", fd)) {
                return WOULD_BLOCK;
            }
        }
    }

    /**
     * Receives from a stream socket into the buffer's remaining part and advances its position.
     *
     * @return bytes received, 0 at the end of the stream, or {@link #WOULD_BLOCK} with {@link #MSG_DONTWAIT} or a non-blocking
     *         socket
     */
    public static int receive(int fd, ByteBuffer into, int flags) throws SystemCallException {
        while (true) {
            long n = C.recv(fd, Memory.addressOfRemaining(into), into.remaining(), flags);
            Reference.reachabilityFence(into);
            if (n >= 0) {
                into.position(into.position() + (int) n);
                return (int) n;
            }
            if (wouldBlock("receive from descriptor ", fd)) {
                return WOULD_BLOCK;
            }
        }
    }

    /** Shuts both directions of a socket down: blocked readers of either side see the end of the stream. */
    public static void shutdown(int fd) throws SystemCallException {
        if (C.shutdown(fd, 2) < 0) {
            throw failed("shutdown of descriptor " + fd);
        }
    }

    /** Creates a non-blocking event counter: {@link #signal} makes it readable until {@link #clear}. */
    public static int eventfd() throws SystemCallException {
        int fd = C.eventfd(0, O_NONBLOCK | O_CLOEXEC);
        if (fd < 0) {
            throw failed("eventfd");
        }
        return fd;
    }

    /** Makes an event counter readable. */
    public static void signal(int eventfd) throws SystemCallException {
        ByteBuffer one = Memory.allocate(8);
        one.putLong(0, 1);
        write(eventfd, one);
    }

    /** Makes an event counter unreadable. */
    public static void clear(int eventfd) throws SystemCallException {
        read(eventfd, Memory.allocate(8));
    }

    /**
     * poll(2) on raw {@code struct pollfd}s; {@link PollSet} is the comfortable form.
     *
     * @param timeoutMillis -1 waits without end, 0 not at all
     * @return number of descriptors with events
     */
    public static int poll(long address, int count, int timeoutMillis) throws SystemCallException {
        while (true) {
            int n = C.poll(address, count, timeoutMillis);
            if (n >= 0) {
                return n;
            }
            if (errno() != Errno.EINTR) {
                throw failed("poll of " + count + " descriptors");
            }
        }
    }

    /** Index of a network interface, or 0 if there is none of that name. */
    public static int interfaceIndex(String name) {
        return C.if_nametoindex(name);
    }

    // --- processes ----------------------------------------------------------------------------------------------------

    /** A descriptor for a process; it becomes readable when the process ends. */
    public static int pidfdOpen(int pid) throws SystemCallException {
        long fd = C.syscall(SYS_PIDFD_OPEN, pid, 0, 0, 0);
        if (fd < 0) {
            throw failed("pidfd_open of process " + pid);
        }
        return (int) fd;
    }

    /** Duplicates a descriptor of another process into this one; needs the right to trace it. */
    public static int pidfdGetfd(int pidfd, int remoteFd) throws SystemCallException {
        long fd = C.syscall(SYS_PIDFD_GETFD, pidfd, remoteFd, 0, 0);
        if (fd < 0) {
            throw failed("pidfd_getfd of descriptor " + remoteFd);
        }
        return (int) fd;
    }

    /** Any system call by its number; the numbers are those of this architecture. Returns what the kernel returned. */
    public static long systemCall(String name, long number, long a, long b, long c, long d) throws SystemCallException {
        long result = C.syscall(number, a, b, c, d);
        if (result == -1) {
            throw failed(name);
        }
        return result;
    }

    /** ptrace(2), for requests whose result is an error code; all calls for a tracee must come from one native thread. */
    public static void ptrace(String what, long request, int pid, long address, long data) throws SystemCallException {
        if (C.ptrace(request, pid, address, data) == -1) {
            throw failed(what + " of process " + pid);
        }
    }

    /**
     * Waits for a child or tracee to change its state; blocks unless told otherwise by {@code options}.
     *
     * @return the raw wait status
     */
    public static int waitpid(int pid, int options) throws SystemCallException {
        ByteBuffer status = Memory.allocate(4);
        try {
            while (true) {
                int got = C.waitpid(pid, Memory.addressOf(status), options);
                if (got >= 0) {
                    return status.getInt(0);
                }
                if (errno() != Errno.EINTR) {
                    throw failed("waitpid of process " + pid);
                }
            }
        } finally {
            Reference.reachabilityFence(status);
        }
    }

    /** Sends a signal (9 is SIGKILL, 0 only asks whether the process is there). */
    public static void kill(int pid, int signal) throws SystemCallException {
        if (C.kill(pid, signal) < 0) {
            throw failed("kill of process " + pid + " with signal " + signal);
        }
    }

    /** Numeric id of the user this process runs as; 0 is root. */
    public static int userId() {
        return C.getuid();
    }

    // --- errors -------------------------------------------------------------------------------------------------------

    private static int errno() {
        return LastError.getInstance().get();
    }

    /** True for EAGAIN; false for EINTR, which wants another try; anything else is thrown. */
    private static boolean wouldBlock(String what, int fd) throws SystemCallException {
        int errno = errno();
        if (errno == Errno.EAGAIN) {
            return true;
        }
        if (errno == Errno.EINTR) {
            return false;
        }
        throw new SystemCallException(what + fd, errno);
    }

    private static SystemCallException failed(String what) {
        return new SystemCallException(what, errno());
    }

    static {
        if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
            throw new IllegalStateException("org.plover.linux lays structures out for little-endian machines");
        }
    }
}
