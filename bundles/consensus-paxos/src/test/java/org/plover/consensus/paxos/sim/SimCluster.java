package org.plover.consensus.paxos.sim;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.plover.api.consensus.EntryType;
import org.plover.api.consensus.Membership;
import org.plover.api.group.Group;
import org.plover.api.group.Member;
import org.plover.api.group.MemberKind;
import org.plover.consensus.paxos.PaxosProvider;
import org.plover.consensus.paxos.SimProviders;

/** Three members, the network among them, and one clock: the same seed gives the same run. Members 0 and 1 are replicas. */
final class SimCluster {
    static final int A = 0;
    static final int B = 1;
    static final int WITNESS = 2;
    static final long MILLIS = 1_000_000L;

    private record Event(long time, long order, Runnable action) implements Comparable<Event> {
        @Override
        public int compareTo(Event o) {
            return time != o.time ? Long.compare(time, o.time) : Long.compare(order, o.order);
        }
    }

    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private final SplittableRandom random;
    private final SimNetwork network;
    private final SimNode[] nodes;
    private final Ledger ledger = new Ledger();
    private long now = 1_000 * MILLIS;
    private long order;
    private int inputs;
    boolean loadInputs;
    PaxosProvider provider = SimProviders.AS_SHIPPED;

    SimCluster(long seed) {
        random = new SplittableRandom(seed);
        network = new SimNetwork(this);
        nodes = new SimNode[] {new SimNode(this, A, false), new SimNode(this, B, false), new SimNode(this, WITNESS, true)};
        connectForever();
    }

    static SimCluster formed(long seed) {
        SimCluster c = new SimCluster(seed);
        c.startAll();
        c.awaitProtected();
        c.run(5 * MILLIS);
        return c;
    }

    void startAll() {
        for (SimNode n : nodes) {
            if (!n.isUp()) {
                n.start();
            }
        }
    }

    Group group(int self) {
        return new Group("sim", self, List.of(
                new Member(A, "a", MemberKind.REPLICA, "host-a", 7001),
                new Member(B, "b", MemberKind.REPLICA, "host-b", 7001),
                new Member(WITNESS, "w", MemberKind.WITNESS, "host-w", 7001)));
    }

    SimNode node(int index) {
        return nodes[index];
    }

    SimNetwork network() {
        return network;
    }

    Ledger ledger() {
        return ledger;
    }

    SplittableRandom random() {
        return random;
    }

    long now() {
        return now;
    }

    void at(long time, Runnable action) {
        events.add(new Event(Math.max(time, now), order++, action));
    }

    ByteBuffer payload() {
        ByteBuffer b = ByteBuffer.allocate(4 + random.nextInt(600));
        return b.putInt(0, ++inputs);
    }

    private void connectForever() {
        network.reconnect();
        at(now + 3 * MILLIS + random.nextInt(5_000_000), this::connectForever);
    }

    void run(long nanos) {
        long end = now + nanos;
        while (events.peek().time <= end) {
            step();
        }
        now = end;
    }

    private void step() {
        Event e = events.remove();
        now = e.time;
        e.action.run();
    }

    void await(String what, BooleanSupplier condition) {
        await(what, 5_000 * MILLIS, condition);
    }

    void await(String what, long nanos, BooleanSupplier condition) {
        long end = now + nanos;
        while (!condition.getAsBoolean()) {
            if (now > end) {
                throw new AssertionError("never happened: " + what + "\n" + this);
            }
            step();
        }
    }

    /** The node that leads the highest view, or null. */
    SimNode leader() {
        SimNode best = null;
        for (SimNode n : nodes) {
            if (n.isUp() && n.core().isLeading() && (best == null || n.core().view() > best.core().view())) {
                best = n;
            }
        }
        return best;
    }

    SimNode awaitLeader(int member) {
        await("member " + member + " leads", () -> node(member).isUp() && node(member).core().isLeading());
        return node(member);
    }

    /** Both replicas are in sync, and all three members count. */
    void awaitProtected() {
        await("both replicas are in sync and the witness votes", () -> leader() != null && isProtected(leader().core().membership()));
    }

    private boolean isProtected(Membership m) {
        boolean all = m.isInSync(A) && m.isInSync(B) && node(A).guest >= 0 && node(B).guest >= 0;
        for (SimNode n : nodes) {
            all &= n.isUp() && n.incarnation() == m.incarnation(n.index) && n.core().state().startsWith("NORMAL")
                    && n.core().leader() == leader().index && m.equals(ledger.newestMembership());
        }
        return all;
    }

    /** Proposes an input at the leader and waits until it was delivered somewhere. */
    long commit() {
        SimNode[] at = {null};
        long[] index = {0};
        await("an input is committed", () -> {
            SimNode leader = leader();
            if (leader != null && leader != at[0]) {
                at[0] = leader;
                index[0] = leader.core().propose(EntryType.INPUT, payload(), now);
                leader.core().flush(now);
            }
            return index[0] > 0 && leader == at[0] && leader.guest >= index[0];
        });
        return index[0];
    }

    /** A guest is booted: no other replica that is agreed to be in sync may hold it. */
    void checkNobodyHolds(SimNode booting) {
        Membership m = booting.core().membership();
        for (SimNode n : nodes) {
            if (n != booting && n.isUp() && n.guest >= 0 && m.isInSync(n.index) && m.incarnation(n.index) == n.incarnation()) {
                throw new AssertionError("member " + booting.index + " boots the guest that member " + n.index + ", in sync, holds\n" + this);
            }
        }
    }

    void noteHeld() {
        ledger.onlyHeldBy(Stream.of(nodes).filter(SimNode::isVoting).toList());
    }

    @Override
    public String toString() {
        StringBuilder s = new StringBuilder("at " + now / MILLIS + " ms, ledger " + ledger.last() + ", " + ledger.newestMembership());
        for (SimNode n : nodes) {
            s.append("\n  member ").append(n.index).append(": ");
            if (n.isUp()) {
                var c = n.core();
                s.append(c.state()).append(" view ").append(c.view()).append(" leader ").append(c.leader()).append(" log ..")
                        .append(c.lastIndex()).append(" committed ").append(c.commitIndex()).append(" guest ").append(n.guest)
                        .append(" paused ").append(Math.max(0, n.pausedUntil() - now) / MILLIS).append(" ").append(c.membership())
                        .append(c.membership() != null && c.membership().incarnation(n.index) == n.incarnation() ? "" : " (not me)");
            } else {
                s.append("down");
            }
        }
        return s.toString();
    }
}
