package org.plover.replication;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.LongPredicate;
import java.util.stream.LongStream;
import org.plover.api.disk.Disks;
import org.plover.api.memory.PageSet;
import org.plover.linux.Memory;

/**
 * The disks of the guest in the cycle of epochs: which blocks were written, what they hold, what of it has to be sent. Used from
 * the guest's thread, but for what arrives ({@link #stageBegin} to {@link #fill}), which the receiver's lock keeps apart from
 * {@link #sums}.
 */
final class GuestDisks {
    /** What a backup's guest has written in an epoch, with digests; none if it has no such hasher. */
    record PeerBlocks(long epoch, long[] ids, long[] digests) {
        static final PeerBlocks NONE = new PeerBlocks(0, new long[0], new long[0]);

        /** Position of a block's digest, or -1. */
        int find(long id) {
            int at = Arrays.binarySearch(ids, id);
            return at >= 0 && digests.length == 2 * ids.length ? at : -1;
        }
    }

    private static final int CHUNK_BYTES = Disks.CHUNK_BLOCKS * Disks.BLOCK_BYTES;

    /** Chunks in an epoch's slice of a comparison: 16 MiB. */
    private static final int SLICE_CHUNKS = 16;

    private final Disks disks;
    private final Hashers hashers;
    private final ByteBuffer chunk = Memory.allocate(CHUNK_BYTES);
    private final long chunkAddress = Memory.addressOf(chunk);
    private long[] written = {};
    private int same;

    /** Over open disks, which are closed with this; or none at all. */
    GuestDisks(Disks disks, Hashers hashers) {
        this.disks = disks;
        this.hashers = hashers;
    }

    boolean any() {
        return disks != null;
    }

    Disks disks() {
        return disks;
    }

    int inFlight() {
        return any() ? disks.inFlight() : 0;
    }

    long operations() {
        return any() ? disks.operations() : 0;
    }

    long unsealedBytes() {
        return any() ? disks.unsealedBytes() : 0;
    }

    void throttle(boolean on) {
        if (any()) {
            disks.throttle(on);
        }
    }

    void close() {
        if (any()) {
            disks.close();
        }
    }

    // ---- primary ----

    /** The guest is stopped: what it has written belongs to the epoch. */
    void seal(long epoch) {
        if (any()) {
            written = disks.fetchWritten();
            disks.seal(epoch);
        }
    }

    /** Blocks that the last sealed epoch has written. */
    int writtenBlocks() {
        return written.length;
    }

    /** Of those, how many were equal when they were sent. */
    int sameBlocks() {
        return same;
    }

    CompletableFuture<Void> commit(long epoch) {
        return any() ? disks.commit(epoch) : CompletableFuture.completedFuture(null);
    }

    /** Waits for {@link #commit}. */
    static void await(CompletableFuture<Void> durable) throws IOException {
        try {
            durable.join();
        } catch (CompletionException e) {
            throw new IOException(e.getCause().getMessage(), e.getCause());
        }
    }

    /** Sends what the sealed epoch has written, without content where the backup has the same. */
    void send(PageSender sender, String hasher, PeerBlocks peer) throws IOException, PageSender.Cancelled {
        same = 0;
        if (written.length == 0) {
            return;
        }
        sender.beginPages(BulkWire.DISK_BLOCKS);
        for (int from = 0; from < written.length; ) {
            int to = from + 1;
            while (to < written.length && to - from < Disks.CHUNK_BLOCKS && written[to] == written[to - 1] + 1) {
                to++;
            }
            disks.read(written[from], to - from, chunk.clear().limit((to - from) * Disks.BLOCK_BYTES));
            boolean[] equal = compare(from, to, hasher, peer);
            for (int i = from; i < to; i++) {
                sender.block(written[i], equal[i - from], blockAddress(i - from));
            }
            from = to;
        }
        sender.endPages();
    }

    private boolean[] compare(int from, int to, String hasher, PeerBlocks peer) {
        boolean[] equal = new boolean[to - from];
        int[] slots = new int[to - from];
        int[] theirs = new int[to - from];
        int n = 0;
        for (int i = from; i < to; i++) {
            int at = peer.find(written[i]);
            if (at >= 0) {
                slots[n] = i - from;
                theirs[n++] = at;
            }
        }
        long[] own = n == 0 ? null : hashers.digest(hasher, chunkAddress, Arrays.copyOf(slots, n));
        for (int k = 0; own != null && k < n; k++) {
            if (own[2 * k] == peer.digests()[2 * theirs[k]] && own[2 * k + 1] == peer.digests()[2 * theirs[k] + 1]) {
                equal[slots[k]] = true;
                same++;
            }
        }
        return equal;
    }

    private long blockAddress(int slot) {
        return chunkAddress + (long) slot * Disks.BLOCK_BYTES;
    }

    void acknowledged(long epoch, boolean forJoin, long session) throws IOException {
        if (any()) {
            if (forJoin) {
                disks.bond(session);
            } else {
                disks.settle(epoch);
            }
        }
    }

    // ---- copying to a fresh backup ----

