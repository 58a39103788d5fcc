package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.ArrayList;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.plover.api.disk.DiskAttachment;
import org.plover.api.disk.DiskListener;
import org.plover.api.disk.Disks;
import org.plover.api.disk.DisksSpec;
import org.plover.api.disk.Standing;
import org.plover.api.status.ProgressingFuture;
import org.plover.api.health.Finding;
import org.plover.api.memory.PageSet;
import org.plover.linux.Memory;

/** Disks of a guest on a {@link Store}: what belongs to which epoch, and the rules S4 and S6 for it. */
final class StoreDisks implements Disks {
    private final DisksSpec spec;
    private final Store store;
    private final Content content;
    private final Journal journal;
    private final List<Export> exports = new ArrayList<>();
    private final AtomicInteger inFlight = new AtomicInteger();
    private final AtomicLong operations = new AtomicLong();
    private final ExecutorService committer;
    private final ExecutorService copier;
    private final AtomicReference<Snapshot> copying = new AtomicReference<>();
    private List<DiskAttachment> attachments = List.of();
    private final Consumer<StoreDisks> onClosed;
    private NbdServer server;

    // Of the thread that drives the machine, which commits on another one but not these.
    private final Deque<CompletableFuture<Void>> commits = new ArrayDeque<>();
    private Layer sealed;
    private long sealedEpoch;
    /** The epoch that is being collected, and its number. */
    private Layer staging;
    private long stagingEpoch;
    private boolean filled;

    /** An epoch that is durable, and neither in place nor void. Changed by the driving thread. */
    private volatile Staged staged;
    /** Staged epochs that are void, which the journal does not say yet. */
    private final List<Staged> undeclared = new ArrayList<>(); // also its own monitor

    private record Staged(long epoch, Appended group) {
    }

    /** @throws IOException see {@link org.plover.api.disk.DiskProvider#open}; nothing is left open */
    StoreDisks(DisksSpec spec, DiskListener listener, DiskFiles files, Supplier<StoreSettings> settings, Consumer<StoreDisks> onClosed)
            throws IOException {
        this.spec = spec;
        this.onClosed = onClosed;
        this.store = new Store(spec, files, settings, new Failure(spec.name(), listener::onFailed));
        this.content = store.content;
        this.journal = store.journal;
        this.committer = executor("commit");
        this.copier = executor("copy");
        for (int d = 0; d < spec.disks().size(); d++) {
            exports.add(new StoreExport(store, d, inFlight, operations));
        }
    }

    private ExecutorService executor(String does) {
        return Executors.newSingleThreadExecutor(task -> {
            Thread thread = new Thread(task, "plover-disk-" + does + "-" + spec.name());
            thread.setDaemon(true);
            return thread;
        });
    }

    /** What a server serves. */
    List<Export> exports() {
        return exports;
    }

    /** Begins to serve them; the server ends when they are closed. */
    void serve(Path socket) throws IOException {
        server = new NbdServer(socket, exports);
        attachments = exports.stream()
                .map(export -> new DiskAttachment(socket, export.name(), export.sectorBytes(), export.readOnly())).toList();
    }

    @Override
    public String toString() {
        return "disks of " + spec.name();
    }

    /** Whether they can be used, for people. */
    Finding health() {
        try {
            store.check();
        } catch (IOException e) {
            return Finding.error(toString(), e.getMessage(), "mend what failed and start this member again");
        }
        return Finding.ok(toString(), count() + " served, " + standing() + ", epoch " + epoch());
    }

    @Override
    public int count() {
        return exports.size();
    }

    @Override
    public long bytes(int disk) {
        return store.images[disk].bytes();
    }

    @Override
    public List<DiskAttachment> attachments() {
        return attachments;
    }

    // ---- the guest's doing ----

    @Override
    public long[] fetchWritten() {
        return content.fetchWritten();
    }

    @Override
    public int inFlight() {
        // The server's are also those that wait for a thread.
        return server != null ? server.inFlight() : inFlight.get();
    }

    @Override
    public long operations() {
        return server != null ? server.operations() : operations.get();
    }

    @Override
    public long unsealedBytes() {
        return content.unsealedBytes();
    }

    @Override
    public void throttle(boolean on) {
        store.throttle.set(on);
    }

    // ---- content ----

    /** Without a backup nothing is sealed, and some of what the guest has written is below already: then it is read as the guest sees it. */
    private boolean asTheGuest() {
        return !store.together();
    }

    @Override
    public void read(long first, int count, ByteBuffer to) throws IOException {
        store.check();
        reading(() -> content.read(first, count, to, asTheGuest()));
    }

