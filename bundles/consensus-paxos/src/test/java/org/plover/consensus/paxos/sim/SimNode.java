package org.plover.consensus.paxos.sim;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.plover.api.consensus.Consensus;
import org.plover.api.consensus.ConsensusHost;
import org.plover.api.consensus.EntryType;
import org.plover.api.consensus.Membership;

/** One member: its storage, its core while it is up, and a host that does what replication does, with a number for a guest. */
final class SimNode implements ConsensusHost {
    final int index;
    final SimStorage storage = new SimStorage();
    private final SimCluster cluster;
    private final boolean witness;
    private Consensus core;
    private int life;
    private long pausedUntil;
    private long incarnation;

    /** The guest: the log index whose effects it holds, or -1 if there is none. */
    long guest = -1;
    /** The guest may be booted from the disk if this member's storage survived. */
    boolean coldBoot;
    /** Whether the host, when it leads, drops and re-admits the other replica, proposes inputs, and truncates. */
    boolean manages = true;
    private boolean diskIsOurs;
    private boolean mayBeDelivered;
    private long dropAfterNanos;
    private long syncIndex = -1;
    long witnessed = -1;
    private long witnessedGeneration;
    int timesLeading;
    /** When this leader was last told that a member is silent, or 0. */
    long toldSilentNanos;
    /** Last view this member led or followed somebody in. */
    long normalView;

    SimNode(SimCluster cluster, int index, boolean witness) {
        this.cluster = cluster;
        this.index = index;
        this.witness = witness;
    }

    // ---- life

