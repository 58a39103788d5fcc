package org.plover.replication.core;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.plover.api.consensus.EntryType;
import org.plover.api.consensus.Membership;
import org.plover.api.group.Group;
import org.plover.api.group.Member;
import org.plover.api.group.MemberKind;

/**
 * Two replicas and a witness on virtual time, with links that delay, break and are noticed late, and with the safety rules
 * watched from outside: whatever has left, every guest that serves from then on must have emitted.
 */
final class SimCluster {
    static final int WITNESS = 2;
    private static final List<Member> MEMBERS = List.of(new Member(0, "alpha", MemberKind.REPLICA, "h0", 1),
            new Member(1, "beta", MemberKind.REPLICA, "h1", 1), new Member(2, "gamma", MemberKind.WITNESS, "h2", 1));
    private static final int LANES = 2;
    /** After so long without a word a link counts as broken, as the transport's default has it. */
    private static final long SILENCE_NANOS = 500_000_000;
    private static final int NOTES_MAX = Integer.getInteger("plover.notes", 60);

    private record Event(long at, long number, Runnable run) {
    }

    /** A link between two members. */
    private static final class Link {
        boolean up;
        boolean wanted = true;
        /** 1 + the member whose messages do not get through, or 0. */
        int deaf;
        /** Changes whenever the link breaks: what was under way is lost. */
        int life;
        final boolean[] known = new boolean[3];
    }

    private final SplittableRandom random;
    private final PriorityQueue<Event> events = new PriorityQueue<>((a, b) -> a.at() != b.at() ? Long.compare(a.at(), b.at())
            : Long.compare(a.number(), b.number()));
    private long now = 1_000_000_000L;
    private long eventNumber;
    private final Map<Integer, Link> links = new HashMap<>();
    private final long[][] lastArrival = new long[9][LANES];
    final SimMember[] members = new SimMember[3];
    private record Note(long at, int member, String text) {
    }

    private final Deque<Note> notes = new ArrayDeque<>();

    private long nextFrame = 1;
    private long nextInput = 1;
    private final Map<Long, Set<Long>> framesOfInput = new HashMap<>();
    private final Set<Long> answered = new LinkedHashSet<>();
    private final Set<Long> released = new LinkedHashSet<>();
    private final Map<Long, Integer> releaserOfView = new HashMap<>();
    private final TreeMap<Long, Long> inputAt = new TreeMap<>();
    private final Map<Long, Long> indexOfInput = new HashMap<>();
    private final GuestState.Devices[] acknowledged = new GuestState.Devices[3];
    /** What clients asked and were told since the guest was booted last. */
    final RegisterHistory history = new RegisterHistory();
    /** Replicas that have been frozen while they led, and the like: how often each kind of fault was met. */
    int boots;
    boolean checksInputOrder = true;

    // What a test may want to be different.
    long controlNanos = 100_000;
    long bulkNanos = 200_000;
    long noticeNanosMax = 5_000_000;
    /** How long new guests take to put an epoch in place, and their disks to make one durable. */
    long applyNanos = 500_000;
    long commitNanos = 100_000;
    /** Consumes a control message instead of the network if it returns true. */
    Interceptor interceptor = (from, to, type) -> false;

    /** Looks at replication messages on their way. */
    interface Interceptor {
        boolean swallows(int from, int to, byte type);
    }

    /** Whether the guest has a disk. */
    final boolean hasDisk;
    private final Map<Long, GuestState.Emitted> chainOfFrame = new HashMap<>();

    SimCluster(long seed) {
        this(seed, false);
    }

    SimCluster(long seed, boolean hasDisk) {
        this.hasDisk = hasDisk;
        random = new SplittableRandom(seed);
        for (int i = 0; i < 3; i++) {
            members[i] = new SimMember(this, i, new SimMember.Disk());
        }
        for (int a = 0; a < 3; a++) {
            for (int b = a + 1; b < 3; b++) {
                links.put(a * 3 + b, new Link());
                connect(a, b);
            }
        }
    }

    static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    SplittableRandom random() {
        return random;
    }

    long now() {
        return now;
    }

    Group group(int self) {
        return new Group("sim", self, MEMBERS);
    }

    void at(long nanos, Runnable run) {
        events.add(new Event(nanos, eventNumber++, run));
    }

    void after(long millis, Runnable run) {
        at(now + millis * 1_000_000, run);
    }

    // ---- running

    void run(long millis) {
        long until = now + millis * 1_000_000;
        while (!events.isEmpty() && events.peek().at() <= until) {
            Event e = events.remove();
            now = e.at();
            e.run().run();
        }
        now = until;
    }

