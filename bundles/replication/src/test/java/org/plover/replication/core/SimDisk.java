package org.plover.replication.core;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.plover.api.disk.DiskAttachment;
import org.plover.api.disk.Disks;
import org.plover.api.disk.Standing;
import org.plover.api.memory.PageSet;

/**
 * One small disk as the contract has it, over a {@link Platter} that survives crashes, and no kinder than the contract: whatever is
 * not promised to be durable is durable or not as chance will have it. Of a block's content the first eight bytes are kept.
 */
final class SimDisk implements Disks {
    static final int BLOCKS = 12;
    private static final int SIM_CHUNK_BLOCKS = 2;
    /** Changed at a time that no epoch's acknowledgement makes equal. */
    private static final long UNSETTLED = Long.MAX_VALUE;

    /** A block's content by the write that brought it: two writes of the same content are two. */
    record Write(long value, long number) {
    }

    /** What is on stable storage. */
    static final class Platter {
        private long[] image = new long[BLOCKS];
        private boolean partial;
        private long epoch;
        private long bond;
        /** Chunks that may differ from the bond's other replica, with the epoch that changed them. */
        private final Map<Integer, Long> changed = new HashMap<>();
        /** An epoch that was received wholly and not applied. */
        private Map<Integer, Long> staged;
        /** It was forgotten, and that may not be durable. */
        private boolean stagedVoid;
        /** An epoch whose commit is under way: it is there wholly or not at all. */
        private Map<Integer, Long> committing;
        private long committingEpoch;
        /** Written while serving alone and not flushed: each may be there or not. */
        private final Map<Integer, Write> unflushed = new HashMap<>();
        private boolean open;
        /** So many durable writes fail from now on. */
        int failures;

        void lose() {
            image = new long[BLOCKS];
            partial = false;
            epoch = 0;
            bond = 0;
            changed.clear();
            staged = null;
            committing = null;
            unflushed.clear();
        }

        /** Content that a crash at this moment certainly leaves, or what is newer. */
        long certain(int block) {
            return staged != null && !stagedVoid && staged.containsKey(block) ? staged.get(block) : image[block];
        }

        private void recover(SplittableRandom chance) {
            unflushed.forEach((block, write) -> {
                if (chance.nextBoolean()) {
                    image[block] = write.value();
                }
            });
            unflushed.clear();
            if (committing != null && chance.nextBoolean()) {
                committed();
            }
            committing = null;
            if (staged != null && (!stagedVoid || chance.nextBoolean())) {
                put(staged, epoch);
            }
            staged = null;
            stagedVoid = false;
        }

        private void committed() {
            put(committing, committingEpoch);
            epoch = committingEpoch;
            unflushed.keySet().removeAll(committing.keySet());
        }

        private void put(Map<Integer, Long> blocks, long ofEpoch) {
            blocks.forEach((block, value) -> {
                image[block] = value;
                mark(block, ofEpoch);
            });
        }

        private void mark(int block, long ofEpoch) {
            changed.merge(block / SIM_CHUNK_BLOCKS, ofEpoch, Math::max);
        }

        private void durably(String what) throws IOException {
            if (failures > 0) {
                failures--;
                throw new IOException("disk: " + what + ": input/output error");
            }
        }
    }

    private final Platter platter;
    private boolean closed;
    private boolean alone = true;
    private final Map<Integer, Long> written = new HashMap<>();
    private TreeSet<Long> unfetched = new TreeSet<>();
    private Map<Integer, Long> sealed;
    private long sealedEpoch;
    private Map<Integer, Long> staging;
    private long stagingEpoch;
    private long operations;
    /** Flushes that wait for stable storage. */
    int inFlight;

    SimDisk(Platter platter, SplittableRandom chance) {
        SimCluster.check(!platter.open, "disk: opened while it is in use");
        this.platter = platter;
        platter.open = true;
        platter.recover(chance);
    }

    // ---- the guest