    @Override
    public void readWritten(long id, ByteBuffer to) throws IOException {
        store.check();
        reading(() -> content.read(id, 1, to, true));
    }

    @Override
    public long nextData(long id) throws IOException {
        store.check();
        long[] found = new long[1];
        reading(() -> found[0] = content.nextData(id, asTheGuest()));
        return found[0];
    }

    private interface Reading {
        void run() throws IOException;
    }

    private void reading(Reading reading) throws IOException {
        try {
            reading.run();
        } catch (IOException e) {
            throw store.isClosed() ? e : store.failure.report(e);
        }
    }

    // ---- primary ----

    @Override
    public void alone() throws IOException {
        awaitCommits();
        journal.writing.lock();
        try {
            store.check();
            unstage();
            declareVoid();
            store.together(false);
            sealed = null;
            store.direct.sync();
            // The sealed epoch's chunks are known to the tracker since it was sealed.
            store.persistWrites(true);
        } catch (Export.NoSpaceException e) {
            throw store.failure.report(e);
        } finally {
            journal.writing.unlock();
        }
    }

    @Override
    public void seal(long epoch) {
        if (sealed != null) {
            throw new IllegalStateException("S6: epoch " + epoch + " is sealed while epoch " + sealedEpoch + " has not been committed");
        }
        if (staged != null) {
            throw new IllegalStateException("S4: epoch " + epoch + " is sealed while epoch " + staged.epoch
                    + " has been staged and neither applied nor dropped");
        }
        if (standing() == Standing.PARTIAL) {
            throw new IllegalStateException("S6: epoch " + epoch + " is sealed on disks that are not completely copied");
        }
        store.together(true);
        sealed = content.seal();
        sealedEpoch = epoch;
        store.tracker.add(epoch, sealed.chunks());
    }

    @Override
    public CompletableFuture<Void> commit(long epoch) {
        if (sealed == null || sealedEpoch != epoch) {
            throw new IllegalStateException("S6: epoch " + epoch + " is committed, but "
                    + (sealed == null ? "none is sealed" : "epoch " + sealedEpoch + " is sealed"));
        }
        Layer layer = sealed;
        content.commitSealed();
        sealed = null;
        CompletableFuture<Void> done = CompletableFuture.runAsync(() -> makeDurable(epoch, layer), committer);
        commits.removeIf(CompletableFuture::isDone);
        commits.add(done);
        return done;
    }

    private void makeDurable(long epoch, Layer layer) {
        journal.writing.lock();
        try {
            declareVoid();
            store.direct.sync();
            List<Layer> layers = content.committing(layer);
            // An epoch that wrote nothing leaves the content as it is: its number need not be waited for.
            boolean sync = layers.stream().anyMatch(some -> !some.isEmpty()) || journal.hasUnsyncedContent();
            store.persist(RecordKind.EPOCH, epoch, layers, sync);
            store.epoch(epoch);
        } catch (IOException e) {
            throw new CompletionException(store.failure.report(e));
        } finally {
            journal.writing.unlock();
        }
    }

    /** Commits that failed have been reported; what they wanted to write is still there, or does not matter any more. */
    private void awaitCommits() {
        for (CompletableFuture<Void> commit; (commit = commits.poll()) != null; ) {
            commit.handle((done, failed) -> null).join();
        }
    }

    // ---- backup and learner ----

    @Override
    public void stageBegin(long epoch) {
        unstage();
        staging = new Layer(content.memory);
        stagingEpoch = epoch;
    }

    private void requireStaging(String what) {
        if (staging == null) {
            throw new IllegalStateException("S4: " + what + " while no epoch is being staged");
        }
    }

    @Override
    public void stage(long id, ByteBuffer block) throws IOException {
        requireStaging("a block is staged");
        requireBlock(id);
        Memory.put(block, staging.place(id), BLOCK_BYTES);
    }

    @Override
    public void stageSame(long id) throws IOException {
        requireStaging("a block is staged");
        requireBlock(id);
        ByteBuffer same = ByteBuffer.allocate(BLOCK_BYTES);
        readWritten(id, same);
        Memory.put(same.flip(), staging.place(id), BLOCK_BYTES);
    }

    private void requireBlock(long id) throws IOException {
        store.check();
        if (id < 0 || Disks.diskOf(id) >= count() || Disks.blockOf(id) >= store.images[Disks.diskOf(id)].blocks()) {
            throw new IOException("disks of " + spec.name() + ": there is no block " + Disks.blockOf(id) + " of disk " + Disks.diskOf(id)
                    + " here; both replicas need disks of the same lengths in the same order");
        }
    }

