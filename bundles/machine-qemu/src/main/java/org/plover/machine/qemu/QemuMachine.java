package org.plover.machine.qemu;

import jakarta.json.JsonArray;
import jakarta.json.JsonObject;
import jakarta.json.JsonValue;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntSupplier;
import org.plover.api.machine.Machine;
import org.plover.api.machine.MachineException;
import org.plover.api.machine.MachineListener;
import org.plover.api.machine.MachineSpec;
import org.plover.api.machine.StartMode;
import org.plover.api.memory.GuestMemory;
import org.plover.api.memory.PageSet;
import org.plover.linux.Linux;
import org.plover.linux.Memory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A guest in an unmodified QEMU, driven from outside. */
final class QemuMachine implements Machine {
    private static final Logger LOG = LoggerFactory.getLogger(QemuMachine.class);
    private static final long TIMEOUT_MILLIS = 20_000;
    /** The guest stands still meanwhile. */
    private static final long RESIZE_MILLIS = 2000;
    /** Time between the end of QEMU's connections and of its process, which tells how it ended. */
    private static final int EXIT_MILLIS = 1_000;
    /** How often readers of frames are looked after while QEMU stops. */
    private static final int RELIEF_MILLIS = 2;
    /** A wait for QEMU is cut into pieces of this length. */
    private static final int SLICE_MILLIS = 50;
    /** A stop writes to the disks what they have to keep, which a slow disk may take long for. */
    private static final int FLUSH_MILLIS_MIN = 3_000;
    private static final long STOPPED_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(100);
    private static final int FIRST_STATE_BYTES = 256 << 10;
    /** A rehearsal is repeated until it finds nothing new. */
    private static final int REHEARSALS_MAX = 5;

    private final Settings settings;
    private final IntSupplier answerMillisMin;
    private final MachineSpec spec;
    private final MachineListener listener;
    private final String accelerator;
    private final String saveCommand;

    /** Held by whoever uses what close() takes away. */
    private final ReentrantLock control = new ReentrantLock();
    private final AtomicBoolean closing = new AtomicBoolean();
    private final AtomicBoolean failing = new AtomicBoolean();
    private volatile QemuProcess process;
    private volatile String exitCause = "";
    /** Why QEMU is no longer there; null while it is. */
    private volatile String gone;
    /** Whether start() has succeeded; until then it reports what happens itself. */
    private volatile boolean started;
    private volatile boolean running;
    private volatile List<NicLink> nics = List.of();
    private volatile VcpuActivity activity;
    private volatile LoadJob load;
    private volatile GuestRam ram;

    // Guarded by control.
    private Qmp qmp;
    private DirtyTracker tracker;
    private LoadGuard guard;
    /** Written pages that a load had to fetch before its own writes, and that fetchDirty still owes. */
    private PageSet owed;
    private PageSet touched;
    private int savedFd = -1;
    private ByteBuffer state = Memory.allocate(FIRST_STATE_BYTES);
    private final Patience stopping = new Patience();
    private final Patience saving = new Patience();
    private final Patience loading = new Patience();
    private final Patience resuming = new Patience();
    private Qmp.Reply savePending;
    private boolean saveFollowsStop;
    private boolean loadFollowsStop;
    private boolean loadedSinceStop;
    private boolean droppingInput;
    private boolean inputAtRisk;
    private final List<Qmp.Reply> inputSwitches = new ArrayList<>();
    /** Why the guest must not run; null if it may. */
    private String unfit = "it has not been started";
    private int loads;

    /**
     * Prepares a machine.
     *
     * @param answerMillisMin the setting of that name, which applies at once
     */
    QemuMachine(Settings settings, IntSupplier answerMillisMin, MachineSpec spec, MachineListener listener) {
        this.settings = settings;
        this.answerMillisMin = answerMillisMin;
        this.spec = spec;
        this.listener = listener;
        this.accelerator = Host.accelerator(settings);
        this.saveCommand = "{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"live\":false,\"filename\":\""
                + jsonEscape(CommandLine.Files.of(spec, settings.ramDirectory()).saved().toString()) + "\"}}";
    }

