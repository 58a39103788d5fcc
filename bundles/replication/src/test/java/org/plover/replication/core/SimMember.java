package org.plover.replication.core;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.plover.api.consensus.Consensus;
import org.plover.api.consensus.ConsensusHost;
import org.plover.api.consensus.EntryType;
import org.plover.api.consensus.Membership;
import org.plover.api.consensus.StableStorage;
import org.plover.api.gate.OutputGate;
import org.plover.api.group.MemberKind;
import org.plover.api.policy.Decision;
import org.plover.api.policy.EpochView;
import org.plover.api.policy.SyncPolicy;
import org.plover.api.status.EpochRecord;
import org.plover.consensus.paxos.PaxosProvider;
import org.plover.gate.epoch.SimGates;
import org.plover.policy.idle.SimPolicies;

/** One member of the simulated group: the two real cores, the real gate and policy, and the loop that the group's thread runs. */
final class SimMember implements Effects, Settings {
    final SimCluster cluster;
    final int index;
    /** Every generation of views has a log of its own; its entries are told apart by this. */
    private static final long LOG_OF_A_GENERATION = 1_000_000_000L;

    /** More than a run's clients ask for: a full gate blocks whoever offers, and here that would be the only thread. */
    private static final int FRAMES_HELD_MAX = 1024;

    final Disk disk;
    final FakeGuest guest;
    final OutputGate gate;
    final ReplicaCore core;
    final Consensus consensus;
    final List<EpochRecord> epochs = new ArrayList<>();
    final List<String> states = new ArrayList<>();
    final List<String> warnings = new ArrayList<>();
    boolean alive = true;
    boolean portsActive;
    /** As this member was last told by the log. */
    Membership agreed;
    private long nextTick;
    private long wakeAt = Long.MAX_VALUE;
    private int crashAfter;
    private final Deque<Runnable> backlog = new ArrayDeque<>();
    private long catchUpAt = -1;
    private long busyUntil;
    long frozenUntil;
    /** A slow host: a turn of its loop takes up to this long. */
    long stepNanos;
    /** Its clock runs ahead of the others'. */
    long clockAheadNanos;

    // What a test may want to be different.
    int epochTimeoutMillis = 300;
    long backlogBytesMax = 1 << 20;
    int verifyEvery;
    boolean endsEpochs = true;
    SyncPolicy policy = SimPolicies.BRISK;

    /** What survives a restart. */
    static final class Disk implements StableStorage {
        private byte[] record;
        final SimDisk.Platter guests = new SimDisk.Platter();
        /** Length of the guest's disk, and what there is room for. */
        long bytes = 1000;
        long roomBytes = 1_000_000;
        /** So many writes fail from now on. */
        int failures;

        void lose() {
            record = null;
        }

        @Override
        public Optional<byte[]> load() {
            return Optional.ofNullable(record).map(byte[]::clone);
        }

        @Override
        public void store(byte[] bytes) throws IOException {
            if (failures > 0 && failures-- > 0) {
                throw new IOException("no space left on device");
            }
            record = bytes.clone();
        }
    }

