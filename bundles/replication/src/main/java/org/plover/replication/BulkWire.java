package org.plover.replication;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.plover.api.disk.Disks;
import org.plover.api.memory.GuestMemory;
import org.plover.linux.Memory;

/**
 * Messages on the bulk lane. All begin with type, session, view and epoch ({@link #HEADER_BYTES} bytes); a receiver drops
 * what is not of its session and view (safety rule S7).
 */
final class BulkWire {
    /** A session begins: the secret that keys the hashers. */
    static final byte SESSION = 1;
    /** Pages copied while the primary's guest runs; put in place at once. */
    static final byte PRECOPY = 2;
    /** Backup to primary: pages its guest wrote. */
    static final byte DIRTY = 3;
    /** Backup to primary: digests of those pages. */
    static final byte DIGESTS = 4;
    /** Begin of an epoch's state: device state. */
    static final byte STATE = 5;
    /** Pages of an epoch. */
    static final byte PAGES = 6;
    /** Digests of all memory at the end of the epoch. */
    static final byte ALL_DIGESTS = 7;
    /** End of an epoch's state: number of pages and checksum over everything since STATE. */
    static final byte END = 8;
    /** Backup to primary: blocks of disks its guest wrote, with their digests. */
    static final byte DISK_WRITTEN = 9;
    /** Primary to a fresh backup: digests of which chunks are wanted. */
    static final byte DISK_ASK = 10;
    /** The answer, one message for a chunk. */
    static final byte DISK_SUMS = 11;
    /** Blocks copied to a fresh backup; put in place at once. */
    static final byte DISK_FILL = 12;
    /** Blocks of an epoch. */
    static final byte DISK_BLOCKS = 13;
    /** Digests of a chunk of disks at the end of the epoch, for comparison. */
    static final byte DISK_DIGESTS = 14;

    static final int HEADER_BYTES = 1 + 8 + 8 + 8;
    /** Set in a page's number: it is all zero and has no content in the message. */
    static final int ZERO_PAGE = 1 << 31;
    /** Set in a block's number: the backup's guest has written the same, there is no content in the message. */
    static final long SAME_BLOCK = 1L << 63;
    /** Set in a block's number: it is all zero and has no content in the message. */
    static final long ZERO_BLOCK = 1L << 62;
    /** Digests in one message. */
    static final int DIGESTS_MAX = 32 << 10;
    /** Room for pages in one message. */
    static final int PAGES_BYTES = 64 * (8 + GuestMemory.PAGE_BYTES);

    private BulkWire() {
    }

    /** Digests of a chunk, named by its first block; null where all of it is zero, empty if there is no such hasher. */
    record ChunkDigests(long first, long[] digests) {
    }

    /** The body of a DISK_SUMS or DISK_DIGESTS message. */
    static ChunkDigests chunkDigests(ByteBuffer body) {
        long first = body.getLong();
        int n = body.getInt();
        return new ChunkDigests(first, n < 0 ? null : longs(body, n));
    }

    /** That many bytes, if they are there: memory is not taken on a peer's word. */
    static byte[] bytes(ByteBuffer body, int n) {
        if (n < 0 || n > body.remaining()) {
            throw new IllegalArgumentException(n + " bytes announced, there are " + body.remaining());
        }
        byte[] bytes = new byte[n];
        body.get(bytes);
        return bytes;
    }

    static long[] longs(ByteBuffer body, int n) {
        if (n < 0 || n > body.remaining() / Long.BYTES) {
            throw new IllegalArgumentException(n + " numbers announced, there is room for " + body.remaining() / Long.BYTES);
        }
        long[] all = new long[n];
        body.asLongBuffer().get(all);
        body.position(body.position() + Long.BYTES * n);
        return all;
    }

    static ByteBuffer begin(ByteBuffer to, byte type, long session, long view, long epoch) {
        to.clear();
        to.order(ByteOrder.BIG_ENDIAN);
        return to.put(type).putLong(session).putLong(view).putLong(epoch);
    }

    static ByteBuffer buffer() {
        return ByteBuffer.allocateDirect(HEADER_BYTES + 4 + PAGES_BYTES).order(ByteOrder.BIG_ENDIAN);
    }

    /** Appends a page; false if there is no room for it any more. */
    static boolean putPage(ByteBuffer to, int page, long address, boolean zero) {
        int need = zero ? 4 : 4 + GuestMemory.PAGE_BYTES;
        if (to.remaining() < need) {
            return false;
        }
        to.putInt(zero ? page | ZERO_PAGE : page);
        if (!zero) {
            Memory.get(address, to, GuestMemory.PAGE_BYTES);
        }
        return true;
    }

    /** As {@link #putPage}, for a block of a disk; without content if the key says so. */
    static boolean putBlock(ByteBuffer to, long key, long address) {
        boolean content = (key & (SAME_BLOCK | ZERO_BLOCK)) == 0;
        if (to.remaining() < (content ? 8 + Disks.BLOCK_BYTES : 8)) {
            return false;
        }
        to.putLong(key);
        if (content) {
            Memory.get(address, to, Disks.BLOCK_BYTES);
        }
        return true;
    }
}
