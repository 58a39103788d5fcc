package org.plover.replication;

import java.nio.ByteBuffer;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.zip.CRC32C;
import org.plover.api.memory.GuestMemory;
import org.plover.api.transport.Lane;
import org.plover.api.transport.Transport;
import org.plover.linux.Linux;
import org.plover.linux.Memory;
import org.plover.linux.SystemCallException;

/** Sends state to the other replica on the bulk lane; waits where the link is slower. Used from the guest's thread. */
final class PageSender {
    /** The peer went away, or what is being sent is no longer wanted. */
    static final class Cancelled extends Exception {
        private static final long serialVersionUID = 1L;

        Cancelled(String message) {
            super(message);
        }
    }

    private static final long RETRY_NANOS = 200_000;
    private static final LongSupplier UNPACED = () -> 0;
    private static final long PACE_STEP_NANOS = 20_000_000;

    private final Supplier<Transport> transport;
    private final BooleanSupplier cancelled;
    private final ByteBuffer buffer = BulkWire.buffer();
    private final CRC32C crc = new CRC32C();
    private final long zeroPage;
    private byte type;
    private int member;
    private long session;
    private long view;
    private long epoch;
    private int count;
    private long bytes;
    private LongSupplier pace = UNPACED;
    private long dueNanos;

    PageSender(Supplier<Transport> transport, BooleanSupplier cancelled) throws SystemCallException {
        this.transport = transport;
        this.cancelled = cancelled;
        this.zeroPage = Linux.mapAnonymous(GuestMemory.PAGE_BYTES);
    }

    void close() throws SystemCallException {
        Linux.munmap(zeroPage, GuestMemory.PAGE_BYTES);
    }

    /** Whom everything goes to that follows, and which epoch it is of. */
    void to(int toMember, long ofSession, long ofView, long ofEpoch) {
        member = toMember;
        session = ofSession;
        view = ofView;
        epoch = ofEpoch;
        crc.reset();
        count = 0;
        bytes = 0;
        pace = UNPACED;
    }

    boolean isZero(long address) {
        return Memory.equal(address, zeroPage, GuestMemory.PAGE_BYTES);
    }

    /** Bytes sent since {@link #to}. */
    long bytes() {
        return bytes;
    }

    /** Begins a message of pages. */
    void beginPages(byte ofType) {
        type = ofType;
        BulkWire.begin(buffer, type, session, view, epoch);
    }

    void page(int page, long address) throws Cancelled {
        boolean zero = isZero(address);
        if (!BulkWire.putPage(buffer, page, address, zero)) {
            endPages();
            beginPages(type);
            BulkWire.putPage(buffer, page, address, zero);
        }
        count++;
    }

    /** A block of a disk; the address is of its content. */
    void block(long id, boolean same, long address) throws Cancelled {
        long key = same ? id | BulkWire.SAME_BLOCK : isZero(address) ? id | BulkWire.ZERO_BLOCK : id;
        if (!BulkWire.putBlock(buffer, key, address)) {
            endPages();
            beginPages(type);
            BulkWire.putBlock(buffer, key, address);
        }
        count++;
    }

    void endPages() throws Cancelled {
        if (buffer.position() > BulkWire.HEADER_BYTES) {
            send(buffer.flip());
        }
    }

    /** Sends digests in pieces, each with the number of its first one and the number of all. */
    void digests(byte ofType, long[] digests) throws Cancelled {
        int total = digests.length / 2;
        int from = 0;
        do {
            int n = Math.min(BulkWire.DIGESTS_MAX, total - from);
            ByteBuffer m = BulkWire.begin(ByteBuffer.allocate(BulkWire.HEADER_BYTES + 12 + n * 16), ofType, session, view, epoch);
            m.putInt(total).putInt(from).putInt(n);
            m.asLongBuffer().put(digests, 2 * from, 2 * n);
            m.position(m.position() + n * 16);
            send(m.flip());
            from += n;
        } while (from < total);
    }

    /** Sends block numbers with their digests in pieces, as {@link #digests} does. */
    void written(long[] ids, long[] digests) throws Cancelled {
        int from = 0;
        do {
            int n = Math.min(BulkWire.DIGESTS_MAX, ids.length - from);
            ByteBuffer m = begin(BulkWire.DISK_WRITTEN, 12 + n * 24).putInt(ids.length).putInt(from).putInt(n);
            m.asLongBuffer().put(ids, from, n).put(digests, 2 * from, 2 * n);
            m.position(m.position() + n * 24);
            send(m.flip());
            from += n;
        } while (from < ids.length);
    }

    /** The digests of a chunk, as the given type of message; null if all of it is zero. */
    void sums(byte ofType, long first, long[] digests) throws Cancelled {
        int n = digests == null ? -1 : digests.length;
        ByteBuffer m = begin(ofType, 12 + 8 * Math.max(0, n)).putLong(first).putInt(n);
        for (int i = 0; i < n; i++) {
            m.putLong(digests[i]);
        }
        send(m.flip());
    }

    /** From now on, until {@link #to}, no more than this many bytes a second; 0 for as many as the link takes. */
    void pace(LongSupplier bytesPerSecondMax) {
        pace = bytesPerSecondMax;
        dueNanos = System.nanoTime();
    }

    void message(ByteBuffer m) throws Cancelled {
        send(m);
    }

    /** A message that begins as all do, with room for more. */
    ByteBuffer begin(byte ofType, int moreBytes) {
        return BulkWire.begin(ByteBuffer.allocate(BulkWire.HEADER_BYTES + moreBytes), ofType, session, view, epoch);
    }

    /** Ends an epoch's state. */
    void end() throws Cancelled {
        ByteBuffer m = begin(BulkWire.END, 8);
        m.putInt(count).putInt((int) crc.getValue());
        send(m.flip());
    }

    /** Throws if what is being sent is no longer wanted, or nobody is there to receive it. */
    void check() throws Cancelled {
        if (cancelled.getAsBoolean()) {
            throw new Cancelled("no longer wanted");
        }
        if (!transport.get().isConnected(member)) {
            throw new Cancelled("the link went down");
        }
    }

    private void send(ByteBuffer m) throws Cancelled {
        if (cancelled.getAsBoolean()) {
            throw new Cancelled("no longer wanted");
        }
        int length = m.remaining();
        crc.update(m.slice(BulkWire.HEADER_BYTES, length - BulkWire.HEADER_BYTES));
        while (!transport.get().send(member, Lane.BULK, m)) {
            m.rewind();
            check();
            LockSupport.parkNanos(RETRY_NANOS);
        }
        bytes += length;
        keepPace(length);
    }

    private void keepPace(int length) throws Cancelled {
        long perSecond = pace.getAsLong();
        long now = System.nanoTime();
        if (perSecond <= 0) {
            dueNanos = now;
            return;
        }
        dueNanos = Math.max(dueNanos, now - PACE_STEP_NANOS) + (long) (1e9 * length / perSecond);
        for (long wait = dueNanos - now; wait > 0; wait = dueNanos - System.nanoTime()) {
            LockSupport.parkNanos(Math.min(wait, PACE_STEP_NANOS));
            if (cancelled.getAsBoolean()) {
                throw new Cancelled("no longer wanted");
            }
        }
    }
}