    /** What the guest has written since the last call is to be sent (again). */
    long[] fetchWritten() {
        return any() ? disks.fetchWritten() : new long[0];
    }

    /** Chunks, named by their first blocks, in which the fresh backup may differ. */
    long[] chunksToCompare(Offer offer) {
        if (!any()) {
            return new long[0];
        }
        boolean bonded = disks.bond() != 0 && disks.bond() == offer.bond();
        LongStream.Builder chunks = LongStream.builder();
        for (int disk = 0; disk < disks.count(); disk++) {
            PageSet candidates = disks.changed(disk);
            if (bonded) {
                candidates.addAll(offer.changed().get(disk));
            } else {
                candidates.fill();
            }
            for (int c : candidates.toArray()) {
                chunks.add(Disks.id(disk, (long) c * Disks.CHUNK_BLOCKS));
            }
        }
        return chunks.build().toArray();
    }

    /** Whether the disks of the fresh backup have the lengths of these. */
    boolean fits(Offer offer) {
        int count = any() ? disks.count() : 0;
        if (offer.bytes().size() != count) {
            return false;
        }
        for (int disk = 0; disk < count; disk++) {
            if (offer.bytes().get(disk) != disks.bytes(disk) || offer.changed().get(disk).pageCount() != disks.changed(disk).pageCount()) {
                return false;
            }
        }
        return true;
    }

    /** Sends those blocks of a chunk whose digests differ from the fresh backup's; returns how many those were. */
    int sendDiffering(PageSender sender, String hasher, BulkWire.ChunkDigests theirs) throws IOException, PageSender.Cancelled {
        long first = theirs.first();
        check(first);
        int n = blocksOf(first);
        if (theirs.digests() == null && isHole(first, n)) {
            return 0;
        }
        readCurrent(first, n);
        boolean[] equal = equal(sender::isZero, hasher, n, theirs);
        int sent = 0;
        sender.beginPages(BulkWire.DISK_FILL);
        for (int i = 0; i < n; i++) {
            if (!equal[i]) {
                sender.block(first + i, false, blockAddress(i));
                sent++;
            }
        }
        sender.endPages();
        return sent;
    }

    /** Which of the blocks in {@link #chunk} are as the digests say; unknown counts as different. */
    private boolean[] equal(LongPredicate isZero, String hasher, int n, BulkWire.ChunkDigests theirs) {
        long[] digests = theirs.digests();
        long[] own = digests == null || digests.length != 2 * n ? null : hashers.digest(hasher, chunkAddress, slots(n));
        boolean[] equal = new boolean[n];
        for (int i = 0; i < n; i++) {
            equal[i] = digests == null ? isZero.test(blockAddress(i))
                    : own != null && own[2 * i] == digests[2 * i] && own[2 * i + 1] == digests[2 * i + 1];
        }
        return equal;
    }

    private static int[] slots(int n) {
        int[] slots = new int[n];
        Arrays.setAll(slots, i -> i);
        return slots;
    }

    /**
     * Sends digests of a slice of the disks, as of the epoch's end, for the backup to compare. Returns where the next slice begins, or
     * -1 if this was the last one.
     */
    long sendSlice(PageSender sender, String hasher, long from) throws IOException, PageSender.Cancelled {
        long first = from;
        for (int i = 0; i < SLICE_CHUNKS; i++) {
            int n = blocksOf(first);
            disks.read(first, n, chunk.clear().limit(n * Disks.BLOCK_BYTES));
            long[] digests = hashers.digest(hasher, chunkAddress, slots(n));
            sender.sums(BulkWire.DISK_DIGESTS, first, digests == null ? new long[0] : digests);
            first += n;
            if (Disks.blockOf(first) >= blockCount(Disks.diskOf(first))) {
                int disk = Disks.diskOf(first) + 1;
                if (disk == disks.count()) {
                    return -1;
                }
                first = Disks.id(disk, 0);
            }
        }
        return first;
    }

    /** At the backup, the epoch is in place: compares; adds what differs, returns how many blocks were compared. */
    int compare(String hasher, List<BulkWire.ChunkDigests> theirs, List<Long> differing) throws IOException {
        int compared = 0;
        for (BulkWire.ChunkDigests chunks : theirs) {
            check(chunks.first());
            int n = blocksOf(chunks.first());
            if (chunks.digests() == null || chunks.digests().length != 2 * n) {
                return 0;
            }
            disks.read(chunks.first(), n, chunk.clear().limit(n * Disks.BLOCK_BYTES));
            boolean[] equal = equal(address -> false, hasher, n, chunks);
            for (int i = 0; i < n; i++) {
                if (!equal[i]) {
                    differing.add(chunks.first() + i);
                }
            }
            compared += n;
        }
        return compared;
    }

    /** Sends these blocks as the guest sees them now. */
    void sendBlocks(PageSender sender, long[] ids) throws IOException, PageSender.Cancelled {
        sender.beginPages(BulkWire.DISK_FILL);
        for (long id : ids) {
            readCurrent(id, 1);
            sender.block(id, false, chunkAddress);
        }
        sender.endPages();
    }