    // --- start and end ------------------------------------------------------------------------------------------------

    @Override
    public void start(StartMode mode) throws MachineException {
        control.lock();
        try {
            if (process != null || closing.get()) {
                throw new MachineException("VM " + spec.name() + " has been started before: create another machine");
            }
            process = QemuProcess.start(settings, spec, accelerator);
            try {
                connect();
                prepareTracking();
                rehearse();
            } catch (IOException | MachineException e) {
                throw startFailed(e);
            }
            unfit = mode == StartMode.BOOT ? null : "no device state has been loaded yet";
            started = true;
            if (mode == StartMode.BOOT) {
                resume();
            }
        } catch (MachineException e) {
            close();
            throw e;
        } finally {
            control.unlock();
        }
    }

    private MachineException startFailed(Exception cause) {
        boolean ended = process.awaitEnd(qmp != null && qmp.hasEnded() ? EXIT_MILLIS : 0);
        String how = ended ? " QEMU ended (" + process.kill() + ")." : "";
        String remedy = cause instanceof IOException e ? "; " + HostCheck.tracingRemedy(e) : "";
        return new MachineException("VM " + spec.name() + " could not be started: " + cause.getMessage() + remedy + "." + how + " "
                + process.lastWords(), cause);
    }

    private void connect() throws MachineException, IOException {
        String prefix = "plover-" + spec.name();
        qmp = new Qmp(process.qmpFd(), prefix + "-qmp", new Qmp.Events() {
            @Override
            public void onEvent(String name, JsonObject data) {
                handleEvent(name, data);
            }

            @Override
            public void onEnd() {
                handleEnd();
            }
        });
        List<NicLink> links = new ArrayList<>();
        for (int i = 0; i < spec.nics().size(); i++) {
            links.add(new NicLink(i, process.nicFd(i), prefix, listener, this::fail));
        }
        nics = List.copyOf(links);
        String version = qmp.handshake(TIMEOUT_MILLIS);
        List<Integer> threads = new ArrayList<>();
        for (JsonValue cpu : (JsonArray) qmp.execute("query-cpus-fast", TIMEOUT_MILLIS)) {
            threads.add(cpu.asJsonObject().getInt("thread-id"));
        }
        activity = new VcpuActivity(process.pid(), threads);
        LOG.info("VM {}: QEMU {} with {}, {}, process {}", spec.name(), version, accelerator, settings.machineType(), process.pid());
    }

    private void prepareTracking() throws IOException {
        long bytes = (long) spec.memoryMiB() << 20;
        ram = GuestRam.map(process.files().ram(), process.pid(), bytes);
        // Under KVM a one-pass scan would throw away the translations of all guest memory, every time.
        tracker = DirtyTracker.attach(process.pid(), process.pidfd(), ram.addressInQemu(), bytes, accelerator.equals("kvm"));
        guard = new LoadGuard(ram);
        owed = new PageSet(ram.pageCount());
        touched = new PageSet(ram.pageCount());
    }

    /**
     * Saves and loads the state of the machine as it was built, while RAM holds nothing of value: learns which pages a load
     * writes, and finds out now instead of at the first epoch if this QEMU cannot do it.
     */
    private void rehearse() throws MachineException, IOException {
        ByteBuffer built = saveDeviceState();
        saveFollowsStop = false;
        for (int i = 0; i < REHEARSALS_MAX; i++) {
            tracker.fetch(owed);
            guard.keep();
            snapshotLoad(built);
            touched.clear();
            tracker.fetch(touched);
            guard.restore();
            PageSet unknown = guard.lost(touched);
            if (unknown.isEmpty()) {
                LOG.debug("VM {}: a load writes {} pages of RAM", spec.name(), guard.learnedPages());
                owed.clear();
                return;
            }
            guard.learn(unknown);
        }
        throw new MachineException("VM " + spec.name() + ": each load of device state writes other pages of RAM; this version of QEMU"
                + " cannot be used");
    }

