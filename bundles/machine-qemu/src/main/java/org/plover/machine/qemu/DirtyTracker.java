package org.plover.machine.qemu;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.plover.api.memory.GuestMemory;
import org.plover.api.memory.PageSet;
import org.plover.linux.Errno;
import org.plover.linux.Linux;
import org.plover.linux.Memory;
import org.plover.linux.SystemCallException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which pages of an address range a process has written, by the kernel: userfaultfd write protection in asynchronous mode and
 * the ioctl {@code PAGEMAP_SCAN} (Linux 6.7, {@code Documentation/admin-guide/mm/pagemap.rst}). The process never waits for us.
 * Writes through other mappings of the same file are not seen. Thread-safe; allocates nothing per scan.
 */
final class DirtyTracker implements AutoCloseable {
    /** System call number on x86-64. */
    static final long SYS_USERFAULTFD = 323;

    private static final Logger LOG = LoggerFactory.getLogger(DirtyTracker.class);
    private static final long UFFD_FLAGS = Linux.O_CLOEXEC | Linux.O_NONBLOCK;
    private static final long UFFD_USER_MODE_ONLY = 1;

    private static final long UFFDIO_API = 0xC018AA3FL;
    private static final long UFFDIO_REGISTER = 0xC020AA00L;
    private static final long UFFDIO_WRITEPROTECT = 0xC018AA06L;
    private static final long PAGEMAP_SCAN = 0xC0606610L;
    /** PAGEFAULT_FLAG_WP, WP_HUGETLBFS_SHMEM, WP_UNPOPULATED, WP_ASYNC. */
    private static final long FEATURES = 1L | 1L << 12 | 1L << 13 | 1L << 15;
    private static final long MODE_WP = 2;
    private static final long WRITEPROTECT_WP = 1;
    private static final long SCAN_WP_MATCHING = 1;
    private static final long SCAN_CHECK_WPASYNC = 2;
    private static final long PAGE_IS_WRITTEN = 2;

    // Offsets of struct pm_scan_arg, and of struct page_region.
    private static final int SCAN_BYTES = 96;
    private static final int SCAN_FLAGS = 8;
    private static final int SCAN_START = 16;
    private static final int SCAN_END = 24;
    private static final int SCAN_WALK_END = 32;
    private static final int SCAN_VEC = 40;
    private static final int SCAN_VEC_LEN = 48;
    private static final int SCAN_MASK = 72;
    private static final int SCAN_RETURN_MASK = 88;
    private static final int REGION_BYTES = 24;
    private static final int REGIONS = 4096;

    private final int uffd;
    private final int pagemap;
    private final long start;
    private final long end;
    private final boolean twoPass;
    private final ByteBuffer scan = Memory.allocate(SCAN_BYTES);
    private final ByteBuffer regions = Memory.allocate(REGIONS * REGION_BYTES);
    private final ByteBuffer range = Memory.allocate(24);
    private final long scanAddress = Memory.addressOf(scan);
    private final long rangeAddress = Memory.addressOf(range);
    private final long regionsAddress = Memory.addressOf(regions);
    private boolean closed;

    private DirtyTracker(int uffd, int pagemap, long start, long bytes, boolean twoPass) throws SystemCallException {
        this.uffd = uffd;
        this.pagemap = pagemap;
        this.start = start;
        this.end = start + bytes;
        this.twoPass = twoPass;
        scan.putLong(0, SCAN_BYTES).putLong(SCAN_END, end).putLong(SCAN_VEC, regionsAddress).putLong(SCAN_VEC_LEN, REGIONS)
                .putLong(SCAN_MASK, PAGE_IS_WRITTEN).putLong(SCAN_RETURN_MASK, PAGE_IS_WRITTEN)
                .putLong(SCAN_FLAGS, twoPass ? SCAN_CHECK_WPASYNC : SCAN_WP_MATCHING | SCAN_CHECK_WPASYNC);
        ByteBuffer api = Memory.allocate(24);
        api.putLong(0, 0xAA).putLong(8, FEATURES);
        Linux.ioctl(uffd, UFFDIO_API, api);
        ByteBuffer register = Memory.allocate(32);
        register.putLong(0, start).putLong(8, bytes).putLong(16, MODE_WP);
        Linux.ioctl(uffd, UFFDIO_REGISTER, register);
        protect(start, bytes);
    }