    /** Runs until something is so; it is a fault if that takes longer than {@code millis}. */
    void runUntil(String what, long millis, BooleanSupplier so) {
        long until = now + millis * 1_000_000;
        while (!so.getAsBoolean()) {
            if (events.isEmpty() || events.peek().at() > until) {
                throw new AssertionError("within " + millis + " ms this did not happen: " + what + "; now " + this);
            }
            Event e = events.remove();
            now = e.at();
            e.run().run();
        }
    }

    SimMember member(int index) {
        return members[index];
    }

    /** The replica that serves clients, or null. */
    SimMember server() {
        SimMember found = null;
        for (int i = 0; i < 2; i++) {
            SimMember m = members[i];
            if (m.serves() && m.portsActive && (found == null || m.consensus.view() > found.consensus.view())) {
                found = m;
            }
        }
        return found;
    }

    SimMember other(SimMember replica) {
        return members[1 - replica.index];
    }

    boolean isProtected() {
        SimMember s = server();
        return s != null && s.state().equals("PROTECTED") && other(s).alive && other(s).state().equals("BACKUP");
    }

    SimCluster untilProtected() {
        runUntil("the guest is protected", 20_000, this::isProtected);
        return this;
    }

    // ---- links

    private Link link(int a, int b) {
        return links.get(Math.min(a, b) * 3 + Math.max(a, b));
    }

    private void connect(int a, int b) {
        Link l = link(a, b);
        if (!l.wanted || l.up || !members[a].alive || !members[b].alive || l.known[a] || l.known[b]) {
            return;
        }
        l.up = true;
        int life = ++l.life;
        notice(a, b, l, life);
        notice(b, a, l, life);
    }

    private void notice(int a, int b, Link l, int life) {
        SimMember me = members[a];
        at(now + random.nextLong(1_000_000), () -> {
            if (l.life == life && l.up && members[a] == me && me.alive) {
                l.known[a] = true;
                me.step(() -> me.consensus.onConnected(b, members[b].consensus.incarnation(), me.clock()));
            }
        });
    }

    /** Breaks a link; either side notices by itself, and what it sends until then is lost without a word. */
    void cut(int a, int b) {
        Link l = link(a, b);
        l.wanted = false;
        breakLink(a, b);
    }

    private void breakLink(int a, int b) {
        Link l = link(a, b);
        if (!l.up) {
            return;
        }
        l.up = false;
        l.deaf = 0;
        l.life++;
        miss(a, b, l);
        miss(b, a, l);
    }

    private void miss(int a, int b, Link l) {
        SimMember me = members[a];
        if (!l.known[a]) {
            return;
        }
        at(now + random.nextLong(Math.max(1, noticeNanosMax)), () -> {
            if (members[a] == me && me.alive) {
                l.known[a] = false;
                me.step(() -> {
                    me.consensus.onDisconnected(b, me.clock());
                    me.core.onDisconnected(b, "member " + b + " is gone");
                });
            }
            connect(a, b);
        });
    }

    void heal(int a, int b) {
        link(a, b).wanted = true;
        connect(a, b);
    }

    void healAll() {
        heal(0, 1);
        heal(0, 2);
        heal(1, 2);
    }

    /** A link breaks and comes back by itself. */
    void flap(int a, int b) {
        breakLink(a, b);
        connect(a, b);
    }

    /** Messages in one direction get lost without a word until both sides notice the silence; then the link stays down until it is healed. */
    void cutOneWay(int from, int to) {
        Link l = link(from, to);
        if (!l.up || l.deaf != 0) {
            return;
        }
        l.deaf = 1 + from;
        int life = l.life;
        at(now + SILENCE_NANOS, () -> {
            if (l.life == life) {
                cut(from, to);
            }
        });
    }

    /** A member stands still and comes back with everything that has arrived meanwhile. */
    void freeze(int index, long millis) {
        note(index, "frozen for " + millis + " ms");
        members[index].frozenUntil = now + millis * 1_000_000;
        for (int other = 0; other < 3; other++) {
            if (other != index && millis * 1_000_000 > SILENCE_NANOS) {
                int peer = other;
                Link l = link(index, other);
                int life = l.life;
                at(now + SILENCE_NANOS, () -> {
                    if (l.life == life) {
                        breakLink(index, peer);
                        connect(index, peer);
                    }
                });
            }
        }
    }

    /** Its stable storage failed: it stops itself, and is started anew as the product does. */
    void onStorageFailed(SimMember m) {
        note(m.index, "stable storage failed; it stops");
        if (members[m.index] == m && m.alive) {
            kill(m.index);
            after(5000, () -> {
                if (members[m.index] == m && !m.alive) {
                    restart(m.index);
                }
            });
        }
    }

    void kill(int index) {
        note(index, "killed");
        members[index].alive = false;
        for (int other = 0; other < 3; other++) {
            if (other != index) {
                Link l = link(index, other);
                breakLink(index, other);
                l.known[index] = false;
            }
        }
    }