    @Override
    public void close() {
        closing.set(true);
        QemuProcess p = process;
        if (p != null) {
            // First of all: commands that wait for an answer fail now, and give the lock back.
            p.kill();
        }
        control.lock();
        try {
            running = false;
            unfit = "it has been closed";
            nics.forEach(NicLink::close);
            if (activity != null) {
                activity.close();
            }
            if (tracker != null) {
                tracker.close();
            }
            if (qmp != null) {
                qmp.close();
                qmp = null;
            }
            if (savedFd >= 0) {
                Threads.closeQuietly(savedFd, LOG);
                savedFd = -1;
            }
            if (ram != null) {
                ram.close();
            }
            if (process != null) {
                process.close();
            }
        } catch (IOException e) {
            LOG.warn("VM {}: closing: {}", spec.name(), e.toString());
        } finally {
            control.unlock();
        }
    }

    private void handleEvent(String name, JsonObject data) {
        LoadJob job = load;
        if (job != null && name.equals("JOB_STATUS_CHANGE") && data.getString("id").equals(job.id)) {
            job.onStatus(data.getString("status"));
        } else if (name.equals("SHUTDOWN")) {
            exitCause = "the guest shut down or QEMU was asked to end (" + data.getString("reason", "no reason given") + ")";
        } else if (name.equals("GUEST_PANICKED")) {
            LOG.warn("VM {}: the guest reports a panic", spec.name());
        }
    }

    private void handleEnd() {
        LoadJob job = load;
        if (job != null) {
            job.done.completeExceptionally(new MachineException("QEMU ended"));
        }
        running = false;
        gone = "QEMU has ended";
        if (!started || closing.get()) {
            return;
        }
        QemuProcess p = process;
        p.awaitEnd(EXIT_MILLIS);
        String how = p.kill();
        String reason = "QEMU of VM " + spec.name() + " ended: " + (exitCause.isEmpty() ? how : exitCause + ", " + how) + ". "
                + p.lastWords();
        if (closing.get()) {
            return;
        }
        gone = reason;
        LOG.error("{}", reason);
        // On a thread of its own: close() waits for the reader, and the listener may well wait for close().
        new Thread(() -> listener.onExit(reason), "plover-" + spec.name() + "-exit").start();
    }

    // --- run state ----------------------------------------------------------------------------------------------------

    @Override
    public void stop() throws MachineException {
        control.lock();
        try {
            Qmp q = connected();
            if (!running) {
                return;
            }
            loadedSinceStop = false;
            holdInput(q);
            relieveReaders();
            Qmp.Reply stopped = q.send("stop", "{\"execute\":\"stop\"}");
            if (saveFollowsStop) {
                // The last stop was followed by a save: begin it now, while the caller looks for dirty pages.
                savePending = q.send("xen-save-devices-state", saveCommand);
            }
            await("stop", stopping, spec.disks().isEmpty() ? 0 : FLUSH_MILLIS_MIN, millis -> {
                for (long waited = 0; waited < millis; waited += RELIEF_MILLIS) {
                    if (stopped.isDone(RELIEF_MILLIS)) {
                        return true;
                    }
                    relieveReaders();
                }
                return false;
            });
            stopped.awaitValue(0);
            running = false;
            saveFollowsStop = false;
        } catch (IOException | MachineException e) {
            throw failed("stop", e);
        } finally {
            control.unlock();
        }
    }

    /**
     * Keeps frames for the guest back. What QEMU has taken it drops when it stops, but what it reads from the socket afterwards it
     * keeps, and gives it to whatever guest runs next: to be prevented if that will be another state of the guest. Otherwise nothing
     * shall be lost. That this stop is followed by a load is concluded from the last one.
     */
    private void holdInput(Qmp q) throws IOException {
        boolean unread = false;
        for (NicLink nic : nics) {
            unread |= nic.hold();
        }
        if (unread && loadFollowsStop) {
            dropInput(q, true);
        }
        inputAtRisk = unread && !droppingInput;
    }

    /** Lets QEMU drop what it reads for the guest, or not; takes effect before any command that is sent later. */
    private void dropInput(Qmp q, boolean drop) {
        if (droppingInput != drop) {
            for (int i = 0; i < nics.size(); i++) {
                inputSwitches.add(q.send("qom-set", "{\"execute\":\"qom-set\",\"arguments\":{\"path\":\"/objects/"
                        + CommandLine.dropper(i) + "\",\"property\":\"status\",\"value\":\"" + (drop ? "on" : "off") + "\"}}"));
            }
            droppingInput = drop;
        }
    }