    /**
     * Tracks a range of another process from now on; blocks for some milliseconds per GiB. Its userfaultfd has to be made
     * within that process, see {@link RemoteSystemCall}.
     *
     * @param twoPass see {@link #fetch}; wise under KVM
     */
    static DirtyTracker attach(int pid, int pidfd, long start, long bytes, boolean twoPass) throws IOException {
        int remote = createIn(pid);
        int uffd = Linux.pidfdGetfd(pidfd, remote);
        return open(uffd, "/proc/" + pid + "/pagemap", start, bytes, twoPass);
    }

    /** Tracks a range of this process; to find out whether the kernel can. */
    static DirtyTracker attachSelf(long start, long bytes, boolean twoPass) throws IOException {
        int uffd;
        try {
            uffd = (int) Linux.systemCall("userfaultfd", SYS_USERFAULTFD, UFFD_FLAGS, 0, 0, 0);
        } catch (SystemCallException e) {
            if (e.errno() != Errno.EPERM) {
                throw e;
            }
            uffd = (int) Linux.systemCall("userfaultfd", SYS_USERFAULTFD, UFFD_FLAGS | UFFD_USER_MODE_ONLY, 0, 0, 0);
        }
        return open(uffd, "/proc/self/pagemap", start, bytes, twoPass);
    }

    private static int createIn(int pid) throws IOException {
        try {
            return (int) RemoteSystemCall.execute(pid, "userfaultfd", SYS_USERFAULTFD, UFFD_FLAGS, 0);
        } catch (SystemCallException e) {
            if (e.errno() != Errno.EPERM) {
                throw e;
            }
            // Faults within the kernel are resolved by the kernel itself in asynchronous mode: the lesser right is enough.
            return (int) RemoteSystemCall.execute(pid, "userfaultfd", SYS_USERFAULTFD, UFFD_FLAGS | UFFD_USER_MODE_ONLY, 0);
        }
    }

    private static DirtyTracker open(int uffd, String pagemapPath, long start, long bytes, boolean twoPass) throws IOException {
        int pagemap = -1;
        try {
            pagemap = Linux.open(pagemapPath, Linux.O_RDONLY);
            return new DirtyTracker(uffd, pagemap, start, bytes, twoPass);
        } catch (IOException e) {
            Threads.closeQuietly(uffd, LOG);
            if (pagemap >= 0) {
                Threads.closeQuietly(pagemap, LOG);
            }
            throw e;
        }
    }

    /**
     * Adds the pages written since the last call to {@code into} and starts anew. In one pass, the kernel reports and protects
     * in one go. In two, it first reports, and then exactly the reported runs are protected: under KVM that saves the
     * invalidation of the whole range. A write between the two hits a page that is being reported anyway, and that the caller
     * reads only later.
     */
    synchronized void fetch(PageSet into) throws SystemCallException {
        if (closed) {
            throw new SystemCallException("dirty page tracking has ended", Errno.EBADFD);
        }
        for (long at = start; at < end; ) {
            scan.putLong(SCAN_START, at);
            int n = Linux.ioctl(pagemap, PAGEMAP_SCAN, scanAddress);
            for (int i = 0; i < n; i++) {
                long from = regions.getLong(i * REGION_BYTES);
                long to = regions.getLong(i * REGION_BYTES + 8);
                if (twoPass) {
                    protect(from, to - from);
                }
                into.addRange((int) ((from - start) / GuestMemory.PAGE_BYTES), (int) ((to - start) / GuestMemory.PAGE_BYTES));
            }
            long reached = scan.getLong(SCAN_WALK_END);
            if (reached <= at) {
                throw new SystemCallException("PAGEMAP_SCAN does not advance at 0x" + Long.toHexString(at), Errno.EIO);
            }
            at = reached;
        }
    }

    private void protect(long from, long bytes) throws SystemCallException {
        range.putLong(0, from).putLong(8, bytes).putLong(16, WRITEPROTECT_WP);
        Linux.ioctl(uffd, UFFDIO_WRITEPROTECT, rangeAddress);
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            Threads.closeQuietly(uffd, LOG);
            Threads.closeQuietly(pagemap, LOG);
        }
    }
}
