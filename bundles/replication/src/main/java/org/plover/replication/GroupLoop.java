package org.plover.replication;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.plover.api.consensus.Consensus;
import org.plover.api.consensus.ConsensusProvider;
import org.plover.api.consensus.EntryType;
import org.plover.api.consensus.Membership;
import org.plover.api.disk.DiskProvider;
import org.plover.api.gate.OutputGate;
import org.plover.api.gate.OutputGateProvider;
import org.plover.api.group.Group;
import org.plover.api.group.MemberKind;
import org.plover.api.machine.MachineProvider;
import org.plover.api.network.NetworkPort;
import org.plover.api.network.NetworkPortProvider;
import org.plover.api.network.PortSpec;
import org.plover.api.status.DiskVerifyReport;
import org.plover.api.status.EpochRecord;
import org.plover.api.status.VerifyReport;
import org.plover.api.transport.Lane;
import org.plover.api.transport.Transport;
import org.plover.api.transport.TransportListener;
import org.plover.api.transport.TransportProvider;
import org.plover.linux.SystemCallException;
import org.plover.replication.core.Effects;
import org.plover.replication.core.GuestEvents;
import org.plover.replication.core.ReplicaCore;
import org.plover.replication.core.Settings;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs one member of a group: a single thread on which the pure cores (consensus and replica) live, and the edges around
 * it: links, network ports, the guest. Everything reaches the cores through this loop, in the order in which it came.
 */
final class GroupLoop implements Effects, TransportListener, AutoCloseable {
    private static final int CONTROL_RING_BYTES = 8 << 20;
    private static final int INPUT_RING_BYTES = 4 << 20;
    private static final int BATCH_MAX = 64;
    private static final byte TO_CONSENSUS = 0;
    private static final byte TO_REPLICA = 1;
    private static final int LATENCY_SLOTS = 1 << 14;
    private static final int PAYLOAD_BYTES_MAX = 16 << 10;

    /** What becomes of a member that had to stop. */
    interface Ending {
        /** Its stable storage failed. Whatever it had is gone; it may be made anew. On the loop's thread. */
        void onStorageFailed();
    }

    /** The services a member is made of. */
    record Parts(TransportProvider transport, ConsensusProvider consensus, MachineProvider machine, OutputGateProvider gate,
                 NetworkPortProvider network, DiskProvider disk) {
    }

    private final Logger log;
    private final Ending ending;
    private final VmSettings vm;
    private final Group group;
    private final Hashers hashers;
    private final EpochHistory history = new EpochHistory();
    private final FrameRing control = new FrameRing(CONTROL_RING_BYTES);
    private final FrameRing inputs = new FrameRing(INPUT_RING_BYTES);
    private final Queue<Runnable> events = new ConcurrentLinkedQueue<>();
    private final PendingOrders orders = new PendingOrders();
    private final Slowness slowness = new Slowness();
    private final EventLog operatorEvents;
    private final EventWatch watch;
    private final List<NetworkPort> ports = new ArrayList<>();
    private final SecureRandom random = new SecureRandom();
    private final long[] incarnations = new long[Group.SIZE];
    /** When the links broke last, for status; loop only. */
    private final long[] lostNanos = {Long.MIN_VALUE, Long.MIN_VALUE, Long.MIN_VALUE};
    private final long[] proposedIndex = new long[LATENCY_SLOTS];
    private final long[] proposedNanos = new long[LATENCY_SLOTS];
    private final ByteBuffer toConsensus = ByteBuffer.allocateDirect(1).put(0, TO_CONSENSUS);
    private final ByteBuffer toReplica = ByteBuffer.allocateDirect(1).put(0, TO_REPLICA);
    private final ByteBuffer payload = ByteBuffer.allocateDirect(PAYLOAD_BYTES_MAX);

    private OutputGate gate;
    private GuestDriver guest;
    private ReplicaCore replica;
    private Consensus consensus;
    private volatile Transport transport;
    private Thread thread;
    private volatile boolean closing;
    private volatile boolean parked;
    private volatile StatusView status;
    private volatile String broken;

    /** What status pages need of the loop's own state; taken now and then. */
    record StatusView(ReplicaCore.Snapshot core, long view, int leader, boolean leading, String consensusState, Membership membership,
                      long logEntries, long takenNanos, long quorumNanos, long[] heardNanos,
                      long[] lostNanos) {
    }