    private void awaitInputSwitches() throws MachineException {
        for (Qmp.Reply reply : inputSwitches) {
            reply.awaitValue(TIMEOUT_MILLIS);
        }
        inputSwitches.clear();
    }

    /** Before a load: frames injected so far were for the guest that is replaced (safety rule S2: each input at most once). */
    private void discardInput(Qmp q) throws IOException, MachineException {
        if (inputAtRisk) {
            throw new MachineException("QEMU may hold frames that the guest had not taken when it was stopped, and would give them to"
                    + " the one that is loaded, which may have got them already: load into a new machine");
        }
        for (int i = 0; i < nics.size(); i++) {
            if (nics.get(i).hasUnread()) {
                dropInput(q, true);
                awaitInputSwitches();
                if (!nics.get(i).discard(TIMEOUT_MILLIS)) {
                    throw new MachineException("QEMU does not read the frames for interface " + i);
                }
            }
        }
    }

    private void relieveReaders() throws IOException {
        for (NicLink nic : nics) {
            nic.relieve();
        }
    }

    @Override
    public boolean awaitFrames(long millis) throws MachineException {
        requireStopped("wait for frames");
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        try {
            for (NicLink nic : nics) {
                if (!nic.awaitDelivered(deadline)) {
                    return false;
                }
            }
            return true;
        } catch (IOException e) {
            throw failed("wait for frames", e);
        }
    }

    @Override
    public void resume() throws MachineException {
        control.lock();
        try {
            Qmp q = connected();
            if (unfit != null) {
                throw new MachineException("the guest must not run: " + unfit);
            }
            if (!running) {
                dropInput(q, false);
                Qmp.Reply continued = q.send("cont", "{\"execute\":\"cont\"}");
                await("cont", resuming, 0, continued::isDone);
                awaitInputSwitches();
                continued.awaitValue(0);
                savePending = null;
                inputAtRisk = false;
                loadFollowsStop = loadedSinceStop;
                running = true;
                nics.forEach(NicLink::release);
            }
        } catch (IOException | MachineException e) {
            throw failed("resume", e);
        } finally {
            control.unlock();
        }
    }

    /** Its NBD client takes over a length only when it connects, which it does when it has something to ask. */
    @Override
    public void resizeDisk(int disk, long bytes) throws MachineException {
        control.lock();
        try {
            Qmp q = connected();
            long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(RESIZE_MILLIS);
            while (true) {
                q.send("human-monitor-command", "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":"
                        + "\"qemu-io disk" + disk + " \\\"read 0 4096\\\"\"}}").awaitValue(RESIZE_MILLIS);
                try {
                    q.send("block_resize", "{\"execute\":\"block_resize\",\"arguments\":{\"node-name\":\"disk" + disk + "\",\"size\":" + bytes
                            + "}}").awaitValue(RESIZE_MILLIS);
                    return;
                } catch (MachineException e) {
                    if (System.nanoTime() - deadline > 0) {
                        throw e;
                    }
                    LOG.debug("VM {}: disk {} does not have {} bytes yet: {}", spec.name(), disk, bytes, e.getMessage());
                    pause();
                }
            }
        } finally {
            control.unlock();
        }
    }

