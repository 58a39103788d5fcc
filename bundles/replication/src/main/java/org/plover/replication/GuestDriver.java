package org.plover.replication;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.plover.api.disk.DiskProvider;
import org.plover.api.disk.Disks;
import org.plover.api.disk.DisksSpec;
import org.plover.api.disk.Standing;
import org.plover.api.machine.Machine;
import org.plover.api.machine.MachineException;
import org.plover.api.machine.MachineListener;
import org.plover.api.machine.MachineProvider;
import org.plover.api.machine.MachineSpec;
import org.plover.api.machine.StartMode;
import org.plover.api.memory.GuestMemory;
import org.plover.api.memory.PageSet;
import org.plover.api.status.ProgressingFuture;
import org.plover.api.transport.Transport;
import org.plover.linux.SystemCallException;
import org.plover.replication.core.Guest;
import org.plover.replication.core.GuestEvents;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The guest's edge: carries out on a thread of its own what the core asks of the machine, its memory and the bulk lane, and
 * reports back to the group's loop. A generation number keeps what an earlier machine still had to say from being heard.
 */
final class GuestDriver implements Guest, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GuestDriver.class);
    /** The precopy ends when a round leaves fewer pages than this, or after so many rounds. */
    private static final int PRECOPY_REST_PAGES = 1024;
    private static final int PRECOPY_ROUNDS_MAX = 12;
    /** As PRECOPY_REST_PAGES, for blocks of disks. */
    private static final int PRECOPY_REST_BLOCKS = 256;
    private static final int CHUNKS_ASKED_MAX = 64;
    /** Share of the disks in the progress of a copy. */
    private static final int DISKS_PERCENT = 60;
    private static final long FRAMES_MILLIS_MAX = 20;
    private static final int VERIFY_PAGES_NAMED = 32;

    /** Where events and frames go. */
    interface Surroundings {
        /** Runs something on the group's loop. */
        void post(Runnable event);

        GuestEvents events();

        /** The other replica. */
        int peer();

        /** A frame from the guest; on the machine's reader thread. */
        void onFrame(int nic, ByteBuffer frame);
    }

    /**
     * What the guest is made of.
     *
     * @param copyBytesPerSecondMax how fast a fresh backup may be brought in; 0 for no limit
     */
    record Hardware(MachineProvider machines, MachineSpec machine, DiskProvider diskProvider, DisksSpec disks,
                    LongSupplier copyBytesPerSecondMax) {
    }

    private final Hardware hardware;
    private final Hashers hashers;
    private final Surroundings surroundings;
    private final ExecutorService thread;
    private final PageSender sender;
    private final BulkReceiver receiver;

    private volatile int generation;
    /** Counts up when sending is to end; what was asked for before that is then no longer wanted. Written by the loop. */
    private volatile int cancels;
    /** For the loop: set once the machine is ready. */
    private volatile Machine ready;
    private volatile GuestDisks readyDisks;
    private long seenOperations;
    /** Answers of a fresh backup on what its disks hold. */
    private final BlockingQueue<Sums> sums = new LinkedBlockingQueue<>();

    private record Sums(long session, BulkWire.ChunkDigests chunk) {
    }

    // Used on the guest's thread only.
    /** Value of {@link #generation} when what is being done was asked for: the machine may be gone by the time it is reported. */
    private int doing;
    /** Value of {@link #cancels} when what is being sent was asked for. */
    private int ticket;
    private Machine machine;
    private GuestDisks disks;
    private PageSet dirty;
    private PageSet unsent;
    private PageArena captured;
    private int[] slotOf;
    private PageSet peerDirty;
    private Capture capture;
    private ByteBuffer deviceState;
    private long[] allDigests;
    private long stoppedNanos;
    private long session;

    GuestDriver(Hardware hardware, Hashers hashers, Supplier<Transport> transport, Surroundings surroundings)
            throws SystemCallException {
        this.hardware = hardware;
        this.hashers = hashers;
        this.surroundings = surroundings;
        this.sender = new PageSender(transport, () -> cancels != ticket);
        this.receiver = new BulkReceiver(hashers, surroundings, new BulkReceiver.Questions() {
            @Override
            public void onAsked(long view, String hasher, long[] chunks) {
                answer(view, hasher, chunks);
            }

            @Override
            public void onAnswered(long ofSession, BulkWire.ChunkDigests chunk) {
                sums.add(new Sums(ofSession, chunk));
            }
        });
        this.thread = Executors.newSingleThreadExecutor(r -> {
            Thread t = new Thread(r, "plover-guest-" + hardware.machine().name());
            t.setPriority(Thread.MAX_PRIORITY);
            return t;
        });
    }

    /** What the transport's bulk thread calls with messages. */
    BulkReceiver receiver() {
        return receiver;
    }

    private interface Task {
        void run() throws MachineException, IOException, PageSender.Cancelled;
    }

    private void submit(String what, Task task) {
        submit(generation, what, task);
    }

    /** @param mine for the machine of which generation it is */
    private void submit(int mine, String what, Task task) {
        thread.execute(() -> {
            if (mine != generation) {
                return;
            }
            doing = mine;
            try {
                task.run();
            } catch (PageSender.Cancelled e) {
                LOG.info("{} ended early: {}", what, e.getMessage());
            } catch (MachineException | IOException | RuntimeException e) {
                if (mine == generation && e instanceof RuntimeException) {
                    LOG.warn("{} failed", what, e); // of the others the message says all, and the replica logs it
                }
                report(mine, events -> events.onGuestFailed(what + ": " + e.getMessage(), System.nanoTime()));
            }
        });
    }

    private interface Report {
        void to(GuestEvents events);
    }

    private void report(int ofGeneration, Report event) {
        surroundings.post(() -> {
            if (ofGeneration == generation) {
                event.to(surroundings.events());
            }
        });
    }

    private void report(Report event) {
        report(doing, event);
    }

    @Override
    public void boot() {
        submit("booting the guest", () -> start(StartMode.BOOT));
    }

    @Override
    public void prepare() {
        submit("preparing a machine", () -> start(StartMode.AWAIT_STATE));
    }

    private void start(StartMode mode) throws MachineException, IOException {
        int mine = doing;
        disks = openDisks(mode, mine);
        MachineSpec spec = disks.any() ? hardware.machine().withDisks(disks.disks().attachments()) : hardware.machine();
        machine = hardware.machines().create(spec, new MachineListener() {
            @Override
            public void onFrame(int nic, ByteBuffer frame) {
                surroundings.onFrame(nic, frame);
            }

            @Override
            public void onExit(String reason) {
                report(mine, events -> events.onGuestFailed(reason, System.nanoTime()));
            }
        });
        machine.start(mode);
        int pages = machine.memory().pageCount();
        dirty = new PageSet(pages);
        unsent = new PageSet(pages);
        slotOf = new int[pages];
        captured = new PageArena(pages);
        PageSet already = new PageSet(pages);
        if (mode == StartMode.AWAIT_STATE) {
            machine.fetchDirty(already);
            // What was written before the tracker was armed counts too: whatever is not zero.
            for (int p = 0; p < pages; p++) {
                if (!sender.isZero(address(p))) {
                    already.add(p);
                }
            }
        }
        byte[] offer = disks.offer(already).encode();
        receiver.machineReady(machine.memory(), disks);
        Machine started = machine;
        GuestDisks opened = disks;
        surroundings.post(() -> {
            if (mine == generation) {
                ready = started;
                readyDisks = opened;
                surroundings.events().onReady(offer, System.nanoTime());
            }
        });
    }

    private GuestDisks openDisks(StartMode mode, int mine) throws IOException, MachineException {
        if (!hasDisks()) {
            return new GuestDisks(null, hashers);
        }
        Disks opened = hardware.diskProvider().open(hardware.disks(),
                reason -> report(mine, events -> events.onDiskFailed(reason, System.nanoTime())));
        if (mode == StartMode.BOOT && opened.standing() == Standing.PARTIAL) {
            opened.close();
            throw new MachineException("the disks here are a copy of the other replica's that was never completed; the guest is not booted"
                    + " from them. Bring the other replica back, or put an image from a backup in place of each and remove "
                    + hardware.disks().stateDir());
        }
        return new GuestDisks(opened, hashers);
    }

    @Override
    public void destroy() {
        generation++;
        cancels++;
        ready = null;
        readyDisks = null;
        receiver.expect(0);
        thread.execute(this::closeMachine);
    }

    private void closeMachine() {
        receiver.machineGone();
        if (machine != null) {
            machine.close();
            machine = null;
        }
        if (disks != null) {
            disks.close();
            disks = null;
        }
        if (captured != null) {
            try {
                captured.close();
            } catch (SystemCallException e) {
                LOG.warn("memory of the last capture could not be given back", e);
            }
            captured = null;
        }
        capture = null;
    }

    @Override
    public void close() {
        destroy();
        thread.execute(() -> {
            try {
                sender.close();
            } catch (SystemCallException e) {
                LOG.warn("a page could not be given back", e);
            }
        });
        thread.shutdown();
        try {
            if (!thread.awaitTermination(10, TimeUnit.SECONDS)) {
                LOG.warn("the machine of {} did not end within 10 s", hardware.machine().name());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private long address(int page) {
        return machine.memory().address() + (long) page * GuestMemory.PAGE_BYTES;
    }

    private void copy(PageSet pages) {
        for (int page : pages.toArray()) {
            slotOf[page] = captured.add(address(page));
        }
    }

    // ---- primary ----

    @Override
    public void capture(Capture what) {
        submit("capturing epoch " + what.epoch(), () -> {
            stoppedNanos = System.nanoTime();
            disks.throttle(false);
            machine.stop();
            disks.seal(what.epoch());
            deviceState = machine.saveDeviceState();
            dirty.clear();
            machine.fetchDirty(dirty);
            if (what.everything()) {
                dirty.addAll(unsent);
            }
            captured.reset();
            copy(dirty);
            allDigests = what.verify() ? hashers.digest(what.hasher(), machine.memory().address(), allPages()) : null;
            capture = what;
            report(events -> events.onCaptured(what.epoch(), System.nanoTime()));
        });
    }

    private int[] allPages() {
        PageSet all = new PageSet(machine.memory().pageCount());
        all.fill();
        return all.toArray();
    }

    @Override
    public void finishCapture(long epoch, PageSet peers) {
        submit("finishing the capture of epoch " + epoch, () -> {
            peerDirty = peers == null ? new PageSet(dirty.pageCount()) : peers;
            PageSet extra = new PageSet(dirty.pageCount());
            extra.addAll(peerDirty);
            extra.removeAll(dirty);
            copy(extra);
            if (!capture.staysStopped()) {
                runOn();
            }
            long pause = System.nanoTime() - stoppedNanos;
            report(events -> events.onResumed(epoch, pause, System.nanoTime()));
        });
    }

    @Override
    public void transfer(long view, long epoch, int member, long[] peerDigests, long compareFrom) {
        int mine = cancels;
        submit("sending epoch " + epoch, () -> {
            ticket = mine;
            CompletableFuture<Void> durable = disks.commit(epoch);
            int[] compared = peerDirty.toArray();
            PageSet toSend = new PageSet(dirty.pageCount());
            toSend.addAll(dirty);
            toSend.addAll(peerDirty);
            int union = toSend.size();
            int same = peerDigests == null ? 0 : compare(compared, peerDigests, toSend);
            sender.to(member, session, view, epoch);
            byte[] id = capture.hasher().getBytes(StandardCharsets.UTF_8);
            ByteBuffer state = sender.begin(BulkWire.STATE, 8 + 2 + id.length + 4 + deviceState.remaining());
            state.putLong(capture.index()).putShort((short) id.length).put(id).putInt(deviceState.remaining())
                    .put(deviceState.duplicate());
            sender.message(state.flip());
            disks.send(sender, capture.hasher(), receiver.peerBlocks(epoch));
            long comparedTo = compareFrom < 0 ? -1 : disks.sendSlice(sender, capture.hasher(), compareFrom);
            sender.beginPages(BulkWire.PAGES);
            for (int page : toSend.toArray()) {
                sender.page(page, captured.address(slotOf[page]));
            }
            sender.endPages();
            if (allDigests != null) {
                sender.digests(BulkWire.ALL_DIGESTS, allDigests);
            }
            sender.end();
            GuestDisks.await(durable);
            GuestEvents.Transferred what = new GuestEvents.Transferred(union, same, disks.writtenBlocks(), disks.sameBlocks(),
                    sender.bytes(), comparedTo);
            report(events -> events.onTransferred(epoch, what, System.nanoTime()));
        });
    }

    /** Takes out of {@code toSend} what is equal on both sides; returns how many pages that were. */
    private int compare(int[] pages, long[] peerDigests, PageSet toSend) {
        if (peerDigests.length != 2 * pages.length) {
            return 0; // the backup does not have this epoch's hasher: everything counts as different
        }
        int[] slots = new int[pages.length];
        for (int i = 0; i < pages.length; i++) {
            slots[i] = slotOf[pages[i]];
        }
        long[] own = hashers.digest(capture.hasher(), captured.address(), slots);
        if (own == null) {
            return 0;
        }
        int same = 0;
        for (int i = 0; i < pages.length; i++) {
            if (own[2 * i] == peerDigests[2 * i] && own[2 * i + 1] == peerDigests[2 * i + 1]) {
                toSend.remove(pages[i]);
                same++;
            }
        }
        return same;
    }

    @Override
    public void acknowledged(long epoch, boolean forJoin) {
        submit("settling epoch " + epoch, () -> {
            try {
                disks.acknowledged(epoch, forJoin, session);
            } catch (IOException e) {
                // The disks report their failure themselves; the guest goes on, and more than needed is compared when a backup comes.
                LOG.warn("what has changed on disk since epoch {} is not forgotten: {}", epoch, e.getMessage());
            }
        });
    }

    @Override
    public boolean alone(int request) {
        if (!hasDisks()) {
            return true;
        }
        submit("making the disks durable", () -> {
            receiver.refuse();
            if (disks != null) {
                disks.alone();
            }
            report(events -> events.onSettled(request));
        });
        return false;
    }

    @Override
    public void precopy(Precopy what) {
        int mine = cancels;
        submit("copying the guest to a fresh backup", () -> {
            ticket = mine;
            Offer offer = Offer.decode(what.offer());
            if (offer.dirty().pageCount() != dirty.pageCount() || !disks.fits(offer)) {
                LOG.warn("the backup's guest has {} pages and disks of {} bytes, this one has {} pages and {}; give both the same memoryMiB"
                        + " and images of the same length", offer.dirty().pageCount(), offer.bytes(), dirty.pageCount(), disks.offer(dirty).bytes());
                throw new PageSender.Cancelled("the guests differ in size");
            }
            session = what.session();
            hashers.key(what.secret());
            sender.to(what.member(), session, what.view(), 0);
            sender.pace(hardware.copyBytesPerSecondMax());
            ByteBuffer begin = sender.begin(BulkWire.SESSION, 4 + 4 + what.secret().length);
            sender.message(begin.putInt(dirty.pageCount()).putInt(what.secret().length).put(what.secret()).flip());
            copyDisks(what, offer);
            copyMemory(offer.dirty());
            copyBlocksWritten(); // few, if it was done a moment ago: what is left is sent while output is held
            report(events -> events.onPrecopied(100, System.nanoTime()));
        });
    }

    /** Compares chunk by chunk and sends what differs, then what was written meanwhile. */
    private void copyDisks(Precopy what, Offer offer) throws IOException, PageSender.Cancelled {
        if (!disks.any()) {
            return;
        }
        disks.fetchWritten();
        long[] chunks = disks.chunksToCompare(offer);
        long startedNanos = System.nanoTime();
        sums.clear();
        int asked = 0;
        int done = 0;
        int sent = 0;
        try {
            while (done < chunks.length) {
                if (asked - done <= CHUNKS_ASKED_MAX / 2 && asked < chunks.length) {
                    int n = Math.min(CHUNKS_ASKED_MAX - (asked - done), chunks.length - asked);
                    ask(what.hasher(), chunks, asked, n);
                    asked += n;
                }
                Sums answer = nextSums();
                if (answer.session() == session) {
                    sent += disks.sendDiffering(sender, what.hasher(), answer.chunk());
                    done++;
                    if (done % CHUNKS_ASKED_MAX == 0) {
                        int percent = (int) ((long) DISKS_PERCENT * done / chunks.length);
                        report(events -> events.onPrecopied(percent, System.nanoTime()));
                    }
                }
            }
        } finally {
            String left = done == chunks.length ? "" : "; cut short, " + (chunks.length - done) + " chunks were not reached";
            LOG.info("disks: {} chunks of 1 MiB compared with the fresh backup's, {} blocks differed and were sent, in {} ms{}", done, sent,
                    (System.nanoTime() - startedNanos) / 1_000_000, left);
        }
        copyBlocksWritten();
    }

    private void ask(String hasher, long[] chunks, int from, int n) throws PageSender.Cancelled {
        byte[] id = hasher.getBytes(StandardCharsets.UTF_8);
        ByteBuffer m = sender.begin(BulkWire.DISK_ASK, 2 + id.length + 4 + 8 * n).putShort((short) id.length).put(id).putInt(n);
        for (int i = from; i < from + n; i++) {
            m.putLong(chunks[i]);
        }
        sender.message(m.flip());
    }

    private Sums nextSums() throws PageSender.Cancelled {
        try {
            for (Sums next = null; ; ) {
                next = sums.poll(50, TimeUnit.MILLISECONDS);
                if (next != null) {
                    return next;
                }
                sender.check();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PageSender.Cancelled("interrupted");
        }
    }

    private void copyBlocksWritten() throws IOException, PageSender.Cancelled {
        long last = Long.MAX_VALUE;
        for (int round = 0; round < PRECOPY_ROUNDS_MAX; round++) {
            long[] written = disks.fetchWritten();
            disks.sendBlocks(sender, written);
            if (written.length <= PRECOPY_REST_BLOCKS || written.length > last * 9 / 10) {
                break;
            }
            last = written.length;
        }
    }

    private void copyMemory(PageSet alreadyDirty) throws MachineException, PageSender.Cancelled {
        unsent.clear();
        machine.fetchDirty(unsent);
        unsent.clear();
        for (int p = 0; p < unsent.pageCount(); p++) {
            if (alreadyDirty.contains(p) || !sender.isZero(address(p))) {
                unsent.add(p);
            }
        }
        int first = Math.max(1, unsent.size());
        int base = disks.any() ? DISKS_PERCENT : 0;
        int rest = first;
        for (int round = 0; round < PRECOPY_ROUNDS_MAX && (round == 0 || rest > PRECOPY_REST_PAGES); round++) {
            sender.beginPages(BulkWire.PRECOPY);
            int sent = 0;
            for (int page : unsent.toArray()) {
                sender.page(page, address(page));
                if (round == 0 && ++sent % 4096 == 0) {
                    int percent = base + (int) ((99L - base) * sent / first);
                    report(events -> events.onPrecopied(percent, System.nanoTime()));
                }
            }
            sender.endPages();
            unsent.clear();
            machine.fetchDirty(unsent);
            int left = unsent.size();
            if (round > 0 && left > rest * 9 / 10) {
                break; // the guest writes as fast as the link carries; more rounds would not help
            }
            rest = left;
        }
    }

    @Override
    public void cancelPrecopy() {
        cancels++;
    }

    // ---- backup ----

    @Override
    public void captureBackup(long view, long epoch, int primary, String hasher) {
        int mine = cancels;
        submit("stopping for epoch " + epoch, () -> {
            ticket = mine;
            disks.throttle(false);
            machine.stop();
            machine.fetchDirty(dirty);
            receiver.accept(view, epoch);
            // First of all: if the primary is gone nothing can be sent, and the guest must not stand still for ever.
            report(events -> events.onBackupCaptured(epoch, System.nanoTime()));
            sender.to(primary, receiver.session(), view, epoch);
            ByteBuffer m = sender.begin(BulkWire.DIRTY, dirty.encodedBytes());
            dirty.encode(m);
            sender.message(m.flip());
            disks.sendWritten(sender, hasher);
            long[] digests = hashers.digest(hasher, machine.memory().address(), dirty.toArray());
            sender.digests(BulkWire.DIGESTS, digests == null ? new long[0] : digests);
        });
    }

    @Override
    public void expect(long newSession) {
        receiver.expect(newSession);
    }

    @Override
    public void apply(long epoch) {
        submit("putting epoch " + epoch + " in place", () -> {
            Staging staging = receiver.staged(epoch);
            staging.applyTo(machine.memory().address());
            disks.apply(epoch);
            if (!machine.awaitFrames(FRAMES_MILLIS_MAX)) {
                LOG.warn("the guest's last frames before epoch {} were not seen within {} ms", epoch, FRAMES_MILLIS_MAX);
            }
            machine.loadDeviceState(ByteBuffer.wrap(staging.deviceState()));
            dirty.clear();
            if (staging.allDigests() != null) {
                verify(epoch, staging);
            }
            if (!staging.diskDigests().isEmpty()) {
                List<Long> differing = new ArrayList<>();
                int blocks = disks.compare(staging.hasher(), staging.diskDigests(), differing);
                int count = differing.size();
                List<Long> first = List.copyOf(differing.subList(0, Math.min(VERIFY_PAGES_NAMED, count)));
                report(events -> events.onDisksCompared(epoch, blocks, count, first, System.nanoTime()));
            }
            report(events -> events.onApplied(epoch, System.nanoTime()));
        });
    }

    private void verify(long epoch, Staging staging) {
        int[] pages = allPages();
        long[] own = hashers.digest(staging.hasher(), machine.memory().address(), pages);
        if (own == null) {
            LOG.warn("epoch {} could not be verified: hasher {} is not there", epoch, staging.hasher());
            return;
        }
        long[] theirs = staging.allDigests();
        int differing = 0;
        List<Integer> first = new ArrayList<>();
        for (int p = 0; p < pages.length; p++) {
            if (own[2 * p] != theirs[2 * p] || own[2 * p + 1] != theirs[2 * p + 1]) {
                differing++;
                if (first.size() < VERIFY_PAGES_NAMED) {
                    first.add(p);
                }
            }
        }
        int count = differing;
        report(events -> events.onVerified(epoch, pages.length, count, first, System.nanoTime()));
    }

    @Override
    public void dropStaged() {
        receiver.dropStaged();
        submit("dropping what has been received", receiver::refuse);
    }

    private void runOn() throws MachineException {
        machine.resume();
        disks.throttle(true);
    }

    /** Tells the primary what the disks of this fresh machine hold. */
    private void answer(long view, String hasher, long[] chunks) {
        int mine = cancels;
        submit("comparing disks", () -> {
            ticket = mine;
            sender.to(surroundings.peer(), receiver.session(), view, 0);
            for (long first : chunks) {
                sender.sums(BulkWire.DISK_SUMS, first, receiver.sums(hasher, first));
            }
        });
    }

    @Override
    public void resume() {
        submit("resuming the guest", this::runOn);
    }

    // ---- called by the loop on the running machine ----

    @Override
    public boolean inject(int nic, ByteBuffer frame) {
        Machine m = ready;
        return m != null && m.inject(nic, frame);
    }

    @Override
    public long pendingInputBytes() {
        Machine m = ready;
        return m == null ? 0 : m.pendingInputBytes();
    }

    @Override
    public int sampleActivity() {
        Machine m = ready;
        GuestDisks d = readyDisks;
        if (m == null || d == null) {
            return 0;
        }
        long operations = d.operations();
        boolean busy = d.inFlight() > 0 || operations != seenOperations;
        seenOperations = operations;
        int permille = m.sampleActivity();
        return busy ? 1000 : permille;
    }

    @Override
    public boolean hasDisks() {
        return !hardware.disks().disks().isEmpty();
    }

    /** Copies all disks to files; see {@link Disks#copyTo}. Completes exceptionally with an IllegalStateException that says why not. */
    void copyDisks(List<Path> files, CompletableFuture<Void> request) {
        submit("copying the disks", () -> {
            if (disks == null || !disks.any()) {
                request.completeExceptionally(new IllegalStateException(hasDisks() ? "no machine is up here yet" : "this guest has no disks"));
                return;
            }
            CompletableFuture<Void> copy = disks.disks().copyTo(files);
            if (request instanceof ProgressingFuture<?> asked && copy instanceof ProgressingFuture<?> known) {
                asked.follow(known);
            }
            copy.whenComplete((done, failed) -> {
                if (failed == null) {
                    request.complete(null);
                } else {
                    Throwable cause = failed instanceof CompletionException && failed.getCause() != null ? failed.getCause() : failed;
                    request.completeExceptionally(new IllegalStateException(cause.getMessage(), cause));
                }
            });
        });
    }

    // ---- length of disks ----

    @Override
    public long[] diskBytes() {
        GuestDisks d = readyDisks;
        if (d == null || !d.any()) {
            return new long[0];
        }
        long[] bytes = new long[d.disks().count()];
        for (int disk = 0; disk < bytes.length; disk++) {
            bytes[disk] = d.disks().bytes(disk);
        }
        return bytes;
    }

    @Override
    public void makeRoom(int disk, long bytes) {
        submit("making room for disk " + disk, () -> {
            int mine = doing;
            room(disk, bytes).thenAccept(refusal -> report(mine, events -> events.onRoomMade(disk, bytes, refusal, System.nanoTime())));
        });
    }

    /** What cannot be done is a refusal, however it is said. */
    private CompletableFuture<String> room(int disk, long bytes) {
        return disks.disks().makeRoom(disk, bytes).handle((refusal, failed) -> failed == null ? refusal : failed.toString());
    }

    @Override
    public void resizeDisk(int disk, long bytes) {
        submit("making room for disk " + disk, () -> {
            int mine = doing;
            room(disk, bytes).thenAccept(refusal -> {
                if (refusal.isEmpty()) {
                    submit(mine, "changing the length of disk " + disk, () -> resizeNow(disk, bytes));
                } else {
                    report(mine, events -> events.onDiskResized(disk, bytes, refusal, System.nanoTime()));
                }
            });
        });
    }

    private void resizeNow(int disk, long bytes) throws IOException, MachineException {
        boolean ran = machine.isRunning();
        if (ran) {
            disks.throttle(false);
            machine.stop();
        }
        disks.disks().resize(disk, bytes);
        String refusal = "";
        try {
            machine.resizeDisk(disk, bytes);
        } catch (MachineException e) {
            LOG.warn("the guest has not been told that disk {} has {} bytes", disk, bytes, e);
            refusal = "the guest could not be told: " + e.getMessage();
        }
        if (ran) {
            runOn();
        }
        String said = refusal;
        report(events -> events.onDiskResized(disk, bytes, said, System.nanoTime()));
    }

    @Override
    public void adoptDiskBytes(long[] bytes) {
        submit("making room for the primary's disks", () -> {
            int mine = doing;
            CompletableFuture<String> all = CompletableFuture.completedFuture("");
            for (int disk = 0; disk < bytes.length; disk++) {
                int next = disk;
                CompletableFuture<String> one = room(next, bytes[next]);
                all = all.thenCombine(one, (before, refusal) -> before.isEmpty() ? refusal : before);
            }
            all.thenAccept(refusal -> submit(mine, "changing the lengths of disks", () -> {
                for (int disk = 0; refusal.isEmpty() && disk < bytes.length; disk++) {
                    if (bytes[disk] != disks.disks().bytes(disk)) {
                        disks.disks().resize(disk, bytes[disk]);
                    }
                }
                report(events -> events.onLengthsAdopted(refusal, System.nanoTime()));
            }));
        });
    }

    @Override
    public long unsealedDiskBytes() {
        GuestDisks d = readyDisks;
        return d == null ? 0 : d.unsealedBytes();
    }
}