    void restart(int index) {
        note(index, "restarted");
        SimMember.Disk disk = members[index].disk;
        disk.failures = 0;
        members[index].guest.closeDisk();
        members[index].alive = false;
        members[index] = null;
        members[index] = new SimMember(this, index, disk);
        for (int other = 0; other < 3; other++) {
            if (other != index) {
                connect(index, other);
            }
        }
    }

    boolean sendControl(SimMember from, int to, boolean toConsensus, ByteBuffer message) {
        byte type = message.get(message.position());
        if (!toConsensus && interceptor.swallows(from.index, to, type)) {
            return true;
        }
        ByteBuffer copy = ByteBuffer.allocate(message.remaining()).put(message).flip();
        long incarnation = from.consensus == null ? 0 : from.consensus.incarnation();
        return send(from, to, 0, controlNanos, receiver -> receiver.step(() -> {
            if (toConsensus) {
                receiver.consensus.onMessage(from.index, incarnation, copy, receiver.clock());
            } else {
                receiver.core.onMessage(from.index, incarnation, copy);
            }
        }));
    }

    boolean sendBulk(SimMember from, int to, Consumer<SimMember> arrival) {
        return send(from, to, 1, bulkNanos, arrival);
    }

    private boolean send(SimMember from, int to, int lane, long delay, Consumer<SimMember> arrival) {
        Link l = link(from.index, to);
        if (l == null || !l.known[from.index] || members[from.index] != from) {
            return false;
        }
        int life = l.life;
        if (!l.up || l.deaf == 1 + from.index) {
            return true; // lost, and the sender does not know yet
        }
        int path = from.index * 3 + to;
        long at = Math.max(lastArrival[path][lane], now + delay / 2 + random.nextLong(delay));
        lastArrival[path][lane] = at;
        SimMember receiver = members[to];
        at(at, () -> {
            if (l.life == life && receiver.alive && members[to] == receiver && l.known[to]) {
                arrival.accept(receiver);
            } else if (l.life == life && receiver.alive && members[to] == receiver) {
                at(now + 1_000_000, () -> { // it will know in a moment that the link is up
                    if (l.life == life && receiver.alive && l.known[to]) {
                        arrival.accept(receiver);
                    }
                });
            }
        });
        return true;
    }

    // ---- clients

    /** A frame from a client reaches whoever serves. Returns its number. */
    long input() {
        long input = nextInput++;
        history.invoked(input, now);
        SimMember s = server();
        if (s != null) {
            s.step(() -> {
                if (s.core.servesInputs()) {
                    s.consensus.propose(EntryType.INPUT, ByteBuffer.allocate(9).put((byte) 0).putLong(input).flip(), s.clock());
                }
            });
        }
        return input;
    }

    boolean isAnswered(long input) {
        return answered.contains(input);
    }

    int answers() {
        return answered.size();
    }

    /** Whether the guest's answer to an input is part of what this member would go on from. */
    boolean knows(SimMember m, long input) {
        return m.guest.state != null && m.guest.state.devices != null
                && framesOfInput.getOrDefault(input, Set.of()).stream().anyMatch(m.guest.state.devices::hasEmitted);
    }

    // ---- what is watched

    void note(int index, String text) {
        notes.add(new Note(now, index, text));
        if (notes.size() > NOTES_MAX) {
            notes.remove();
        }
    }

    String story() {
        return notes.stream().map(n -> String.format("%9.3f ms  %d  %s", (n.at() - 1_000_000_000L) / 1e6, n.member(), n.text()))
                .collect(Collectors.joining("\n"));
    }

    void onAgreed(long index, long input) {
        Long before = inputAt.put(index, input);
        check(before == null || before == input, "S2: entry " + index + " was input " + before + " and is input " + input);
        indexOfInput.put(input, index);
    }

    /** A guest takes up an input; returns its place in the log. */
    long onTaken(SimMember member, long input, long previous) {
        long index = indexOfInput.get(input);
        if (checksInputOrder && previous >= 0) {
            Long due = inputAt.higherKey(previous);
            check(due != null && due == index, "S2: the guest of member " + member.index + " took entry " + index + " after " + previous
                    + ", due was " + due);
        }
        return index;
    }

    long newFrame(long input, long value) {
        long frame = nextFrame++;
        valueOfFrame.put(frame, value);
        framesOfInput.computeIfAbsent(input, i -> new LinkedHashSet<>()).add(frame);
        inputOfFrame.put(frame, input);
        return frame;
    }

    private final Map<Long, Long> inputOfFrame = new HashMap<>();
    private final Map<Long, Long> valueOfFrame = new HashMap<>();