    long get(int block) {
        Long value = written.get(block);
        value = value == null && sealed != null ? sealed.get(block) : value;
        return value == null ? platter.image[block] : value;
    }

    /** A write that has been answered. */
    void write(int block, long value) {
        operations++;
        written.put(block, value);
        unfetched.add(Disks.id(0, block));
        if (alone) {
            platter.unflushed.put(block, new Write(value, operations));
            platter.mark(block, UNSETTLED);
        }
    }

    /** Begins a flush: what has to be durable when it is answered, or null if it is answered at once. */
    Map<Integer, Write> beginFlush() {
        if (!alone) {
            return null;
        }
        inFlight++;
        return new HashMap<>(platter.unflushed);
    }

    void endFlush(Map<Integer, Write> flushed) {
        inFlight--;
        flushed.forEach((block, write) -> {
            Write newest = platter.unflushed.get(block);
            if (write.equals(newest)) {
                platter.unflushed.remove(block);
                written.remove(block);
            }
            if (newest != null) { // else a later flush has been there before
                platter.image[block] = write.value();
            }
        });
    }

    long sum() {
        long sum = 0;
        for (int b = 0; b < BLOCKS; b++) {
            sum += GuestState.term(b, get(b));
        }
        return sum;
    }

    // ---- the contract

    @Override
    public int count() {
        return 1;
    }

    @Override
    public long bytes(int disk) {
        return (long) BLOCKS * BLOCK_BYTES;
    }

    @Override
    public List<DiskAttachment> attachments() {
        return List.of();
    }

    @Override
    public long[] fetchWritten() {
        long[] ids = unfetched.stream().mapToLong(Long::longValue).toArray();
        unfetched = new TreeSet<>();
        return ids;
    }

    @Override
    public int inFlight() {
        return inFlight;
    }

    @Override
    public long operations() {
        return operations;
    }

    @Override
    public long unsealedBytes() {
        return (long) written.size() * BLOCK_BYTES;
    }

    @Override
    public void throttle(boolean on) {
        SimCluster.check(!closed, "disk: throttled after it was closed");
    }

    /** As of the last seal or apply. */
    long sealedContent(long id) {
        int block = (int) Disks.blockOf(id);
        Long value = sealed == null ? null : sealed.get(block);
        return value == null ? platter.image[block] : value;
    }

    @Override
    public void read(long first, int blocks, ByteBuffer to) {
        for (int i = 0; i < blocks; i++) {
            put(sealedContent(first + i), to);
        }
    }

    @Override
    public void readWritten(long id, ByteBuffer to) {
        put(get((int) Disks.blockOf(id)), to);
    }

    private static void put(long value, ByteBuffer to) {
        to.putLong(value).put(new byte[BLOCK_BYTES - Long.BYTES]);
    }

    @Override
    public long nextData(long id) {
        for (int b = (int) Disks.blockOf(id); b < BLOCKS; b++) {
            if (sealedContent(b) != 0) {
                return Disks.id(0, b);
            }
        }
        return -1;
    }

    @Override
    public void alone() throws IOException {
        platter.durably("making it durable");
        if (sealed != null) {
            platter.put(sealed, UNSETTLED);
            sealed = null;
        }
        platter.put(written, UNSETTLED);
        written.clear();
        platter.unflushed.clear();
        platter.staged = null;
        platter.stagedVoid = false;
        staging = null;
        alone = true;
    }

    @Override
    public void seal(long epoch) {
        SimCluster.check(sealed == null, "disk: epoch " + epoch + " was sealed while epoch " + sealedEpoch + " waits for its commit");
        SimCluster.check(inFlight == 0, "disk: sealed while the guest waits for an answer");
        sealed = new HashMap<>(written);
        sealedEpoch = epoch;
        written.clear();
        alone = false;
    }

    /** Until {@link #endCommit}, a crash leaves the epoch or not. */
    void beginCommit(long epoch) {
        SimCluster.check(sealed != null && sealedEpoch == epoch, "disk: commit of epoch " + epoch + ", sealed is " + sealedEpoch);
        platter.committing = sealed;
        platter.committingEpoch = epoch;
    }

