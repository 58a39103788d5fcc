package org.plover.replication;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
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
    /** Blocks that a guest may have written in an epoch: 16 GiB of them. */
    private static final int BLOCKS_MAX = 4 << 20;

    private final Hashers hashers;
    private final GuestDriver.Surroundings surroundings;
    /** Guards the mapping of guest memory: it must not vanish while pages are put into it. */
    private final Object lock = new Object();
    private int digestsTotal;
    private int digestsHere;
    private GuestMemory memory;
    private Staging staging;
    private long session;
    private GuestDisks disks;
    private long[] digests;
    /** Whether an epoch is awaited, and which; epoch 0 for any, which is a fresh backup's first. */
    private boolean accepting;
    private long acceptView;
    private long acceptEpoch;
    private long[] blockIds;
    private long[] blockDigests;
    private volatile GuestDisks.PeerBlocks peerBlocks = GuestDisks.PeerBlocks.NONE;

    /** What the primary wants to know of this fresh backup's disks. */
    interface Questions {
        void onAsked(long view, String hasher, long[] chunks);

        void onAnswered(long session, BulkWire.ChunkDigests chunk);
    }

    private final Questions questions;

    BulkReceiver(Hashers hashers, GuestDriver.Surroundings surroundings, Questions questions) {
        this.hashers = hashers;
        this.surroundings = surroundings;
        this.questions = questions;
    }

    /** Only pages of this session are for the machine at hand; 0 for none. */
    void expect(long newSession) {
        synchronized (lock) {
            session = newSession;
            if (staging != null) {
                dropStaged();
            }
            accepting = newSession != 0;
            acceptEpoch = 0;
        }
    }

    long session() {
        synchronized (lock) {
            return session;
        }
    }

    /** From now on this epoch may arrive, and no other. */
    void accept(long view, long epoch) {
        synchronized (lock) {
            accepting = true;
            acceptView = view;
            acceptEpoch = epoch;
        }
    }

    /** Nothing that arrives from now on may become part of this guest's disks; what has arrived and was not applied is void. */
    void refuse() {
        synchronized (lock) {
            accepting = false;
            if (disks != null) {
                disks.unstage();
            }
        }
    }

    /** Digests of a chunk of this fresh backup's disks; see {@link GuestDisks#sums}. */
    long[] sums(String hasher, long first) throws IOException {
        synchronized (lock) {
            return disks.sums(hasher, first);
        }
    }

    /** What the backup's guest has written in an epoch. */
    GuestDisks.PeerBlocks peerBlocks(long epoch) {
        GuestDisks.PeerBlocks last = peerBlocks;
        return last.epoch() == epoch ? last : GuestDisks.PeerBlocks.NONE;
    }

    void machineReady(GuestMemory newMemory, GuestDisks newDisks) throws SystemCallException {
        synchronized (lock) {
            memory = newMemory;
            disks = newDisks;
            staging = new Staging(newMemory.pageCount());
        }
    }

    /** Waits until no page is being put into the machine's memory any more. */
    void machineGone() {
        synchronized (lock) {
            memory = null;
            disks = null;
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
            case BulkWire.DISK_WRITTEN -> onWritten(epoch, m);
            case BulkWire.DISK_SUMS -> {
                questions.onAnswered(ofSession, BulkWire.chunkDigests(m));
            }
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
            digests = new long[0];
            digestsTotal = total;
            digestsHere = 0;
        }
        if (digests == null || total != digestsTotal || total > PageSet.PAGES_MAX || from != digestsHere || n < 0 || n > m.remaining() / 16 || n > total - from) {
            throw new IllegalArgumentException("digests " + from + "+" + n + " of " + total + " do not follow the ones before");
        }
        digestsHere += n;
        if (digests.length < 2 * digestsHere) {
            // It grows with what arrives: memory is not taken on a peer's word.
            digests = Arrays.copyOf(digests, (int) Math.min(2L * total, Math.max(2L * digestsHere, 2L * digests.length)));
        }
        m.asLongBuffer().get(digests, 2 * from, 2 * n);
        if (digestsHere == total) {
            long[] all = digests;
            digests = null;
            surroundings.post(() -> surroundings.events().onPeerDigests(view, epoch, all, System.nanoTime()));
        }
    }

    private void onWritten(long epoch, ByteBuffer m) {
        int total = m.getInt();
        int from = m.getInt();
        int n = m.getInt();
        if (total < 0 || total > BLOCKS_MAX) {
            throw new IllegalArgumentException(total + " blocks written in an epoch, " + BLOCKS_MAX + " are possible");
        }
        if (from == 0) {
            blockIds = new long[total];
            blockDigests = new long[2 * total];
        }
        if (blockIds == null || blockIds.length != total || from < 0 || n < 0 || from + n > total) {
            throw new IllegalArgumentException("blocks " + from + "+" + n + " of " + total + " do not follow the ones before");
        }
        m.asLongBuffer().get(blockIds, from, n).get(blockDigests, 2 * from, 2 * n);
        if (from + n == total) {
            peerBlocks = new GuestDisks.PeerBlocks(epoch, blockIds, blockDigests);
            blockIds = null;
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
                    byte[] secret = BulkWire.bytes(m, m.getInt());
                    hashers.key(secret);
                    Arrays.fill(secret, (byte) 0);
                }
                case BulkWire.PRECOPY -> precopied(m);
                case BulkWire.STATE -> {
                    if (accepting && (acceptEpoch == 0 || acceptEpoch == epoch && acceptView == view)) {
                        stagedDropped = false;
                        staging.begin(epoch, m);
                        disks.stageBegin(epoch);
                    }
                }
                case BulkWire.PAGES, BulkWire.DISK_BLOCKS, BulkWire.DISK_DIGESTS, BulkWire.ALL_DIGESTS, BulkWire.END -> {
                    if (accepting && !stagedDropped && staging.epoch() == epoch) {
                        onPart(type, view, epoch, m);
                    }
                }
                case BulkWire.DISK_FILL -> disks.fill(m);
                case BulkWire.DISK_ASK -> {
                    byte[] hasher = BulkWire.bytes(m, m.getShort());
                    questions.onAsked(view, new String(hasher, StandardCharsets.UTF_8), BulkWire.longs(m, m.getInt()));
                }
                default -> throw new IllegalArgumentException("unknown bulk message " + type);
            }
        } catch (SystemCallException e) {
            throw new IllegalStateException("no memory for an arriving epoch: " + e.getMessage(), e);
        } catch (IOException e) {
            stagedDropped = true;
            accepting = false;
            surroundings.post(() -> surroundings.events().onDiskFailed(e.getMessage(), System.nanoTime()));
        }
    }

    private void onPart(byte type, long view, long epoch, ByteBuffer m) throws IOException {
        switch (type) {
            case BulkWire.PAGES -> staging.pages(m);
            case BulkWire.DISK_BLOCKS -> staging.diskBlocks(m, disks);
            case BulkWire.DISK_DIGESTS -> staging.diskDigests(m);
            case BulkWire.ALL_DIGESTS -> staging.allDigests(m);
            default -> onEnd(view, epoch, m);
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

    private void onEnd(long view, long epoch, ByteBuffer m) throws IOException {
        if (!staging.end(m)) {
            LOG.warn("epoch {} arrived damaged; it is not used", epoch);
            surroundings.post(() -> surroundings.events().onGuestFailed("epoch " + epoch + " arrived damaged", System.nanoTime()));
            return;
        }
        disks.stageEnd(epoch, acceptEpoch == 0 ? session : 0);
        long index = staging.index();
        surroundings.post(() -> surroundings.events().onStaged(view, epoch, index, System.nanoTime()));
    }
}
