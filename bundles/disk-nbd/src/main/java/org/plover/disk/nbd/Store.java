package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.plover.api.disk.DiskFormat;
import org.plover.api.disk.DiskSpec;
import org.plover.api.disk.Disks;
import org.plover.api.disk.DisksSpec;
import org.plover.api.memory.PageSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Content, journal, images and meta file of a guest's disks, and how the guest's requests are treated. {@link StoreDisks} adds the
 * epochs. Requests of the guest may come on many threads.
 */
final class Store implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Store.class);

    static final String LOOKS_LIKE_QCOW2 = "begins like a qcow2 image, and its format is not configured";
    static final String SAY_WHICH = "write ,format=qcow2 behind its path in 'disks', or ,format=raw if the guest is to see these very bytes";

    final DisksSpec spec;
    final Image[] images;
    final Content content;
    final Journal journal;
    final Checkpointer checkpointer;
    final ChangeTracker tracker;
    final DirectWrites direct;
    final Failure failure;
    final Throttle throttle = new Throttle();
    private final DiskFiles files;
    private final Supplier<StoreSettings> settings;
    private final Path metaFile;
    private final AutoCloseable directoryLock;
    private final Thread checkpointing;
    private final long lineage;

    /** Flushes are answered at once, because the epoch decides what is durable. Set under the content's write lock and the journal's writing lock. */
    private volatile boolean together;
    private volatile boolean closed;

    private final AtomicLong flushes = new AtomicLong();
    private final Object flushing = new Object();
    private long flushed;

    // What the meta file says; under its own monitor.
    private final Object metaLock = new Object();
    private volatile boolean partial;
    private volatile long bond;
    private volatile long epoch;
    private long oldestSequence;

    /** Opens everything and brings the images to the last durable state; leaves nothing open if it throws. */
    Store(DisksSpec spec, DiskFiles files, Supplier<StoreSettings> settings, Failure failure) throws IOException {
        this.spec = spec;
        this.files = files;
        this.settings = settings;
        this.failure = failure;
        this.metaFile = spec.stateDir().resolve(Meta.FILE);
        List<AutoCloseable> opened = new ArrayList<>();
        try {
            directoryLock = files.lock(spec.stateDir().resolve("lock"));
            opened.add(directoryLock);
            images = openImages(opened);
            Meta before = loadMeta();
            requireStatedFormats(before);
            PageSet[] changed = changedSets(before);
            long next = 1;
            if (before == null) {
                requireNoJournal();
                lineage = new SecureRandom().nextLong();
            } else {
                lineage = before.lineage();
                Recovery recovery = new Recovery(files, spec.stateDir(), before, images);
                recovery.run();
                next = recovery.nextSequence();
                ChangeTracker.addTo(changed, recovery.changed());
                partial = recovery.partial();
                bond = before.bond();
                epoch = recovery.epoch();
            }
            tracker = new ChangeTracker(changed);
            content = new Content(images);
            opened.add(content.memory);
            journal = new Journal(files, spec.stateDir(), lineage, next, settings.get().segmentBytes(), content.memory,
                    content.lock.writeLock(), failure);
            opened.add(journal);
            content.attach(journal);
            direct = new DirectWrites(images, fit(), content, journal, tracker);
            oldestSequence = next;
            // Before anything is appended: from now on the journal has to be read again.
            storeMeta();
            journal.prepare();
        } catch (IOException | RuntimeException e) {
            closeAll(opened, e);
            throw e;
        }
        checkpointer = new Checkpointer(journal, images, content.lock.readLock(), failure, this::forgetBefore);
        checkpointing = new Thread(checkpointer, "plover-disk-checkpoint-" + spec.name());
        checkpointing.setDaemon(true);
        checkpointing.start();
    }

    private static void closeAll(List<AutoCloseable> opened, Exception cause) {
        for (int i = opened.size() - 1; i >= 0; i--) {
            try {
                opened.get(i).close();
            } catch (Exception e) {
                cause.addSuppressed(e);
            }
        }
    }

    /** Where the content of an image appears that is not raw. */
    static Path mount(Path stateDir, int disk) {
        return stateDir.resolve("raw-" + disk);
    }

    /** An image that has never been used here and that nobody has called raw must not look like another format: writing would ruin it. */
    private void requireStatedFormats(Meta before) throws IOException {
        for (int d = before == null ? 0 : before.diskBytes().length; d < images.length; d++) {
            if (spec.disks().get(d).format() == DiskFormat.UNSTATED) {
                ByteBuffer start = ByteBuffer.allocate(Disks.BLOCK_BYTES);
                images[d].read(0, start);
                if (Qcow2Header.begins(start.flip())) {
                    throw new IOException(images[d].name() + ' ' + LOOKS_LIKE_QCOW2 + "; " + SAY_WHICH);
                }
            }
        }
    }

    private Image[] openImages(List<AutoCloseable> opened) throws IOException {
        Image[] all = new Image[spec.disks().size()];
        for (int d = 0; d < all.length; d++) {
            DiskSpec disk = spec.disks().get(d);
            DiskFile file = files.openImage(disk, mount(spec.stateDir(), d));
            opened.add(file);
            file.onLost(failure::report);
            all[d] = new Image(file, disk.sectorBytes(), disk.readOnly());
        }
        return all;
    }

    private boolean[] fit() {
        boolean[] fit = new boolean[images.length];
        for (int d = 0; d < fit.length; d++) {
            fit[d] = DirectWrites.fits(spec.disks().get(d).sectorBytes());
        }
        return fit;
    }

    private Meta loadMeta() throws IOException {
        byte[] bytes = files.load(metaFile);
        if (bytes == null) {
            return null;
        }
        Meta meta = Meta.decode(bytes, metaFile);
        if (meta.diskBytes().length > images.length) {
            throw new IOException("disks of " + spec.name() + ": " + metaFile + " knows " + meta.diskBytes().length + " disks, "
                    + images.length + " are configured; configure the missing ones, or move that directory away if they are gone for good");
        }
        for (int d = 0; d < meta.diskBytes().length; d++) {
            if (images[d].room() < meta.diskBytes()[d]) {
                throw new IOException(images[d].name() + " has " + images[d].room() + " bytes, it had " + meta.diskBytes()[d]
                        + " when it was last used; it must not shrink, grow it again");
            }
            if (images[d].room() > meta.diskBytes()[d]) {
                log.info("{} has {} bytes, of which the disk has {}; 'plover disk grow' lets the guest have more", images[d].name(),
                        images[d].room(), meta.diskBytes()[d]);
                images[d].limit(meta.diskBytes()[d]);
            }
        }
        return meta;
    }

    /** What the meta file says, and everything of a disk that is new. */
    private PageSet[] changedSets(Meta meta) {
        PageSet[] sets = new PageSet[images.length];
        for (int d = 0; d < sets.length; d++) {
            sets[d] = new PageSet(images[d].chunks());
            boolean known = meta != null && d < meta.changed().length;
            if (known) {
                for (int chunk : meta.changed()[d].toArray()) {
                    sets[d].add(chunk);
                }
            }
            if (meta != null && !known) {
                sets[d].fill();
            }
        }
        return sets;
    }

    private void requireNoJournal() throws IOException {
        for (String name : files.list(spec.stateDir())) {
            if (name.startsWith(Journal.PREFIX)) {
                throw new IOException("disk journal " + spec.stateDir() + " has records but its file '" + Meta.FILE + "' is missing, so"
                        + " nobody knows which of them count; restore that file, or move the directory away if the images are good as they are");
            }
        }
    }

    // ---- meta file ----

    boolean partial() {
        return partial;
    }

    long bond() {
        return bond;
    }

    long epoch() {
        return epoch;
    }

    /** The epoch counts; the meta file learns it in time. */
    void epoch(long durable) {
        epoch = durable;
    }

    /** The images together with the journal are whole; the meta file learns it before the journal forgets. */
    void whole() {
        synchronized (metaLock) {
            partial = false;
        }
    }

    /** The images are about to be overwritten; durable when this returns. */
    void becomePartial() throws IOException {
        synchronized (metaLock) {
            partial = true;
            epoch = 0;
            storeMeta();
        }
    }

    void bond(long id) throws IOException {
        synchronized (metaLock) {
            bond = id;
            storeMeta();
        }
    }

    private void forgetBefore(long sequence) throws IOException {
        synchronized (metaLock) {
            oldestSequence = sequence;
            storeMeta();
        }
    }

    private void storeMeta() throws IOException {
        storeMeta(false);
    }

    /** @param nothingLeft everything is in the images, and nothing will be appended any more */
    private void storeMeta(boolean nothingLeft) throws IOException {
        synchronized (metaLock) {
            long durable = journal.durableSequence();
            // Before the snapshot: what is appended in between is then counted twice instead of not at all.
            long changedFrom = journal.nextSequence();
            PageSet[] changed = tracker.snapshot();
            long[] bytes = Arrays.stream(images).mapToLong(Image::bytes).toArray();
            Meta meta = new Meta(lineage, oldestSequence, Math.max(oldestSequence, changedFrom), durable,
                    nothingLeft ? Meta.NOTHING_LEFT : changedFrom, partial, bond, epoch,
                    bytes, changed);
            try {
                files.replace(metaFile, meta.encode());
            } catch (IOException e) {
                throw failure.report(new IOException(metaFile + " cannot be replaced: " + e.getMessage()
                        + "; make room there, or mend the file system", e));
            }
        }
    }

    /** A disk has another length from now on, durably; nothing lies over the image where a shorter one ends. */
    void resize(int disk, long bytes) throws IOException {
        check();
        synchronized (metaLock) {
            content.lock.writeLock().lock();
            try {
                images[disk].limit(bytes);
                content.written.resize(disk, images[disk].blocks());
            } finally {
                content.lock.writeLock().unlock();
            }
            tracker.resize(disk, images[disk].chunks());
            storeMeta();
        }
        direct.resize(disk);
    }

    // ---- requests of the guest ----

    void check() throws IOException {
        failure.check();
        checkOpen();
    }

    /** Reading goes on after a failure as far as it can. */
    void checkOpen() throws IOException {
        if (closed) {
            throw new IOException("the disks of " + spec.name() + " have been closed");
        }
    }

    void write(int disk, long offset, ByteBuffer from, boolean forced) throws IOException {
        beforeWrite();
        if (!direct.write(disk, offset, from)) {
            content.write(disk, offset, from);
        }
        afterWrite(forced);
    }

    void zero(int disk, long offset, long length, boolean forced) throws IOException {
        beforeWrite();
        content.zero(disk, offset, length);
        afterWrite(forced);
    }

    private void beforeWrite() throws IOException {
        check();
        if (together) {
            throttle.await(content.unsealedBytes(), settings.get().heldBytesMax());
        }
    }

    private void afterWrite(boolean forced) throws IOException {
        if (forced) {
            flush();
        } else if (!together) {
            writeBack();
        }
        if (direct.isHindered()) {
            emptyJournal();
        }
    }

    /** Begins to bring what is in the journal into the images, if that can be done without waiting for anything. */
    private void emptyJournal() throws IOException {
        if (!journal.writing.tryLock()) {
            return;
        }
        try {
            if (!together && journal.hasFree()) {
                persistWrites(false);
                journal.rotate();
                direct.journalIsBeingEmptied();
            }
        } finally {
            journal.writing.unlock();
        }
    }

    /** Without a backup nothing seals: what has been written goes to the journal before there is too much of it. */
    private void writeBack() throws IOException {
        long limit = settings.get().writebackBytesMax();
        long held = content.unsealedBytes();
        if (held <= limit) {
            return;
        }
        if (held > 2 * limit) {
            journal.writing.lock();
        } else if (!journal.writing.tryLock()) {
            return;
        }
        try {
            if (!together && content.unsealedBytes() > limit) {
                persistWrites(false);
            }
        } finally {
            journal.writing.unlock();
        }
    }

    /** Answers a flush; several at once share one wait for the disk. */
    void flush() throws IOException {
        check();
        if (together) {
            return;
        }
        long ticket = flushes.incrementAndGet();
        synchronized (flushing) {
            if (flushed >= ticket) {
                return;
            }
            long covered = flushes.get();
            direct.sync();
            journal.writing.lock();
            try {
                if (!together) {
                    persistWrites(true);
                }
            } finally {
                journal.writing.unlock();
            }
            flushed = covered;
        }
    }

    boolean together() {
        return together;
    }

    void together(boolean now) {
        if (now) {
            direct.together(true);
        }
        content.lock.writeLock().lock();
        together = now;
        content.lock.writeLock().unlock();
        if (!now) {
            direct.together(false);
        }
    }

    // ---- making durable; under the journal's writing lock ----

    /** Brings all that the guest has written into the journal, but for what has gone into the images at once. */
    void persistWrites(boolean sync) throws IOException {
        check();
        Layer fresh = content.commitAll();
        if (fresh != null) {
            tracker.add(ChangeTracker.NO_EPOCH, fresh.chunks());
        }
        List<Layer> layers = content.committing(null);
        if (!layers.isEmpty()) {
            persist(RecordKind.WRITES, epoch, layers, sync);
        } else if (sync && journal.hasUnsynced()) {
            journal.sync();
        }
    }

    /** Appends layers and lets readers find them there. What has gone into the images at once has to be durable before, if it belongs to them. */
    void persist(RecordKind kind, long epochOfRecord, List<Layer> layers, boolean sync) throws IOException {
        Appended group = journal.append(kind, epochOfRecord, 0, layers);
        try {
            if (sync) {
                journal.sync();
            }
            content.publish(group, layers);
        } finally {
            journal.release(group);
        }
    }

    /** Brings all that has been decided into the images; returns whether that was all there is. */
    boolean drain() throws IOException {
        return journal.awaitFreed(journal.rotate(), false);
    }

    // ---- end ----

    boolean isClosed() {
        return closed;
    }

    @Override
    public void close() {
        close(true);
    }

    /** @param drain bring the images up to date first, so that they are good for others too */
    synchronized void close(boolean drain) {
        if (closed) {
            return;
        }
        IOException problem = null;
        journal.writing.lock();
        try {
            closed = true;
            throttle.set(false);
            if (drain && !failure.happened()) {
                boolean nothingLeft = drain();
                for (Image image : images) {
                    image.sync();
                }
                storeMeta(nothingLeft);
            }
        } catch (IOException e) {
            problem = e;
        } finally {
            journal.writing.unlock();
        }
        journal.stop();
        joinCheckpointing();
        List<AutoCloseable> open = new ArrayList<>(List.of(directoryLock));
        open.addAll(Arrays.asList(images));
        open.add(journal);
        Exception failed = problem == null ? new IOException("closing the disks of " + spec.name()) : problem;
        content.lock.writeLock().lock();
        try {
            content.dropUndurable();
            open.add(content.memory);
            closeAll(open, failed);
        } finally {
            content.lock.writeLock().unlock();
        }
        if (problem != null || failed.getSuppressed().length > 0) {
            log.warn("disks of {}: {}", spec.name(), failed.getMessage(), failed);
        }
    }

    private void joinCheckpointing() {
        boolean interrupted = false;
        while (checkpointing.isAlive()) {
            try {
                checkpointing.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