    void start() {
        life++;
        int thisLife = life;
        guest = -1;
        witnessed = -1;
        mayBeDelivered = false;
        normalView = 0;
        dropAfterNanos = 50_000_000 + cluster.random().nextLong(300_000_000);
        if (storage.isEmpty()) {
            diskIsOurs = false;
        }
        try {
            core = cluster.provider.create(cluster.group(index), storage, cluster.random().nextLong(), this);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        incarnation = core.incarnation();
        core.start(cluster.now());
        tick(thisLife);
    }

    void crash() {
        core = null;
        life++;
        guest = -1;
        pausedUntil = 0;
        cluster.network().memberGone(index);
        cluster.noteHeld();
    }

    void pause(long nanos) {
        pausedUntil = cluster.now() + nanos;
    }

    private void tick(int thisLife) {
        if (life != thisLife || core == null) {
            return;
        }
        if (pausedUntil > cluster.now()) {
            cluster.at(pausedUntil, () -> tick(thisLife));
            return;
        }
        core.onTick(cluster.now());
        if (manages && core.isLeading()) {
            manage();
        }
        cluster.at(cluster.now() + core.tickMillis() * 1_000_000L - cluster.random().nextInt(2_000_000), () -> tick(thisLife));
    }

    boolean isUp() {
        return core != null;
    }

    Consensus core() {
        return core;
    }

    long incarnation() {
        return incarnation;
    }

    long pausedUntil() {
        return pausedUntil;
    }

    boolean isVoting() {
        return core != null && (core.state().startsWith("NORMAL") || core.state().equals("VIEW_CHANGE"));
    }

    // ---- network side

    void receive(int from, long theirIncarnation, ByteBuffer message) {
        core.onMessage(from, theirIncarnation, message, cluster.now());
        if (core.isLeading()) {
            cluster.ledger().leads(index, core.view());
        }
    }

    void connected(int member, long theirIncarnation) {
        core.onConnected(member, theirIncarnation, cluster.now());
    }

    void disconnected(int member) {
        if (core != null) {
            core.onDisconnected(member, cluster.now());
        }
    }

    @Override
    public void send(int member, ByteBuffer message) {
        cluster.network().send(index, member, message);
    }

    // ---- host side

    @Override
    public void deliver(long entry, EntryType type, ByteBuffer payload) {
        if (witness) {
            witnessed = core.view() >> 32 > witnessedGeneration ? -1 : witnessed;
            witnessedGeneration = core.view() >> 32;
            Ledger.check(entry > witnessed, "witness was given entry " + entry + " after " + witnessed);
            witnessed = entry;
        } else if (guest < 0) {
            Ledger.check(mayBeDelivered, "member " + index + " was given entry " + entry + " before it ever had a guest");
        } else {
            Ledger.check(entry == guest + 1, "guest of member " + index + " holds " + guest + " and was given entry " + entry);
            guest = entry;
        }
        cluster.ledger().delivered(index, core.view(), entry, type, payload);
    }

    @Override
    public boolean canLead() {
        return guest >= 0;
    }

    @Override
    public boolean canColdStart() {
        return guest < 0 && coldBoot && diskIsOurs;
    }

    @Override
    public void onColdStart(String why) {
        if (!cluster.ledger().isFormed()) {
            cluster.ledger().formed(core.membership());
        }
        cluster.checkNobodyHolds(this);
        guest = core.commitIndex();
        mayBeDelivered = true;
        diskIsOurs = true;
    }

    @Override
    public void onLeading(long view) {
        timesLeading++;
        normalView = view;
        if (guest < 0) {
            guest = core.commitIndex();
        }
        cluster.ledger().confirmed(core.membership()); // by the view's first entry, which is committed
        cluster.ledger().begins(index, incarnation, view, core.commitIndex());
        Ledger.check(guest == core.commitIndex(), "member " + index + " leads with its guest at " + guest + ", committed is " + core.commitIndex());
        mayBeDelivered = true;
        syncIndex = -1;
    }

    @Override
    public void onFollowing(long view, int leader) {
        normalView = view;
        syncIndex = -1;
        Membership m = core.membership();
        if (m == null || !m.isInSync(index)) {
            // dropped: entries may pass this guest by, so it is of no use before it is synchronised again
            guest = -1;
        }
    }

    @Override
    public void onSilent(int member, long silenceNanos) {
        toldSilentNanos = cluster.now();
    }

    @Override
    public void onViewChange(long view) {
        syncIndex = -1;
    }

    /** What the leader's replication does from time to time. */
    private void manage() {
        int other = 1 - index;
        SimNode backup = cluster.node(other);
        Membership m = core.membership();
        if (m.isInSync(other)) {
            boolean silent = cluster.now() - core.lastHeardNanos(other) > dropAfterNanos;
            if (silent || backup.guest < 0 && backup.isUp()) {
                core.proposeMembership(m.withInSync(core.view(), 1 << index), cluster.now());
            }
        } else if (syncIndex < 0 && backup.isUp() && cluster.network().isUp(index, other)) {
            beginSync(backup);
        }
        if (cluster.random().nextInt(8) == 0) {
            truncate(backup);
        }
        if (cluster.loadInputs) {
            int count = cluster.random().nextInt(4);
            for (int i = 0; i < count; i++) {
                core.propose(EntryType.INPUT, cluster.payload(), cluster.now());
            }
            core.flush(cluster.now());
        }
    }

    /** The guest's state travels for a while; when it is there, the backup goes on after its index and is agreed on. */
    private void beginSync(SimNode backup) {
        long index = guest;
        syncIndex = index;
        int myLife = life;
        int theirLife = backup.life;
        long view = core.view();
        cluster.at(cluster.now() + 5_000_000 + cluster.random().nextLong(80_000_000), () -> {
            boolean same = core != null && life == myLife && core.isLeading() && core.view() == view && syncIndex == index;
            if (!same) {
                return;
            }
            syncIndex = -1;
            boolean reachable = backup.core != null && backup.life == theirLife && cluster.network().isUp(this.index, backup.index)
                    && backup.core.view() == view && backup.core.leader() == this.index;
            if (reachable) {
                backup.guest = index;
                backup.mayBeDelivered = true;
                backup.diskIsOurs = true;
                backup.core.skipTo(index, cluster.now());
                Membership m = core.membership();
                core.proposeMembership(m.withMember(view, backup.index, backup.incarnation, true), cluster.now());
            }
        });
    }

    private void truncate(SimNode backup) {
        long until = guest;
        if (core.membership().isInSync(backup.index)) {
            until = Math.min(until, backup.guest);
        }
        if (syncIndex >= 0) {
            until = Math.min(until, syncIndex);
        }
        if (until > 0) {
            core.truncate(until, cluster.now());
        }
    }
}
