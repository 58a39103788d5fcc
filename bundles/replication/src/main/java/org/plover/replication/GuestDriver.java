package org.plover.replication;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.plover.api.machine.Machine;
import org.plover.api.machine.MachineException;
import org.plover.api.machine.MachineListener;
import org.plover.api.machine.MachineProvider;
import org.plover.api.machine.MachineSpec;
import org.plover.api.machine.StartMode;
import org.plover.api.memory.GuestMemory;
import org.plover.api.memory.PageSet;
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
    private static final long FRAMES_MILLIS_MAX = 20;
    private static final int VERIFY_PAGES_NAMED = 32;

    /** Where events and frames go. */
    interface Surroundings {
        /** Runs something on the group's loop. */
        void post(Runnable event);

        GuestEvents events();

        /** A frame from the guest; on the machine's reader thread. */
        void onFrame(int nic, ByteBuffer frame);
    }

    private final MachineProvider provider;
    private final MachineSpec spec;
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

    // Used on the guest's thread only.
    /** Value of {@link #cancels} when what is being sent was asked for. */
    private int ticket;
    private Machine machine;
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

    GuestDriver(MachineProvider provider, MachineSpec spec, Hashers hashers, Supplier<Transport> transport, Surroundings surroundings)
            throws SystemCallException {
        this.provider = provider;
        this.spec = spec;
        this.hashers = hashers;
        this.surroundings = surroundings;
        this.sender = new PageSender(transport, () -> cancels != ticket);
        this.receiver = new BulkReceiver(hashers, surroundings);
        this.thread = Executors.newSingleThreadExecutor(r -> {
            Thread t = new Thread(r, "plover-guest-" + spec.name());
            t.setPriority(Thread.MAX_PRIORITY);
            return t;
        });
    }

    /** What the transport's bulk thread calls with messages. */
    BulkReceiver receiver() {
        return receiver;
    }

    private interface Task {
        void run() throws MachineException, SystemCallException, PageSender.Cancelled;
    }

    private void submit(String what, Task task) {
        int mine = generation;
        thread.execute(() -> {
            if (mine != generation) {
                return;
            }
            try {
                task.run();
            } catch (PageSender.Cancelled e) {
                LOG.info("{} ended early: {}", what, e.getMessage());
            } catch (MachineException | SystemCallException | RuntimeException e) {
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
        report(generation, event);
    }

    @Override
    public void boot() {
        submit("booting the guest", () -> start(StartMode.BOOT));
    }

    @Override
    public void prepare() {
        submit("preparing a machine", () -> start(StartMode.AWAIT_STATE));
    }

    private void start(StartMode mode) throws MachineException, SystemCallException {
        int mine = generation;
        machine = provider.create(spec, new MachineListener() {
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
        receiver.machineReady(machine.memory());
        Machine started = machine;
        surroundings.post(() -> {
            if (mine == generation) {
                ready = started;
                surroundings.events().onReady(already, System.nanoTime());
            }
        });
    }

    @Override
    public void destroy() {
        generation++;
        cancels++;
        ready = null;
        receiver.expect(0);
        thread.execute(this::closeMachine);
    }

    private void closeMachine() {
        receiver.machineGone();
        if (machine != null) {
            machine.close();
            machine = null;
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
                LOG.warn("the machine of {} did not end within 10 s", spec.name());
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
            machine.stop();
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
                machine.resume();
            }
            long pause = System.nanoTime() - stoppedNanos;
            report(events -> events.onResumed(epoch, pause, System.nanoTime()));
        });
    }

    @Override
    public void transfer(long view, long epoch, int member, long[] peerDigests) {
        int mine = cancels;
        submit("sending epoch " + epoch, () -> {
            ticket = mine;
            int[] compared = peerDirty.toArray();
            PageSet toSend = new PageSet(dirty.pageCount());
            toSend.addAll(dirty);
            toSend.addAll(peerDirty);
            int union = toSend.size();
            int same = peerDigests == null ? 0 : compare(compared, peerDigests, toSend);
            sender.to(member, session, view, epoch);
            byte[] id = capture.hasher().getBytes(java.nio.charset.StandardCharsets.UTF_8);
            ByteBuffer state = sender.begin(BulkWire.STATE, 8 + 2 + id.length + 4 + deviceState.remaining());
            state.putLong(capture.index()).putShort((short) id.length).put(id).putInt(deviceState.remaining())
                    .put(deviceState.duplicate());
            sender.message(state.flip());
            sender.beginPages(BulkWire.PAGES);
            for (int page : toSend.toArray()) {
                sender.page(page, captured.address(slotOf[page]));
            }
            sender.endPages();
            if (allDigests != null) {
                sender.digests(BulkWire.ALL_DIGESTS, allDigests);
            }
            sender.end();
            long bytes = sender.bytes();
            report(events -> events.onTransferred(epoch, union, same, bytes, System.nanoTime()));
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
    public void precopy(long view, long newSession, int member, byte[] secret, PageSet alreadyDirty) {
        int mine = cancels;
        submit("copying memory to a fresh backup", () -> {
            ticket = mine;
            if (alreadyDirty.pageCount() != dirty.pageCount()) {
                LOG.warn("the backup's guest has {} pages, this one {}; give both the same memoryMiB", alreadyDirty.pageCount(),
                        dirty.pageCount());
                throw new PageSender.Cancelled("the guests differ in size");
            }
            session = newSession;
            hashers.key(secret);
            sender.to(member, session, view, 0);
            ByteBuffer begin = sender.begin(BulkWire.SESSION, 4 + 4 + secret.length);
            sender.message(begin.putInt(dirty.pageCount()).putInt(secret.length).put(secret).flip());
            unsent.clear();
            machine.fetchDirty(unsent);
            unsent.clear();
            for (int p = 0; p < unsent.pageCount(); p++) {
                if (alreadyDirty.contains(p) || !sender.isZero(address(p))) {
                    unsent.add(p);
                }
            }
            int first = Math.max(1, unsent.size());
            int rest = first;
            for (int round = 0; round < PRECOPY_ROUNDS_MAX && (round == 0 || rest > PRECOPY_REST_PAGES); round++) {
                sender.beginPages(BulkWire.PRECOPY);
                int sent = 0;
                for (int page : unsent.toArray()) {
                    sender.page(page, address(page));
                    if (round == 0 && ++sent % 4096 == 0) {
                        int percent = (int) (99L * sent / first);
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
            report(events -> events.onPrecopied(100, System.nanoTime()));
        });
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
            machine.stop();
            machine.fetchDirty(dirty);
            // First of all: if the primary is gone nothing can be sent, and the guest must not stand still for ever.
            report(events -> events.onBackupCaptured(epoch, System.nanoTime()));
            sender.to(primary, receiver.session(), view, epoch);
            ByteBuffer m = sender.begin(BulkWire.DIRTY, dirty.encodedBytes());
            dirty.encode(m);
            sender.message(m.flip());
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
            if (!machine.awaitFrames(FRAMES_MILLIS_MAX)) {
                LOG.warn("the guest's last frames before epoch {} were not seen within {} ms", epoch, FRAMES_MILLIS_MAX);
            }
            machine.loadDeviceState(ByteBuffer.wrap(staging.deviceState()));
            dirty.clear();
            if (staging.allDigests() != null) {
                verify(epoch, staging);
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
    }

    @Override
    public void resume() {
        submit("resuming the guest", () -> machine.resume());
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
        return m == null ? 0 : m.sampleActivity();
    }
}