    private int blocksOf(long first) {
        return (int) Math.min(Disks.CHUNK_BLOCKS, blockCount(Disks.diskOf(first)) - Disks.blockOf(first));
    }

    private long blockCount(int disk) {
        return (disks.bytes(disk) + Disks.BLOCK_BYTES - 1) / Disks.BLOCK_BYTES;
    }

    /** While a fresh backup is brought in no epoch is under way: then this is what the guest sees. */
    private void readCurrent(long first, int n) throws IOException {
        disks.read(first, n, chunk.clear().limit(n * Disks.BLOCK_BYTES));
    }

    private boolean isHole(long first, int n) throws IOException {
        long data = disks.nextData(first);
        return data < 0 || data >= first + n;
    }

    // ---- backup and learner ----

    /** The guest is stopped: tells the primary which blocks it has written, and what they hold. */
    void sendWritten(PageSender sender, String hasher) throws IOException, PageSender.Cancelled {
        if (!any()) {
            return;
        }
        long[] ids = disks.fetchWritten();
        long[] digests = new long[2 * ids.length];
        for (int from = 0; from < ids.length; from += Disks.CHUNK_BLOCKS) {
            int n = Math.min(Disks.CHUNK_BLOCKS, ids.length - from);
            for (int i = 0; i < n; i++) {
                disks.readWritten(ids[from + i], chunk.clear().position(i * Disks.BLOCK_BYTES).limit((i + 1) * Disks.BLOCK_BYTES));
            }
            long[] some = hashers.digest(hasher, chunkAddress, slots(n));
            if (some == null) {
                ids = new long[0];
                digests = ids;
                break;
            }
            System.arraycopy(some, 0, digests, 2 * from, 2 * n);
        }
        sender.written(ids, digests);
    }

    /** Answers with digests of the chunks asked for. The receiver's lock is to be held for each, hence one by one. */
    long[] sums(String hasher, long first) throws IOException {
        int n = blocksOf(first);
        if (isHole(first, n)) {
            return null;
        }
        readCurrent(first, n);
        long[] digests = hashers.digest(hasher, chunkAddress, slots(n));
        return digests == null ? new long[0] : digests;
    }

    void stageBegin(long epoch) {
        if (any()) {
            disks.stageBegin(epoch);
        }
    }

    /** The body of a DISK_BLOCKS message. Returns how many blocks it had. */
    int stage(ByteBuffer body) throws IOException {
        return forEach(body, (id, same, content) -> {
            if (same) {
                disks.stageSame(id);
            } else {
                disks.stage(id, content);
            }
        });
    }

    /** The body of a DISK_FILL message. */
    void fill(ByteBuffer body) throws IOException {
        forEach(body, (id, same, content) -> disks.fill(id, content));
    }

    private interface BlockUser {
        void use(long id, boolean same, ByteBuffer content) throws IOException;
    }

    private int forEach(ByteBuffer body, BlockUser user) throws IOException {
        int n = 0;
        while (body.hasRemaining()) {
            long key = body.getLong();
            long id = key & ~(BulkWire.SAME_BLOCK | BulkWire.ZERO_BLOCK);
            check(id);
            if ((key & BulkWire.SAME_BLOCK) != 0) {
                user.use(id, true, null);
            } else if ((key & BulkWire.ZERO_BLOCK) != 0) {
                user.use(id, false, ByteBuffer.allocate(Disks.BLOCK_BYTES));
            } else {
                user.use(id, false, body.slice(body.position(), Disks.BLOCK_BYTES));
                body.position(body.position() + Disks.BLOCK_BYTES);
            }
            n++;
        }
        return n;
    }

    private void check(long id) {
        int disk = Disks.diskOf(id);
        if (!any() || disk >= disks.count() || Disks.blockOf(id) * Disks.BLOCK_BYTES >= disks.bytes(disk)) {
            throw new IllegalArgumentException("block " + Disks.blockOf(id) + " of disk " + disk + " is not of this guest");
        }
    }

    /** All of the epoch is there; durable when this returns. {@code bond} is that of a fresh backup, or 0. */
    void stageEnd(long epoch, long bond) throws IOException {
        if (any()) {
            disks.stageEnd(epoch);
            if (bond != 0) {
                disks.bond(bond);
            }
        }
    }

    void unstage() {
        if (any()) {
            disks.unstage();
        }
    }

    void apply(long epoch) throws IOException {
        if (any()) {
            disks.apply(epoch);
        }
    }

    // ---- either ----

    void alone() throws IOException {
        if (any()) {
            disks.alone();
        }
    }

    Offer offer(PageSet dirty) {
        List<Long> bytes = new ArrayList<>();
        List<PageSet> changed = new ArrayList<>();
        for (int disk = 0; any() && disk < disks.count(); disk++) {
            bytes.add(disks.bytes(disk));
            changed.add(disks.changed(disk));
        }
        return new Offer(dirty, any() ? disks.bond() : 0, bytes, changed);
    }
}