    void endCommit() throws IOException {
        platter.durably("commit");
        platter.committed();
        platter.committing = null;
        sealed = null;
    }

    @Override
    public CompletableFuture<Void> commit(long epoch) {
        beginCommit(epoch);
        try {
            endCommit();
            return CompletableFuture.completedFuture(null);
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    @Override
    public void stageBegin(long epoch) {
        unstage();
        staging = new HashMap<>();
        stagingEpoch = epoch;
    }

    void stage(long id, long value) {
        staging.put((int) Disks.blockOf(id), value);
    }

    @Override
    public void stage(long id, ByteBuffer content) {
        stage(id, content.getLong(content.position()));
    }

    @Override
    public void stageSame(long id) {
        stage(id, get((int) Disks.blockOf(id)));
    }

    @Override
    public void stageEnd(long epoch) throws IOException {
        SimCluster.check(staging != null && stagingEpoch == epoch, "disk: epoch " + epoch + " ends, " + stagingEpoch + " had begun");
        platter.durably("staging epoch " + epoch);
        platter.staged = staging;
        platter.stagedVoid = false;
        platter.partial = false;
        platter.epoch = epoch;
        staging = null;
    }

    @Override
    public void unstage() {
        staging = null;
        platter.stagedVoid = platter.staged != null;
    }

    boolean isStaged(long epoch) {
        return platter.staged != null && !platter.stagedVoid && platter.epoch == epoch;
    }

    @Override
    public void apply(long epoch) {
        SimCluster.check(isStaged(epoch), "S6: epoch " + epoch + " is put in place, and not durable on this replica's disk");
        platter.changed.values().removeIf(of -> of < epoch); // whether the primary has made this very epoch durable is not known here
        platter.put(platter.staged, epoch);
        platter.staged = null;
        platter.unflushed.clear();
        written.clear();
        unfetched.clear();
        sealed = null;
        alone = false;
    }

    void fill(long id, long value) {
        int block = (int) Disks.blockOf(id);
        platter.partial = true;
        platter.image[block] = value;
        platter.mark(block, UNSETTLED);
    }

    @Override
    public void fill(long id, ByteBuffer content) {
        fill(id, content.getLong(content.position()));
    }

    @Override
    public Standing standing() {
        return platter.partial ? Standing.PARTIAL : Standing.WHOLE;
    }

    @Override
    public long epoch() {
        return platter.epoch;
    }

    @Override
    public void bond(long id) throws IOException {
        platter.durably("bond");
        platter.bond = id;
        platter.changed.clear();
    }

    @Override
    public long bond() {
        return platter.bond;
    }

    @Override
    public void settle(long epoch) {
        platter.changed.values().removeIf(of -> of <= epoch);
    }

    @Override
    public PageSet changed(int disk) {
        PageSet chunks = new PageSet((BLOCKS + SIM_CHUNK_BLOCKS - 1) / SIM_CHUNK_BLOCKS);
        platter.changed.keySet().forEach(chunks::add);
        written.keySet().forEach(block -> chunks.add(block / SIM_CHUNK_BLOCKS));
        if (sealed != null) {
            sealed.keySet().forEach(block -> chunks.add(block / SIM_CHUNK_BLOCKS));
        }
        return chunks;
    }

    /** Blocks of these chunks. */
    static int[] blocksOf(PageSet chunks) {
        return Arrays.stream(chunks.toArray()).flatMap(c -> IntStream.range(c * SIM_CHUNK_BLOCKS,
                Math.min(BLOCKS, (c + 1) * SIM_CHUNK_BLOCKS))).toArray();
    }

    @Override
    public CompletableFuture<Void> copyTo(List<Path> files) {
        throw new UnsupportedOperationException("nobody copies a simulated disk to a file");
    }

    @Override
    public void close() {
        closed = true;
        platter.open = false;
    }
}