    @Override
    public void stageEnd(long epoch) throws IOException {
        if (staging == null || stagingEpoch != epoch) {
            throw new IllegalStateException("S4: epoch " + epoch + " is complete, but "
                    + (staging == null ? "none is being staged" : "epoch " + stagingEpoch + " is being staged"));
        }
        awaitCommits();
        journal.writing.lock();
        try {
            store.check();
            declareVoid();
            store.tracker.add(epoch, staging.chunks());
            store.direct.sync();
            if (filled) {
                for (Image image : store.images) {
                    image.sync();
                }
                filled = false;
            }
            Appended group = journal.append(RecordKind.STAGED, epoch, 0, List.of(staging));
            if (!staging.isEmpty() || store.partial() || journal.hasUnsyncedContent()) {
                journal.sync();
            }
            staged = new Staged(epoch, group);
            dropStaging();
            store.together(true);
        } catch (IOException e) {
            throw store.failure.report(e);
        } finally {
            journal.writing.unlock();
        }
    }

    @Override
    public void unstage() {
        dropStaging();
        voidStaged();
    }

    private void voidStaged() {
        if (staged != null) {
            synchronized (undeclared) {
                undeclared.add(staged);
            }
            staged = null;
        }
    }

    private void dropStaging() {
        if (staging != null) {
            staging.release();
            staging = null;
        }
    }

    /** Lets the journal say that staged epochs never counted, before anything is appended or overwritten that relies on it. */
    private void declareVoid() throws IOException {
        synchronized (undeclared) {
            if (undeclared.isEmpty()) {
                return;
            }
            for (Staged dropped : undeclared) {
                journal.release(journal.append(RecordKind.UNSTAGE, dropped.epoch, dropped.group.groupFirst, List.of()));
            }
            journal.sync();
            undeclared.forEach(dropped -> journal.release(dropped.group));
            undeclared.clear();
        }
    }

    @Override
    public void apply(long epoch) throws IOException {
        if (staged == null || staged.epoch != epoch) {
            throw new IllegalStateException("S4: epoch " + epoch + " is applied, but "
                    + (staged == null ? "none has been staged completely" : "epoch " + staged.epoch + " has been staged"));
        }
        awaitCommits();
        journal.writing.lock();
        try {
            store.check();
            sealed = null;
            content.replace(staged.group);
            store.whole();
            store.epoch(epoch);
            journal.release(staged.group);
            staged = null;
            store.together(true);
            // The epoch itself stays a difference until the next one comes: the primary may not have made it durable yet.
            store.tracker.settleBefore(epoch);
        } finally {
            journal.writing.unlock();
        }
    }

    @Override
    public void fill(long id, ByteBuffer block) throws IOException {
        requireBlock(id);
        if (!store.partial() || staged != null || !undeclared.isEmpty()) {
            beginFilling();
        }
        try {
            fillImage(id, block);
        } catch (IOException e) {
            throw store.failure.report(e);
        }
        filled = true;
    }

    private void fillImage(long id, ByteBuffer block) throws IOException {
        Image image = store.images[Disks.diskOf(id)];
        BlockMap chunk = new BlockMap();
        chunk.put(Layer.chunkOf(id), 0);
        store.tracker.add(ChangeTracker.NO_EPOCH, chunk);
        ByteBuffer content4k = block.slice().limit(BLOCK_BYTES);
        block.position(block.position() + BLOCK_BYTES);
        if (content4k.mismatch(ByteBuffer.allocate(BLOCK_BYTES)) < 0) {
            image.zero(Disks.blockOf(id), 1);
        } else {
            image.write(Disks.blockOf(id), content4k);
        }
    }

    /** Nothing may lie over the images, and a crash from now on must not take them for whole. */
    private void beginFilling() throws IOException {
        awaitCommits();
        journal.writing.lock();
        try {
            store.check();
            // Before the staged epoch is void: that lets a copy go on which waits for it.
            abandonCopy("the disks are being overwritten by those of another replica");
            voidStaged();
            declareVoid();
            if (!store.partial()) {
                sealed = null;
                content.dropUndurable();
                store.drain();
                store.becomePartial();
            }
        } catch (IOException e) {
            throw store.failure.report(e);
        } finally {
            journal.writing.unlock();
        }
    }

    @Override
    public Standing standing() {
        return store.partial() && staged == null ? Standing.PARTIAL : Standing.WHOLE;
    }

