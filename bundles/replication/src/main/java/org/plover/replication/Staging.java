package org.plover.replication;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import org.plover.api.memory.GuestMemory;
import org.plover.linux.Memory;
import org.plover.linux.SystemCallException;

/**
 * An epoch as it arrives at the backup, kept apart from the guest until all of it is there and its checksum is right
 * (safety rule S4). Filled by the transport's bulk thread, then handed over whole to the guest's thread.
 */
final class Staging implements AutoCloseable {
    private final PageArena arena;
    private final int pageCount;
    private final CRC32C crc = new CRC32C();
    private long epoch = -1;
    private long index;
    private byte[] deviceState = new byte[0];
    private int[] pages = new int[1024];
    private int count;
    private int blocks;
    private final List<BulkWire.ChunkDigests> diskDigests = new ArrayList<>();
    private long[] allDigests;
    private String hasher = "";
    private boolean complete;

    Staging(int pageCount) throws SystemCallException {
        this.pageCount = pageCount;
        this.arena = new PageArena(pageCount);
    }

    long epoch() {
        return epoch;
    }

    long index() {
        return index;
    }

    boolean isComplete() {
        return complete;
    }

    int size() {
        return count;
    }

    byte[] deviceState() {
        return deviceState;
    }

    /** Digests of all memory, or null if the epoch is not one to be verified. */
    long[] allDigests() {
        return allDigests;
    }

    String hasher() {
        return hasher;
    }

    /** A STATE message's body. */
    void begin(long newEpoch, ByteBuffer body) throws SystemCallException {
        arena.reset();
        crc.reset();
        crc.update(body.duplicate());
        count = 0;
        blocks = 0;
        diskDigests.clear();
        complete = false;
        allDigests = null;
        epoch = newEpoch;
        index = body.getLong();
        byte[] id = BulkWire.bytes(body, body.getShort());
        hasher = new String(id, java.nio.charset.StandardCharsets.UTF_8);
        deviceState = BulkWire.bytes(body, body.getInt());
    }

    /** A PAGES message's body. */
    void pages(ByteBuffer body) {
        crc.update(body.duplicate());
        while (body.hasRemaining()) {
            int page = body.getInt();
            checkPage(page & ~BulkWire.ZERO_PAGE);
            if (count == pages.length) {
                pages = Arrays.copyOf(pages, count * 2);
            }
            pages[count++] = page;
            int slot = arena.take();
            if ((page & BulkWire.ZERO_PAGE) == 0) {
                Memory.put(body, arena.address(slot), GuestMemory.PAGE_BYTES);
            }
        }
    }

    /** A DISK_DIGESTS message's body. */
    void diskDigests(ByteBuffer body) {
        crc.update(body.duplicate());
        diskDigests.add(BulkWire.chunkDigests(body));
    }

    /** Digests of chunks of disks that are to be compared. */
    List<BulkWire.ChunkDigests> diskDigests() {
        return diskDigests;
    }

    /** A DISK_BLOCKS message's body. */
    void diskBlocks(ByteBuffer body, GuestDisks disks) throws IOException {
        crc.update(body.duplicate());
        blocks += disks.stage(body);
    }

    /** An ALL_DIGESTS message's body. */
    void allDigests(ByteBuffer body) {
        crc.update(body.duplicate());
        int total = body.getInt();
        int from = body.getInt();
        int n = body.getInt();
        if (total != pageCount || from < 0 || n < 0 || from + n > total) {
            throw new IllegalArgumentException("digests " + from + "+" + n + " of " + total + ", the guest has " + pageCount + " pages");
        }
        if (allDigests == null) {
            allDigests = new long[2 * total];
        }
        body.asLongBuffer().get(allDigests, 2 * from, 2 * n);
    }

    /** An END message's body: whether everything has arrived intact. */
    boolean end(ByteBuffer body) {
        int expectedCount = body.getInt();
        int expectedCrc = body.getInt();
        complete = expectedCount == count + blocks && expectedCrc == (int) crc.getValue();
        return complete;
    }

    void checkPage(int page) {
        if (page < 0 || page >= pageCount) {
            throw new IllegalArgumentException("page " + page + " of " + pageCount);
        }
    }

    /** Puts all pages in place. */
    void applyTo(long memory) {
        for (int slot = 0; slot < count; slot++) {
            int page = pages[slot] & ~BulkWire.ZERO_PAGE;
            long to = memory + (long) page * GuestMemory.PAGE_BYTES;
            if ((pages[slot] & BulkWire.ZERO_PAGE) != 0) {
                Memory.zero(to, GuestMemory.PAGE_BYTES);
            } else {
                Memory.copy(arena.address(slot), to, GuestMemory.PAGE_BYTES);
            }
        }
    }

    @Override
    public void close() throws SystemCallException {
        arena.close();
    }
}