    void onBoot(SimMember member) {
        if (boots++ == 0) {
            return;
        }
        note(member.index, "boots the guest anew");
        for (int i = 0; i < 2; i++) {
            SimMember m = members[i];
            Membership agreed = member.consensus.membership();
            boolean wouldDo = m != member && m.alive && m.core.canLead() && m.guest.isUsable() && agreed != null
                    && agreed.isInSync(i) && agreed.view() <= m.consensus.view();
            check(!wouldDo, "member " + member.index + " boots the guest anew while member " + i + " holds its state and is in sync");
        }
        if (!hasDisk) {
            released.clear();
            history.check();
            history.begin();
        }
    }

    /** A guest has decided to emit a frame after some others. */
    void onDecided(GuestState.Emitted chain) {
        chainOfFrame.put(chain.frame(), chain);
    }

    /** What a guest that finds this frame's number on its disk has emitted. */
    GuestState.Emitted chainOf(long frame) {
        check(frame == 0 || chainOfFrame.containsKey(frame), "S6: a disk holds what no guest has written to it");
        return chainOfFrame.get(frame);
    }

    /** A frame leaves: the loss of power everywhere at this moment must not take back what it tells of (S6). */
    private void checkDurable(SimMember m, long frame) {
        checkOnDisk(m.index, frame);
        SimMember other = members[1 - m.index];
        // A member whose storage was lost after it had acknowledged is another fault than the loss of power: it draws a new incarnation.
        if (m.agreed != null && m.agreed.isInSync(other.index) && m.agreed.incarnation(other.index) == other.consensus.incarnation()) {
            checkOnDisk(other.index, frame);
        }
    }

    private void checkOnDisk(int index, long frame) {
        SimDisk.Platter platter = members[index].disk.guests;
        for (GuestState.Emitted e = chainOf(platter.certain(FakeGuest.EMITTED_BLOCK)); e != null; e = e.before()) {
            if (e.frame() == frame) {
                return;
            }
        }
        throw new AssertionError("S6: frame " + frame + " leaves, and the disk of member " + index + " does not know it");
    }

    /** A member begins to serve clients: it must know all that clients have seen. */
    void onServing(SimMember m) {
        check(m.agreed != null || m.consensus.membership().version() == 0, "S3: nothing has been agreed");
        checkKnowsReleased(m, m.guest.state == null ? null : m.guest.state.devices);
    }

    private void checkKnowsReleased(SimMember m, GuestState.Devices devices) {
        check(devices != null, "member " + m.index + " serves without a guest");
        Set<Long> known = new LinkedHashSet<>();
        for (GuestState.Emitted e = devices.emitted(); e != null; e = e.before()) {
            known.add(e.frame());
        }
        for (long frame : released) {
            if (!known.contains(frame)) {
                throw new AssertionError("output commit: frame " + frame + " has left, and member " + m.index + " serves without knowing it");
            }
        }
    }

    void onStaged(SimMember m, GuestState.Devices devices) {
        acknowledged[m.index] = devices;
    }

    void onReleased(SimMember m, long frame, boolean open) {
        long view = m.consensus.view();
        Integer releaser = releaserOfView.putIfAbsent(view, m.index);
        check(releaser == null || releaser == m.index, "S1: members " + releaser + " and " + m.index + " both release in view " + view);
        check(m.core.state().leads() && m.consensus.isLeading(), "S3: member " + m.index + " released while " + m.state());
        if (open) {
            check(m.agreed == null || Integer.bitCount(m.agreed.inSyncMask()) == 1, "S3: open gate while the set is " + m.agreed);
        } else {
            GuestState.Devices theirs = acknowledged[1 - m.index];
            check(theirs != null && theirs.hasEmitted(frame), "S3: frame " + frame + " left before the backup had staged its epoch");
        }
        if (hasDisk) {
            checkDurable(m, frame);
        }
        released.add(frame);
        answered.add(inputOfFrame.get(frame));
        history.answered(inputOfFrame.get(frame), valueOfFrame.get(frame), now);
    }

    @Override
    public String toString() {
        StringBuilder s = new StringBuilder();
        for (SimMember m : members) {
            if (m == null) {
                s.append("starting ");
                continue;
            }
            s.append(m.alive ? m.state() : "dead").append('(').append(m.consensus.state()).append(" view ").append(m.consensus.view())
                    .append(", gate ").append(m.gate.mode()).append(m.guest.running ? ", runs" : ", stopped").append(", epoch ")
                    .append(m.core.primary.phase()).append(") ");
        }
        links.forEach((key, l) -> s.append("link ").append(key / 3).append(key % 3).append(l.up ? " up " : " down ").append(l.wanted ? "" : "cut ")
                .append(l.known[key / 3]).append('/').append(l.known[key % 3]).append("; "));
        return s + "\n" + story();
    }
}