    @Override
    public long epoch() {
        Staged durable = staged;
        return durable != null ? durable.epoch : store.epoch();
    }

    // ---- catching up ----

    @Override
    public void bond(long id) throws IOException {
        store.check();
        store.tracker.bond(epoch());
        store.bond(id);
    }

    @Override
    public long bond() {
        return store.bond();
    }

    @Override
    public void settle(long epoch) {
        store.tracker.settle(epoch);
    }

    @Override
    public PageSet changed(int disk) {
        PageSet[] sets = store.tracker.snapshot();
        if (!store.together()) {
            BlockMap unsealed = new BlockMap();
            content.addUnsealedChunks(unsealed);
            ChangeTracker.addTo(sets, unsealed);
        }
        return sets[disk];
    }

    // ---- length ----

    @Override
    public CompletableFuture<String> makeRoom(int disk, long bytes) {
        CompletableFuture<String> result = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                store.check();
                store.images[disk].makeRoom(bytes);
                result.complete("");
            } catch (IOException e) {
                result.complete(e.getMessage());
            } catch (RuntimeException e) {
                result.completeExceptionally(e);
            }
        }, "plover-disk-room-" + spec.name());
        thread.setDaemon(true);
        thread.start();
        return result;
    }

    @Override
    public void resize(int disk, long bytes) throws IOException {
        if (bytes < bytes(disk)) {
            beginFilling();
        }
        if (bytes != bytes(disk)) {
            store.resize(disk, bytes);
        }
        if (server != null) {
            server.disconnect(exports.get(disk));
        }
    }

    // ---- operations ----

    @Override
    public CompletableFuture<Void> copyTo(List<Path> files) {
        if (files.size() != count()) {
            return CompletableFuture.failedFuture(new IllegalArgumentException("there are " + count() + " disks, but " + files.size()
                    + " files to copy them to"));
        }
        Snapshot snapshot = new Snapshot(store.images, files);
        if (!copying.compareAndSet(null, snapshot)) {
            return CompletableFuture.failedFuture(new IOException("another copy of these disks is being made; wait for it"));
        }
        journal.writing.lock();
        try {
            store.check();
            if (standing() == Standing.PARTIAL) {
                throw new IOException("the disks of " + spec.name() + " are not completely copied from the other replica; copy them there");
            }
            store.direct.copying(true);
            snapshot.begin(journal.rotate());
            store.checkpointer.protect(snapshot);
            ProgressingFuture<Void> result = new ProgressingFuture<>();
            result.whenComplete((done, failed) -> {
                if (result.isCancelled()) {
                    snapshot.abandon("it was cancelled");
                }
            });
            copier.execute(() -> copy(snapshot, result));
            return result;
        } catch (IOException e) {
            endCopy(snapshot, e);
            return CompletableFuture.failedFuture(e);
        } finally {
            journal.writing.unlock();
        }
    }

    private void copy(Snapshot snapshot, ProgressingFuture<Void> result) {
        IOException failure = null;
        try {
            if (!journal.awaitFreed(snapshot.boundary(), true)) {
                throw new IOException("the disks are being closed");
            }
            snapshot.run(result::reached);
        } catch (IOException e) {
            failure = e;
        } catch (RuntimeException | Error e) {
            result.completeExceptionally(e);
            throw e;
        }
        failure = endCopy(snapshot, failure);
        if (failure == null) {
            result.complete(null);
        } else {
            result.completeExceptionally(failure);
        }
    }

    private IOException endCopy(Snapshot snapshot, IOException failure) {
        store.checkpointer.protect(null);
        store.direct.copying(false);
        copying.set(null);
        try {
            snapshot.end();
            return failure;
        } catch (IOException e) {
            if (failure == null) {
                return e;
            }
            failure.addSuppressed(e);
            return failure;
        }
    }

    private void abandonCopy(String why) {
        Snapshot running = copying.get();
        if (running != null) {
            running.abandon(why);
        }
    }

    @Override
    public void close() {
        close(true);
    }

    void close(boolean drain) {
        if (store.isClosed()) {
            return;
        }
        if (server != null) {
            server.close();
        }
        onClosed.accept(this);
        abandonCopy("the disks are being closed");
        committer.shutdown();
        await(committer);
        dropStaging();
        store.close(drain);
        copier.shutdown();
        await(copier);
    }

    private static void await(ExecutorService executor) {
        boolean interrupted = false;
        for (boolean ended = false; !ended; ) {
            try {
                ended = executor.awaitTermination(1, TimeUnit.MINUTES);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