    SimMember(SimCluster cluster, int index, Disk disk) {
        this.cluster = cluster;
        this.index = index;
        this.disk = disk;
        this.guest = new FakeGuest(this);
        this.gate = SimGates.create("sim", this::onSent, FRAMES_HELD_MAX, this::clock);
        this.core = new ReplicaCore(cluster.group(index), this, guest, this);
        try {
            this.consensus = new PaxosProvider().create(cluster.group(index), disk, cluster.random().nextLong(), host());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        core.bind(consensus);
        core.now(clock());
        consensus.start(clock());
        step(() -> { });
    }

    /** The replica core, watched: what the log says is known to the cluster before anything acts on it. */
    private ConsensusHost host() {
        return new ConsensusHost() {
            @Override
            public void send(int member, ByteBuffer message) {
                core.send(member, message);
            }

            @Override
            public void deliver(long at, EntryType type, ByteBuffer payload) {
                if (type == EntryType.MEMBERSHIP) {
                    agreed = Membership.decode(payload.duplicate());
                } else if (type == EntryType.INPUT) {
                    cluster.onAgreed(at + (consensus.view() >> 32) * LOG_OF_A_GENERATION, payload.getLong(payload.position() + 1));
                }
                core.deliver(at, type, payload);
            }

            @Override
            public boolean canLead() {
                return core.canLead();
            }

            @Override
            public boolean canColdStart() {
                return core.canColdStart();
            }

            @Override
            public void onHistoryLost() {
                core.onHistoryLost();
            }

            @Override
            public void onColdStart(String why) {
                core.onColdStart(why);
            }

            @Override
            public void onSilent(int member, long silenceNanos) {
                core.onSilent(member, silenceNanos);
            }

            @Override
            public void onLeading(long view) {
                core.onLeading(view);
            }

            @Override
            public void onFollowing(long view, int leader) {
                core.onFollowing(view, leader);
            }

            @Override
            public void onViewChange(long view) {
                core.onViewChange(view);
            }
        };
    }

    /** One turn of the loop. */
    void step(Runnable event) {
        if (!alive) {
            return;
        }
        backlog.add(event);
        catchUp();
    }

    /** Does all that has arrived, unless this member stands still or is still busy. */
    private void catchUp() {
        long due = Math.max(frozenUntil, busyUntil);
        if (due > cluster.now()) {
            if (catchUpAt <= cluster.now()) {
                catchUpAt = due;
                cluster.at(due, this::catchUp);
            }
            return;
        }
        if (stepNanos > 0) {
            busyUntil = cluster.now() + 1 + cluster.random().nextLong(stepNanos);
        }
        try {
            while (alive && !backlog.isEmpty()) {
                turn(backlog.remove());
            }
        } catch (UncheckedIOException e) {
            cluster.onStorageFailed(this);
        } catch (Crash e) {
            cluster.kill(index);
        }
    }

    /** The member dies between two of its actions. */
    private static final class Crash extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** The member dies when it is about to do the n-th thing from now on. */
    void crashAfter(int effects) {
        crashAfter = effects;
    }

    /** Whether something that was set off will still bring this member down. */
    boolean isDoomed() {
        return crashAfter > 0 || disk.failures > 0 || disk.guests.failures > 0;
    }

    private void effect() {
        if (crashAfter > 0 && --crashAfter == 0) {
            throw new Crash();
        }
    }

    private void turn(Runnable event) {
        long now = clock();
        core.now(now);
        event.run();
        if (now >= nextTick) {
            consensus.onTick(now);
            nextTick = now + consensus.tickMillis() * 1_000_000L;
        }
        core.onTick();
        consensus.flush(now);
        String state = core.state().name();
        if (states.isEmpty() || !states.get(states.size() - 1).equals(state)) {
            states.add(state);
        }
        wakeAt(Math.max(now + 100_000, Math.min(nextTick, core.nextWakeNanos())) - clockAheadNanos);
    }

    private void wakeAt(long at) {
        if (at < wakeAt) {
            wakeAt = at;
            cluster.at(at, () -> {
                if (wakeAt == at) {
                    wakeAt = Long.MAX_VALUE;
                }
                step(() -> { });
            });
        }
    }

    /** This member's own clock. */
    long clock() {
        return cluster.now() + clockAheadNanos;
    }

    String state() {
        return core.state().name();
    }

    boolean serves() {
        return alive && (core.state() == ReplicaState.SOLO || core.state() == ReplicaState.PROTECTED);
    }

    boolean isWitness() {
        return cluster.group(index).me().kind() == MemberKind.WITNESS;
    }

    // ---- effects

    @Override
    public void sendConsensus(int member, ByteBuffer message) {
        effect();
        cluster.sendControl(this, member, true, message);
    }

    @Override
    public boolean send(int member, ByteBuffer message) {
        effect();
        return cluster.sendControl(this, member, false, message);
    }

    @Override
    public OutputGate gate() {
        return gate;
    }

    @Override
    public void activatePorts(boolean active) {
        portsActive = active;
        if (active) {
            cluster.onServing(this);
        }
    }

    @Override
    public byte[] random(int bytes) {
        byte[] drawn = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            drawn[i] = (byte) cluster.random().nextInt();
        }
        return drawn;
    }

    @Override
    public void log(String message) {
        cluster.note(index, message);
    }

    @Override
    public void warn(String message) {
        warnings.add(message);
        cluster.note(index, "! " + message);
    }

    @Override
    public void committed(EpochRecord epoch) {
        epochs.add(epoch);
    }

    @Override
    public void agreed(long at) {
        SimCluster.check(core.state().leads(), "an input was reported as agreed to a member that does not lead");
    }

    // ---- settings

    @Override
    public SyncPolicy policy() {
        return endsEpochs ? policy : ENDLESS;
    }

    @Override
    public String hasher() {
        return "sim";
    }

    @Override
    public int verifyIntervalEpochs() {
        return verifyEvery;
    }

    @Override
    public int epochTimeoutMillis() {
        return epochTimeoutMillis;
    }

    @Override
    public long inputBacklogBytesMax() {
        return backlogBytesMax;
    }

    // ---- output

    /** For the guest's reader. */
    void offer(long frame) {
        SimCluster.check(gate.heldFrames() < FRAMES_HELD_MAX, "more frames are held than a run may hold");
        try {
            gate.offer(0, ByteBuffer.allocate(8).putLong(0, frame));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private void onSent(int nic, ByteBuffer frame) {
        cluster.onReleased(this, frame.getLong(frame.position()), gate.mode() == OutputGate.Mode.OPEN);
    }

    /** Never ends an epoch, for tests that look into the middle of one. */
    private static final SyncPolicy ENDLESS = new SyncPolicy() {
        @Override
        public String id() {
            return "endless";
        }

        @Override
        public int sampleIntervalMicros() {
            return 1000;
        }

        @Override
        public Decision decide(EpochView epoch) {
            return Decision.CONTINUE;
        }

        @Override
        public boolean isQuiet(int busyPermille, int idleSamples) {
            return busyPermille <= 50;
        }
    };

    @Override
    public String hardware(long[] diskBytes) {
        return Arrays.toString(diskBytes);
    }

    @Override
    public List<String> differences(long[] diskBytes, String theirs, String theirName) {
        return theirs.equals(hardware(diskBytes)) ? List.of() : List.of("disks are " + hardware(diskBytes) + " here and " + theirs + " on " + theirName);
    }
}