    private static void pause() throws MachineException {
        try {
            TimeUnit.MILLISECONDS.sleep(20);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MachineException("interrupted while a disk's length was being changed", e);
        }
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    @Override
    public GuestMemory memory() {
        GuestRam r = ram;
        if (r == null) {
            throw new IllegalStateException("VM " + spec.name() + " has not been started");
        }
        return r;
    }

    @Override
    public void fetchDirty(PageSet into) throws MachineException {
        control.lock();
        try {
            connected();
            into.addAll(owed);
            owed.clear();
            tracker.fetch(into);
        } catch (IOException e) {
            throw failed("fetch of dirty pages", e);
        } finally {
            control.unlock();
        }
    }

    // --- device state -------------------------------------------------------------------------------------------------

    @Override
    public ByteBuffer saveDeviceState() throws MachineException {
        control.lock();
        try {
            Qmp q = connected();
            requireStopped("save");
            Qmp.Reply saved = savePending != null ? savePending : q.send("xen-save-devices-state", saveCommand);
            savePending = null;
            saveFollowsStop = true;
            await("xen-save-devices-state", saving, 0, saved::isDone);
            saved.awaitValue(0);
            if (savedFd < 0) {
                savedFd = Linux.open(process.files().saved().toString(), Linux.O_RDONLY);
            }
            int bytes = 0;
            while (true) {
                if (bytes == state.capacity()) {
                    state = Memory.allocate(2 * bytes).put(state.clear());
                }
                int n = Linux.pread(savedFd, Memory.addressOf(state) + bytes, state.capacity() - bytes, bytes);
                if (n == 0) {
                    break;
                }
                bytes += n;
            }
            return state.clear().limit(bytes);
        } catch (IOException | MachineException e) {
            throw failed("save of device state", e);
        } finally {
            control.unlock();
        }
    }

    @Override
    public void loadDeviceState(ByteBuffer newState) throws MachineException {
        control.lock();
        try {
            Qmp q = connected();
            requireStopped("load");
            discardInput(q);
            savePending = null;
            unfit = "the last load of device state failed";
            tracker.fetch(owed);
            guard.keep();
            snapshotLoad(newState);
            touched.clear();
            tracker.fetch(touched);
            guard.restore();
            PageSet lost = guard.lost(touched);
            if (!lost.isEmpty()) {
                guard.learn(lost);
                owed.addAll(lost);
                throw new MachineException("loading wrote " + lost.size() + " pages of RAM that no load had written before (first: "
                        + lost.toArray()[0] + "); what they held is lost. They are kept from now on and reported as dirty: transfer"
                        + " them again, then load again");
            }
            unfit = null;
            loadedSinceStop = true;
        } catch (IOException | MachineException e) {
            throw failed("load of device state", e);
        } finally {
            control.unlock();
        }
    }

    private void snapshotLoad(ByteBuffer newState) throws MachineException, IOException {
        process.slot().write(newState);
        LoadJob job = new LoadJob("load-" + ++loads);
        load = job;
        Qmp.Reply accepted = qmp.send("snapshot-load", "{\"execute\":\"snapshot-load\",\"arguments\":{\"job-id\":\"" + job.id
                + "\",\"tag\":\"" + StateSlot.TAG + "\",\"vmstate\":\"" + CommandLine.SLOT_NODE + "\",\"devices\":[\""
                + CommandLine.SLOT_NODE + "\"]}}");
        await("snapshot-load", loading, 0, millis -> job.isDone(millis) || accepted.isDone(0) && accepted.hasFailed());
        accepted.awaitValue(TIMEOUT_MILLIS);
        boolean good = job.await();
        load = null;
        if (!good) {
            throw new MachineException("QEMU refused the state: " + jobError(job.id)
                    + ". Both replicas need the same QEMU, machine type, CPU model and devices");
        }
        // The answer comes with a later one; nothing waits for it.
        qmp.send("job-dismiss", dismiss(job.id));
    }

    private String jobError(String id) throws MachineException {
        String error = "no reason given";
        for (JsonValue job : (JsonArray) qmp.execute("query-jobs", TIMEOUT_MILLIS)) {
            if (job.asJsonObject().getString("id").equals(id)) {
                error = job.asJsonObject().getString("error", error);
            }
        }
        qmp.send("job-dismiss", dismiss(id)).awaitValue(TIMEOUT_MILLIS);
        return error;
    }

    private static String dismiss(String id) {
        return "{\"execute\":\"job-dismiss\",\"arguments\":{\"id\":\"" + id + "\"}}";
    }

    /** A background job of QEMU: {@code aborting} comes before {@code concluded} if, and only if, it fails. */
    private static final class LoadJob {
        final String id;
        final CompletableFuture<Boolean> done = new CompletableFuture<>();
        private boolean aborting;

        LoadJob(String id) {
            this.id = id;
        }

        void onStatus(String status) {
            if (status.equals("aborting")) {
                aborting = true;
            } else if (status.equals("concluded")) {
                done.complete(!aborting);
            }
        }

        boolean isDone(long waitMillis) throws MachineException {
            try {
                done.get(waitMillis, TimeUnit.MILLISECONDS);
                return true;
            } catch (TimeoutException e) {
                return false;
            } catch (ExecutionException e) {
                return true;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new MachineException("interrupted while QEMU was loading", e);
            }
        }

        boolean await() throws MachineException {
            try {
                return done.get(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
            } catch (ExecutionException e) {
                throw new MachineException("QEMU ended while loading", e);
            } catch (TimeoutException e) {
                throw new MachineException("QEMU has not loaded the state within " + TIMEOUT_MILLIS + " ms", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new MachineException("interrupted while QEMU was loading", e);
            }
        }
    }

    // --- frames and activity ------------------------------------------------------------------------------------------

    @Override
    public boolean inject(int nic, ByteBuffer frame) {
        return nics.get(nic).inject(frame);
    }

    @Override
    public long pendingInputBytes() {
        List<NicLink> links = nics;
        long bytes = 0;
        for (int i = 0; i < links.size(); i++) {
            bytes += links.get(i).pendingBytes();
        }
        return bytes;
    }

    @Override
    public int sampleActivity() {
        VcpuActivity a = activity;
        if (a == null) {
            return 0;
        }
        int permille = a.sample();
        if (a.stoppedNanos() > STOPPED_NANOS_MAX && started && failing.compareAndSet(false, true)) {
            // Not here: the process may take its time to end.
            new Thread(() -> fail(stoppedBySignal()), "plover-" + spec.name() + "-fail").start();
        }
        return permille;
    }

    // --- waiting for QEMU ---------------------------------------------------------------------------------------------

    /** Waits for something at most this long, and says whether it has happened. */
    private interface Wait {
        boolean until(long millis) throws MachineException, IOException;
    }

    /**
     * Waits for an answer of QEMU, but not for one that hangs or that a signal has stopped. Time is counted in slices, so that a
     * pause of the whole host is not QEMU's fault.
     */
    private void await(String what, Patience patience, int atLeastMillis, Wait answer) throws MachineException, IOException {
        long limit = started ? patience.limitMillis(Math.max(atLeastMillis, answerMillisMin.getAsInt()), TIMEOUT_MILLIS)
                : TIMEOUT_MILLIS;
        long begin = System.nanoTime();
        for (long waited = 0; !answer.until(SLICE_MILLIS);) {
            waited += SLICE_MILLIS;
            if (activity.isStopped()) {
                throw new MachineException(stoppedBySignal());
            }
            if (waited >= limit) {
                throw new MachineException("QEMU (process " + process.pid() + ") has not answered " + what + " within " + limit
                        + " ms: it hangs, or the host is overloaded; if it was only slow, raise 'answerMillisMin'");
            }
        }
        patience.took(System.nanoTime() - begin);
    }

    private String stoppedBySignal() {
        return "a signal has stopped QEMU (process " + process.pid() + " is in state T): find out who sent SIGSTOP";
    }

    // --- helpers ------------------------------------------------------------------------------------------------------

    private Qmp connected() throws MachineException {
        String why = gone;
        if (why != null) {
            throw new MachineException(why);
        }
        if (qmp == null) {
            throw new MachineException("there is no guest: " + unfit);
        }
        return qmp;
    }

    private void requireStopped(String what) throws MachineException {
        if (running) {
            throw new MachineException("the guest must be stopped first (" + what + ")");
        }
    }

    /** QEMU is there but of no use any more: it ends, and the listener is told why. */
    private void fail(String why) {
        exitCause = why;
        QemuProcess p = process;
        if (p != null) {
            p.kill();
        }
    }

    private MachineException failed(String what, Exception cause) {
        return new MachineException("VM " + spec.name() + ": " + what + " failed: " + cause.getMessage(), cause);
    }

    private static String jsonEscape(String text) {
        return text.replace("\\", "\\\\").replace("\"", "\\\"");
    }
}