    /**
     * Sets the member up and starts it.
     *
     * @throws IOException if something on this host stands in the way; says what to do; nothing is left behind
     */
    GroupLoop(VmSettings vm, Parts parts, Hashers hashers, Settings settings, EventLog operatorEvents, Ending ending) throws IOException {
        this.ending = ending;
        this.operatorEvents = operatorEvents;
        this.watch = new EventWatch(vm.group(), operatorEvents);
        this.vm = vm;
        this.group = vm.group();
        this.hashers = hashers;
        this.log = LoggerFactory.getLogger("plover." + vm.name());
        boolean done = false;
        try {
            Files.createDirectories(vm.stateDir());
            gate = parts.gate().create(vm.name(), this::emit);
            guest = new GuestDriver(new GuestDriver.Hardware(parts.machine(), vm.machine(), parts.disk(), vm.disks(),
                    () -> (long) settings.copyMiBPerSecondMax() << 20), hashers, () -> transport, surroundings());
            replica = new ReplicaCore(group, this, guest, settings);
            consensus = parts.consensus().create(group, new FileStableStorage(vm.stateDir().resolve("votes")),
                    random.nextLong(), replica);
            replica.bind(consensus);
            if (group.me().kind() == MemberKind.REPLICA) {
                for (PortSpec port : vm.ports()) {
                    ports.add(parts.network().open(port, this::onNetworkFrame));
                }
            }
            transport = parts.transport().open(group, consensus.incarnation(), this);
            thread = new Thread(this::run, "plover-loop-" + vm.name());
            thread.setPriority(Thread.MAX_PRIORITY);
            thread.start();
            done = true;
        } catch (SystemCallException e) {
            throw new IOException("no memory to work with: " + e.getMessage(), e);
        } finally {
            if (!done) {
                close();
            }
        }
    }

