package org.plover.replication;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.plover.api.memory.GuestMemory;
import org.plover.api.memory.PageSet;
import org.plover.linux.Memory;
import org.plover.linux.SystemCallException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What arrives on the bulk lane. Runs on the transport's thread; pages of a running copy go straight into the waiting
 * machine's memory, pages of an epoch into {@link Staging}, everything else to the group's loop.
 */
final class BulkReceiver {
    private static final Logger LOG = LoggerFactory.getLogger(BulkReceiver.class);

    private final Hashers hashers;
    private final GuestDriver.Surroundings surroundings;
    /** Guards the mapping of guest memory: it must not vanish while pages are put into it. */
    private final Object lock = new Object();
    private GuestMemory memory;
    private Staging staging;
    private long session;
    private long[] digests;

    BulkReceiver(Hashers hashers, GuestDriver.Surroundings surroundings) {
        this.hashers = hashers;
        this.surroundings = surroundings;
    }

    /** Only pages of this session are for the machine at hand; 0 for none. */
    void expect(long newSession) {
        synchronized (lock) {
            session = newSession;
            if (staging != null) {
                dropStaged();
            }
        }
    }

    long session() {
        synchronized (lock) {
            return session;
        }
    }

    void machineReady(GuestMemory newMemory) throws SystemCallException {
        synchronized (lock) {
            memory = newMemory;
            staging = new Staging(newMemory.pageCount());
        }
    }

    /** Waits until no page is being put into the machine's memory any more. */
    void machineGone() {
        synchronized (lock) {
            memory = null;
            if (staging != null) {
                try {
                    staging.close();
                } catch (SystemCallException e) {
                    LOG.warn("memory for arriving epochs could not be given back", e);
                }
                staging = null;
            }
        }
    }

    /** Forgets an epoch that has not arrived completely or has not been acknowledged. */
    void dropStaged() {
        stagedDropped = true;
    }

    private volatile boolean stagedDropped;

    /** The complete epoch; called on the guest's thread, which is its owner until the epoch has been acknowledged as applied. */
    Staging staged(long epoch) {
        synchronized (lock) {
            if (staging == null || !staging.isComplete() || staging.epoch() != epoch || stagedDropped) {
                throw new IllegalStateException("S4: epoch " + epoch + " is not completely here");
            }
            return staging;
        }
    }

    /** A message on the bulk lane. */
    void onMessage(ByteBuffer m) {
        byte type = m.get();
        long ofSession = m.getLong();
        long view = m.getLong();
        long epoch = m.getLong();
        switch (type) {
            case BulkWire.DIRTY -> {
                PageSet pages = PageSet.decode(m);
                synchronized (lock) {
                    if (memory == null || pages.pageCount() != memory.pageCount()) {
                        throw new IllegalArgumentException("a set over " + pages.pageCount() + " pages is not of this guest");
                    }
                }
                surroundings.post(() -> surroundings.events().onPeerDirty(view, epoch, pages, System.nanoTime()));
            }
            case BulkWire.DIGESTS -> onDigests(view, epoch, m);
            default -> {
                synchronized (lock) {
                    if (memory != null && session != 0 && ofSession == session) {
                        onState(type, view, epoch, m);
                    }
                }
            }
        }
    }

    private void onDigests(long view, long epoch, ByteBuffer m) {
        int total = m.getInt();
        int from = m.getInt();
        int n = m.getInt();
        if (from == 0) {
            digests = new long[2 * total];
        }
        if (digests == null || digests.length != 2 * total || from < 0 || n < 0 || from + n > total) {
            throw new IllegalArgumentException("digests " + from + "+" + n + " of " + total + " do not follow the ones before");
        }
        m.asLongBuffer().get(digests, 2 * from, 2 * n);
        if (from + n == total) {
            long[] all = digests;
            digests = null;
            surroundings.post(() -> surroundings.events().onPeerDigests(view, epoch, all, System.nanoTime()));
        }
    }

    private void onState(byte type, long view, long epoch, ByteBuffer m) {
        try {
            switch (type) {
                case BulkWire.SESSION -> {
                    int pages = m.getInt();
                    if (pages != memory.pageCount()) {
                        throw new IllegalArgumentException("the primary's guest has " + pages + " pages, this one " + memory.pageCount()
                                + "; give both the same memoryMiB");
                    }
                    byte[] secret = new byte[m.getInt()];
                    m.get(secret);
                    hashers.key(secret);
                    Arrays.fill(secret, (byte) 0);
                }
                case BulkWire.PRECOPY -> precopied(m);
                case BulkWire.STATE -> {
                    stagedDropped = false;
                    staging.begin(epoch, m);
                }
                case BulkWire.PAGES -> staging.pages(m);
                case BulkWire.ALL_DIGESTS -> staging.allDigests(m);
                case BulkWire.END -> onEnd(view, epoch, m);
                default -> throw new IllegalArgumentException("unknown bulk message " + type);
            }
        } catch (SystemCallException e) {
            throw new IllegalStateException("no memory for an arriving epoch: " + e.getMessage(), e);
        }
    }

    private void precopied(ByteBuffer m) {
        while (m.hasRemaining()) {
            int page = m.getInt();
            int number = page & ~BulkWire.ZERO_PAGE;
            staging.checkPage(number);
            long to = memory.address() + (long) number * GuestMemory.PAGE_BYTES;
            if (page == number) {
                Memory.put(m, to, GuestMemory.PAGE_BYTES);
            } else {
                Memory.zero(to, GuestMemory.PAGE_BYTES);
            }
        }
    }

    private void onEnd(long view, long epoch, ByteBuffer m) {
        if (staging.epoch() != epoch || stagedDropped) {
            return;
        }
        if (!staging.end(m)) {
            LOG.warn("epoch {} arrived damaged; it is not used", epoch);
            surroundings.post(() -> surroundings.events().onGuestFailed("epoch " + epoch + " arrived damaged", System.nanoTime()));
            return;
        }
        long index = staging.index();
        surroundings.post(() -> surroundings.events().onStaged(view, epoch, index, System.nanoTime()));
    }
}
