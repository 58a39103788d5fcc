package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import org.plover.api.disk.Disks;

/** The lowest layer of one disk: raw content in a file or on a block device, in whole blocks. Thread-safe. */
final class Image implements AutoCloseable {
    private static final long ZEROED_AT_ONCE_BYTES = 64 << 20;

    private final DiskFile file;
    private final boolean readOnly;
    private final int sectorBytes;
    /** Length of the disk; the file may be longer. */
    private volatile long bytes;
    /** At first as well: what the process before has written may not have been synced. */
    private volatile boolean unsynced = true;
    private final AtomicLong directWrites = new AtomicLong(1);
    /** So many of them are durable for certain. */
    private volatile long directWritesSynced;

    Image(DiskFile file, int sectorBytes, boolean readOnly) throws IOException {
        this.file = file;
        this.readOnly = readOnly;
        this.sectorBytes = sectorBytes;
        if (file.bytes() == 0) {
            throw new IOException(file.name() + " is empty; give it the length of the disk, for instance with truncate");
        }
        if (file.bytes() % sectorBytes != 0) {
            throw new IOException(file.name() + " has " + file.bytes() + " bytes, which is no multiple of its sector of " + sectorBytes
                    + "; grow it to " + (file.bytes() / sectorBytes + 1) * sectorBytes);
        }
        bytes = file.bytes();
    }

    String name() {
        return file.name();
    }

    long bytes() {
        return bytes;
    }

    /** Length of the file, which the disk may have. */
    long room() {
        return file.bytes();
    }

    /** The disk has this length from now on, for which there must be room. */
    void limit(long length) {
        if (length <= 0 || length % sectorBytes != 0 || length > room()) {
            throw new IllegalArgumentException(name() + " has room for " + room() + " bytes in sectors of " + sectorBytes + ", not for " + length);
        }
        bytes = length;
    }

    /** Gives the disk room to be this long, all zeros past its present end; durable when this returns. */
    void makeRoom(long wanted) throws IOException {
        if (wanted % sectorBytes != 0) {
            throw new IOException(name() + ": " + wanted + " bytes are no multiple of its sector of " + sectorBytes);
        }
        if (wanted > bytes) {
            if (readOnly) {
                throw new IOException(name() + " is configured as read-only");
            }
            file.grow(wanted);
            for (long at = bytes; at < wanted; at += ZEROED_AT_ONCE_BYTES) {
                long n = Math.min(ZEROED_AT_ONCE_BYTES, wanted - at);
                long data = file.nextData(at);
                if (data >= 0 && data < at + n) {
                    file.zero(at, n);
                }
            }
            file.sync();
        }
    }

    boolean readOnly() {
        return readOnly;
    }

    /** Number of blocks; the last one may be shorter in the file. */
    long blocks() {
        return (bytes + Disks.BLOCK_BYTES - 1) / Disks.BLOCK_BYTES;
    }

    int chunks() {
        return Math.toIntExact((blocks() + Disks.CHUNK_BLOCKS - 1) / Disks.CHUNK_BLOCKS);
    }

    /** Fills what remains in {@code to}. */
    void read(long block, ByteBuffer to) throws IOException {
        long offset = block * Disks.BLOCK_BYTES;
        int end = to.limit();
        // Past the end of the disk the file may hold anything.
        to.limit(to.position() + (int) Math.max(0, Math.min(to.remaining(), bytes - offset)));
        file.read(offset, to);
        to.limit(end);
        while (to.hasRemaining()) {
            to.put((byte) 0);
        }
    }

    /** Writes what remains in {@code from}, whole blocks; what lies past the end of the disk is left out. */
    void write(long block, ByteBuffer from) throws IOException {
        long offset = block * Disks.BLOCK_BYTES;
        unsynced = true;
        int inside = (int) Math.min(from.remaining(), bytes - offset);
        file.write(offset, from.duplicate().limit(from.position() + inside));
        from.position(from.limit());
    }

    /** As {@link #write}, but on any thread while others {@link #sync}; to be made durable by {@link #syncDirectWrites}. */
    void writeDirectly(long block, ByteBuffer from) throws IOException {
        try {
            write(block, from);
        } finally {
            // Afterwards: a sync that runs at the same time must not forget it.
            unsynced = true;
            directWrites.incrementAndGet();
        }
    }

    /** {@link #sync} if a direct write needs it; does not wait for one that others need. */
    void syncDirectWrites() throws IOException {
        if (directWrites.get() != directWritesSynced) {
            sync();
        }
    }

    void zero(long block, int count) throws IOException {
        long offset = block * Disks.BLOCK_BYTES;
        long length = Math.min((long) count * Disks.BLOCK_BYTES, bytes - offset);
        long data = file.nextData(offset);
        if (data >= 0 && data < offset + length) {
            unsynced = true;
            file.zero(offset, length);
        }
    }

    /** The first block at or after this one that is not wholly in a hole, or -1. */
    long nextData(long block) throws IOException {
        if (block >= blocks()) {
            return -1;
        }
        long offset = file.nextData(block * Disks.BLOCK_BYTES);
        return offset < 0 || offset >= bytes ? -1 : offset / Disks.BLOCK_BYTES;
    }

    /** The first block after this one, which is not in a hole, that is wholly in one; the number of blocks if there is none. */
    long nextHole(long block) throws IOException {
        long offset = file.nextHole(block * Disks.BLOCK_BYTES);
        return offset < 0 ? blocks() : Math.min(blocks(), (offset + Disks.BLOCK_BYTES - 1) / Disks.BLOCK_BYTES);
    }

    /** Returns when all that was written before is durable; two at once wait for each other. */
    synchronized void sync() throws IOException {
        long covered = directWrites.get();
        if (unsynced && !readOnly) {
            unsynced = false;
            file.sync();
        }
        directWritesSynced = covered;
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