    private GuestDriver.Surroundings surroundings() {
        return new GuestDriver.Surroundings() {
            @Override
            public void post(Runnable event) {
                GroupLoop.this.post(event);
            }

            @Override
            public GuestEvents events() {
                return replica;
            }

            @Override
            public int peer() {
                return group.otherReplica().index();
            }

            @Override
            public void onFrame(int nic, ByteBuffer frame) {
                ports.get(nic).observe(frame.duplicate());
                try {
                    gate.offer(nic, frame);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        };
    }

    // ---- the loop ----

    private void run() {
        log.info("member {} of {} starts", group.me().name(), group.fingerprint());
        try {
            consensus.start(System.nanoTime());
            long nextTick = System.nanoTime();
            while (!closing) {
                long now = System.nanoTime();
                replica.now(now);
                boolean worked = drainEvents() | control.read(BATCH_MAX, this::onControl) > 0;
                worked |= proposeInputs() > 0;
                now = System.nanoTime();
                replica.now(now);
                if (now >= nextTick) {
                    consensus.onTick(now);
                    nextTick = now + TimeUnit.MILLISECONDS.toNanos(consensus.tickMillis());
                    takeStatus();
                }
                replica.onTick();
                consensus.flush(now);
                if (!worked) {
                    park(Math.min(nextTick, replica.nextWakeNanos()));
                }
            }
        } catch (RuntimeException | AssertionError e) {
            failStop(e);
        }
    }

    private void park(long untilNanos) {
        parked = true;
        long wait = untilNanos - System.nanoTime();
        if (wait > 0 && events.isEmpty() && control.isEmpty() && inputs.isEmpty() && !closing) {
            LockSupport.parkNanos(this, wait);
        }
        parked = false;
    }

    private void wake() {
        if (parked) {
            LockSupport.unpark(thread);
        }
    }

    private void post(Runnable event) {
        events.add(event);
        wake();
    }

    private boolean drainEvents() {
        boolean any = false;
        for (Runnable event = events.poll(); event != null; event = events.poll()) {
            event.run();
            any = true;
        }
        return any;
    }

    private boolean onControl(int from, long incarnation, ByteBuffer m) {
        long now = System.nanoTime();
        replica.now(now); // of this message: this member may have stood still since the one before
        if (m.get() == TO_CONSENSUS) {
            consensus.onMessage(from, incarnation, m, now);
        } else {
            replica.onMessage(from, incarnation, m);
        }
        return true;
    }

    private int proposeInputs() {
        if (inputs.isEmpty()) {
            return 0;
        }
        return inputs.read(BATCH_MAX, (nic, unused, frame) -> {
            if (!replica.servesInputs()) {
                return true; // nobody to give it to: lost like any frame sent to a host that is down
            }
            payload.clear();
            payload.put((byte) nic).put(frame).flip();
            long now = System.nanoTime();
            long index = consensus.propose(EntryType.INPUT, payload, now);
            if (index > 0) {
                int slot = (int) (index & LATENCY_SLOTS - 1);
                proposedIndex[slot] = index;
                proposedNanos[slot] = now;
            }
            return index != Consensus.WINDOW_FULL;
        });
    }

    /** A broken safety rule or a bug: this member stops rather than guesses (S8). */
    private void failStop(Throwable e) {
        boolean storage = e instanceof UncheckedIOException;
        broken = "stopped itself: " + e.getMessage() + (storage ? ": " + e.getCause().getMessage() + "; it starts anew by itself" : "");
        if (storage) {
            log.error("this member stops: {} ({}). Nothing more is released here; the other members go on without it. It is"
                    + " started anew until it can write there again", e.getMessage(), String.valueOf(e.getCause()));
        } else {
            log.error("this member stops: {}. Nothing more is released here; the other members go on without it. Restart this"
                    + " appliance to let it join again, and please report this", e.getMessage(), e);
        }
        operatorEvents.add("failed", group.me().name() + " has " + broken + (storage ? ""
                : "; restart this appliance to let it join again, and please report this"));
        gate.mode(OutputGate.Mode.CLOSED);
        activatePorts(false);
        orders.end("this member has " + broken + ". If the order was under way, 'plover status' at the other members shows what came of it");
        guest.destroy();
        transport.close();
        control.close();
        inputs.close();
        if (storage) {
            ending.onStorageFailed();
        }
    }

    // ---- links ----

    @Override
    public void onMessage(int member, Lane lane, ByteBuffer message) {
        if (lane == Lane.BULK) {
            try {
                guest.receiver().onMessage(message);
            } catch (IllegalArgumentException | java.nio.BufferUnderflowException | NegativeArraySizeException e) {
                log.warn("a bulk message of {} was not understood: {}", group.member(member).name(), e.getMessage());
                post(() -> replica.onDisconnected(member, "its message was not understood: " + e.getMessage()));
            }
            return;
        }
        try {
            control.put(member, incarnations[member], message);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        wake();
    }

    @Override
    public void onConnected(int member, long incarnation) {
        incarnations[member] = incarnation;
        post(() -> {
            operatorEvents.info("member-back", "connected with " + group.member(member).name());
            consensus.onConnected(member, incarnation, System.nanoTime());
        });
    }

    @Override
    public void onDisconnected(int member, String reason) {
        post(() -> {
            operatorEvents.warn("member-lost", "lost " + group.member(member).name() + ": " + reason);
            lostNanos[member] = System.nanoTime();
            consensus.onDisconnected(member, lostNanos[member]);
            replica.onDisconnected(member, group.member(member).name() + " is gone: " + reason);
        });
    }

    @Override
    public void sendConsensus(int member, ByteBuffer message) {
        Transport t = transport;
        if (t != null) {
            t.send(member, Lane.CONTROL, toConsensus.rewind(), message);
        }
    }

    @Override
    public boolean send(int member, ByteBuffer message) {
        return transport.send(member, Lane.CONTROL, toReplica.rewind(), message);
    }

    // ---- frames ----

    private void onNetworkFrame(int nic, ByteBuffer frame) {
        if (frame.remaining() >= PAYLOAD_BYTES_MAX) {
            return; // larger than any MTU allows
        }
        try {
            inputs.put(nic, 0, frame);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        wake();
    }

    private void emit(int nic, ByteBuffer frame) {
        ports.get(nic).send(frame);
    }

    @Override
    public OutputGate gate() {
        return gate;
    }

    @Override
    public void activatePorts(boolean active) {
        for (NetworkPort port : ports) {
            port.activate(active);
            if (active) {
                port.announce();
            }
        }
    }

    // ---- the rest of what the core asks for ----

    @Override
    public byte[] random(int bytes) {
        byte[] drawn = new byte[bytes];
        random.nextBytes(drawn);
        return drawn;
    }

    @Override
    public void log(String message) {
        log.info(message);
    }

    @Override
    public void warn(String message) {
        operatorEvents.warn("warning", message);
    }

    @Override
    public void committed(EpochRecord epoch) {
        long now = System.nanoTime();
        history.add(epoch, now);
        watch.onEpoch(epoch, now);
    }

    @Override
    public void agreed(long index) {
        int slot = (int) (index & LATENCY_SLOTS - 1);
        if (proposedIndex[slot] == index) {
            history.addLatency(System.nanoTime() - proposedNanos[slot]);
        }
    }

    // ---- status and orders ----

    private void takeStatus() {
        long[] heard = new long[Group.SIZE];
        for (int i = 0; i < heard.length; i++) {
            heard[i] = consensus.lastHeardNanos(i);
        }
        StatusView view = new StatusView(replica.snapshot(), consensus.view(), consensus.leader(), consensus.isLeading(), consensus.state(),
                consensus.membership(), consensus.lastIndex(), System.nanoTime(), consensus.lastQuorumNanos(), heard,
                lostNanos.clone());
        int connected = 0;
        for (int i = 0; i < Group.SIZE; i++) {
            connected |= isConnected(i) ? 1 << i : 0;
        }
        watch.observe(view, connected);
        status = view;
    }

    /** The last state seen, or null before the first. */
    StatusView status() {
        return status;
    }

    /** Why this member has stopped itself, or null. */
    String broken() {
        return broken;
    }

    Slowness slowness() {
        return slowness;
    }

    /** Bytes of input from the network that have not been proposed yet. */
    long waitingInputBytes() {
        return inputs.usedBytes();
    }

    /** Bytes for the other replica that the network has not taken yet. */
    long outboxBytes(Lane lane) {
        return transport.queuedBytes(group.otherReplica().index(), lane);
    }

    EpochHistory history() {
        return history;
    }

    Group group() {
        return group;
    }

    boolean isConnected(int member) {
        return member == group.self() || transport.isConnected(member);
    }

    /** What keeps the guest's interfaces off the network, a sentence each. */
    /** What is not as it should be with links and interfaces, for an operator. */
    List<String> troubles() {
        Transport t = transport;
        return Stream.concat(t == null ? Stream.empty() : t.notes().stream(),
                ports.stream().map(NetworkPort::trouble).filter(trouble -> !trouble.isEmpty())).toList();
    }

    long roundTripMicros(int member) {
        return member == group.self() ? 0 : transport.roundTripMicros(member);
    }

    void verify(CompletableFuture<VerifyReport> request) {
        order(request, () -> replica.requestVerify(request));
    }

    void verifyDisks(CompletableFuture<DiskVerifyReport> request) {
        order(request, () -> replica.requestVerifyDisks(request));
    }

    void copyDisks(List<Path> files, CompletableFuture<Void> request) {
        order(request, () -> guest.copyDisks(files, request));
    }

    void growDisk(int disk, long bytes, CompletableFuture<String> request) {
        order(request, () -> replica.requestGrowDisk(disk, bytes, request));
    }

    void switchover(CompletableFuture<String> request) {
        order(request, () -> replica.requestSwitchover(request));
    }

    void forcePrimary(String confirmation, CompletableFuture<String> request) {
        order(request, () -> replica.requestForcePrimary(confirmation, request));
    }

    void leave(String member, CompletableFuture<String> request) {
        order(request, () -> replica.requestLeave(member, request));
    }

    void join(String member, CompletableFuture<String> request) {
        order(request, () -> replica.requestJoin(member, request));
    }

    /** Other members are at other addresses from now on. Everything else about them is as it was. */
    void readdress(Group next) {
        transport.readdress(next);
    }

    private void order(CompletableFuture<?> request, Runnable action) {
        if (orders.accept(request)) {
            post(action);
        }
    }

    @Override
    public void close() {
        closing = true;
        if (thread != null) {
            LockSupport.unpark(thread);
            try {
                thread.join(TimeUnit.SECONDS.toMillis(5));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        orders.end("this member is shutting down. If the order was under way, 'plover status' at the other members shows what came of it");
        control.close();
        inputs.close();
        if (gate != null) {
            gate.mode(OutputGate.Mode.CLOSED);
        }
        ports.forEach(NetworkPort::close);
        if (transport != null) {
            transport.close();
        }
        if (guest != null) {
            guest.close();
        }
        log.info("member {} has stopped", group.me().name());
    }
}
