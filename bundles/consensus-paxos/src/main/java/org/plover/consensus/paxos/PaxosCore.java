package org.plover.consensus.paxos;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.plover.api.consensus.Consensus;
import org.plover.api.consensus.ConsensusHost;
import org.plover.api.consensus.EntryType;
import org.plover.api.consensus.Membership;
import org.plover.api.consensus.StableStorage;
import org.plover.api.group.Group;
import org.plover.api.group.MemberKind;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One member's core: what all its roles share (state, log, commit and delivery), and the way of each message to the role
 * that handles it. The roles are {@link Forming}, {@link Following}, {@link Leadership} and {@link Election}.
 *
 * <p>Viewstamped Replication Revisited (Liskov and Cowling 2012) with two differences: view and membership are durable,
 * so that a restarted member cannot break a promise, and entries carry the view that proposed them, so that a new view
 * needs to move only what differs. Views with odd numbers belong to the first replica, even ones to the other: no view
 * can have two leaders (S1).
 */
final class PaxosCore implements Consensus {
    private static final int GENERATION_SHIFT = 32;
    private static final Logger LOG = LoggerFactory.getLogger(PaxosCore.class);

    final Group group;
    final int self;
    final boolean isReplica;
    private final int firstReplica;
    private final int secondReplica;
    final ConsensusHost host;
    final Ballot ballot;
    final EntryLog log = new EntryLog();
    final Memberships memberships = new Memberships();
    final Wire wire = new Wire();
    final Peer[] peers;
    final SplittableRandom random;
    private final Supplier<Settings> settings;
    private final Forming forming;
    private final Following following;
    private final Leadership leadership;
    private final Election election;

    State state;
    int leader = -1;
    /** Highest view that any message spoke of. */
    long highestViewHeard;
    private long commitIndex;
    /** Last entry given to the host. */
    private long delivered;
    /** A replica whose guest is not part of the log's history: nothing is delivered before {@link #skipTo}. */
    private boolean suspended;
    private boolean delivering;
    /** See {@link #generationOf}; before a recovering member has a log, of its durable view. */
    private long logGeneration;
    private long forgetLater;
    private long lastTick;

    PaxosCore(Group group, StableStorage storage, long seed, ConsensusHost host, Supplier<Settings> settings) throws IOException {
        this.group = group;
        this.self = group.self();
        this.isReplica = group.me().kind() == MemberKind.REPLICA;
        this.firstReplica = group.firstReplica().index();
        this.secondReplica = 3 - firstReplica - group.witness().index();
        this.host = host;
        this.settings = settings;
        this.random = new SplittableRandom(seed);
        this.ballot = new Ballot(storage, random.nextLong());
        this.peers = new Peer[Group.SIZE];
        for (int i = 0; i < peers.length; i++) {
            peers[i] = new Peer(i);
        }
        Membership known = ballot.membership();
        if (ballot.view() == 0) {
            state = State.FORMING;
        } else if (known != null && known.incarnation(self) == ballot.incarnation()) {
            state = State.RECOVERING;
        } else {
            state = State.LEARNER;
        }
        suspended = isReplica;
        logGeneration = generationOf(ballot.view());
        forming = new Forming(this);
        leadership = new Leadership(this);
        following = new Following(this);
        election = new Election(this, following, leadership);
    }

    // ---- what the roles share

    Settings settings() {
        return settings.get();
    }

    /** The only member that may lead that view. */
    int leaderOf(long view) {
        return (view & 1) == 1 ? firstReplica : secondReplica;
    }

    /** Newest membership accepted here. Before the log is known again, what stable storage remembers counts too. */
    Membership newestMembership() {
        Membership inLog = memberships.newest();
        return state.isVoting() ? inLog : Memberships.newer(inLog, ballot.membership());
    }

    /** Newest membership known to be committed, or null. */
    Membership membershipInForce() {
        Membership known = memberships.committed();
        return state.isVoting() ? known : Memberships.newer(known, ballot.inForce());
    }

    /** Makes the view and what is known of memberships durable. */
    void store(long view) {
        ballot.store(view, membershipInForce(), newestMembership());
    }

    boolean isVoter(Peer p) {
        return memberships.isVoter(p.index, p.incarnation);
    }

    boolean isVoterMyself() {
        return memberships.isVoter(self, ballot.incarnation());
    }

    /**
     * How many votes decide by that membership. Of two voters both are in every majority; so when one is certain to have
     * lost its storage, the other decides alone: without it nothing can have been, or will be, promised or accepted.
     */
    int majorityOf(Membership m) {
        return Integer.bitCount(m.voterMask()) == 2 && isOtherVoterLost(m) ? 1 : m.majority();
    }

    private boolean isOtherVoterLost(Membership m) {
        boolean mine = m.isVoter(self) && m.incarnation(self) == ballot.incarnation();
        boolean lost = false;
        for (Peer p : peers) {
            // an incarnation that follows the agreed one: the storage that knew of promises is gone
            lost |= p.index != self && m.isVoter(p.index) && p.wasConnected && p.incarnation != m.incarnation(p.index);
        }
        return mine && lost;
    }

    void transition(State next, String reason) {
        if (!state.mayBecome(next)) {
            throw new IllegalStateException(name() + ": " + state + " may not become " + next + " (" + reason + ")");
        }
        LOG.info("{}: {} -> {}, view {}: {}", name(), state, next, ballot.view(), reason);
        state = next;
    }

    /** Leads or followed until now; from here on nobody does before the next view. */
    void toViewChange(String reason, long now) {
        leader = -1;
        leadership.end();
        if (state.isVoting() || state == State.LEARNER && isVoterMyself()) {
            transition(State.VIEW_CHANGE, reason);
        }
        election.onViewChange(now);
        host.onViewChange(ballot.view());
    }

    /** This member's log is the group's, whatever it lacked. */
    void ownsLog() {
        following.hasBase();
    }

    void endLeading() {
        leadership.end();
    }

    void commitTo(long index) {
        if (index <= commitIndex) {
            return;
        }
        commitIndex = index;
        if (memberships.commitUpTo(index)) {
            LOG.info("{}: {} is in force", name(), memberships.committed());
            store(ballot.view());
            leadership.onMembershipCommitted();
        }
    }

    /** Gives the host every entry that it may have. */
    void deliver() {
        if (delivering || suspended || state == State.FORMING || state == State.RECOVERING) {
            return;
        }
        delivering = true;
        try {
            while (delivered < Math.min(commitIndex, log.last())) {
                long index = delivered + 1;
                if (index <= log.base()) {
                    throw new IllegalStateException(name() + ": entry " + index + " must be delivered but is forgotten, the log"
                            + " begins after " + log.base() + " (S2)");
                }
                delivered = index;
                host.deliver(index, log.typeAt(index), log.deliverableAt(index));
            }
        } finally {
            delivering = false;
        }
        if (forgetLater > 0) {
            long index = forgetLater;
            forgetLater = 0;
            forgetUpTo(index);
        }
    }

    /** Forgets entries that are committed and that the host has had, or will not want. */
    void forgetUpTo(long index) {
        if (delivering) {
            forgetLater = Math.max(forgetLater, index);
            return;
        }
        long until = Math.min(index, Math.min(commitIndex, log.last()));
        log.dropUpTo(suspended ? until : Math.min(until, delivered));
    }

    /** The log now begins after {@code base}, which lies behind what was delivered: the host has a gap. */
    void onBaseMoved() {
        commitTo(log.base());
        if (delivered >= log.base() || suspended) {
            return;
        }
        if (isReplica) {
            LOG.warn("{}: entries {} to {} are forgotten by the others; nothing is delivered before this replica's guest has been"
                    + " synchronised", name(), delivered + 1, log.base());
            suspended = true;
            host.onFollowing(ballot.view(), leader);
        } else {
            delivered = log.base();
        }
    }

    /** The host starts from its own state and wants no entry up to {@code index}. */
    void resumeAfter(long index) {
        suspended = false;
        delivered = index;
    }

    /** This replica's guest is gone: nothing is delivered to it. */
    void suspend() {
        suspended = true;
    }

    boolean isSuspended() {
        return suspended;
    }

    long delivered() {
        return delivered;
    }

    void send(Peer to, ByteBuffer message) {
        host.send(to.index, message.flip());
    }

    void sendStatus(Peer to) {
        ByteBuffer m = wire.begin(MessageType.STATUS, state.ordinal(), ballot.view(), 1 + Membership.BYTES);
        Wire.putMembership(m, newestMembership());
        send(to, m);
    }

    String name() {
        return group.name() + "/" + group.me().name();
    }

    String nameOf(int member) {
        return group.member(member).name();
    }

    // ---- events

    @Override
    public void start(long nowNanos) {
        lastTick = nowNanos;
        election.start(nowNanos);
        LOG.info("{}: starts as {} with view {}, incarnation {}", name(), state, ballot.view(), Long.toHexString(ballot.incarnation()));
    }

    @Override
    public void onMessage(int from, long incarnation, ByteBuffer message, long now) {
        if (from == self || from < 0 || from >= peers.length) {
            throw new IllegalArgumentException(name() + ": message from " + from + ", which is no other member");
        }
        Peer peer = peers[from];
        if (!peer.connected || peer.incarnation != incarnation) {
            onConnected(from, incarnation, now);
        }
        MessageType type = MessageType.of(message.get());
        int flags = message.get();
        long view = message.getLong();
        if (view >= ballot.view()) {
            peer.heardNanos = now;
        }
        highestViewHeard = Math.max(highestViewHeard, view);
        switch (type) {
            case STATUS -> onStatus(peer, view, message, now);
            case FORM -> forming.onForm(peer, message, now);
            case FORM_ACK -> forming.onFormAck(peer, message, now, leadership);
            case APPEND -> following.onAppend(peer, view, message, now, election);
            case ACK -> onAck(peer, flags, view, message, now);
            case SKIP -> following.onSkip(peer, view, message, now, election);
            case CANVASS -> election.onCanvass(peer, flags, view, message, now);
            case CANVASS_REPLY -> election.onCanvassReply(peer, flags, message, now);
            case PREPARE -> election.onPrepare(peer, flags, view, message, now);
            case PROMISE -> election.onPromise(peer, flags, view, message, now);
            case LOG -> election.onLog(peer, flags, view, message, now);
            case TAKEOVER -> election.onTakeover(peer, view, now);
            default -> throw new IllegalStateException("no handler for " + type);
        }
    }

    private void onStatus(Peer peer, long view, ByteBuffer message, long now) {
        Membership theirs = Wire.getMembership(message);
        forming.onStatus(peer, view, theirs, now);
        if (state == State.NORMAL_LEADER) {
            if (view > ballot.view()) {
                depose(peer, view, now);
            } else {
                leadership.pump(peer, true, now);
            }
        }
    }

    private void onAck(Peer peer, int flags, long view, ByteBuffer message, long now) {
        if (state != State.NORMAL_LEADER) {
            return;
        }
        if (view > ballot.view()) {
            depose(peer, view, now);
        } else if (view < ballot.view()) {
            leadership.pump(peer, true, now);
        } else {
            leadership.onAck(peer, flags, message.getLong(), message.getLong(), now);
        }
    }

    /** A higher view exists, so this one can no longer win over whoever promised it. */
    void depose(Peer peer, long view, long now) {
        toViewChange(nameOf(peer.index) + " knows of view " + view, now);
        election.standSoon(now);
    }

    @Override
    public void onTick(long now) {
        long timeout = settings().electionTimeoutNanos();
        if (now - lastTick > timeout / 2) {
            LOG.warn("{}: was not run for {} ms; the leader is given that much longer", name(), (now - lastTick) / 1_000_000);
            election.onOwnPause(now - lastTick, now);
        }
        lastTick = now;
        switch (state) {
            case FORMING -> forming.onTick(now);
            case NORMAL_LEADER -> leadership.onTick(now);
            case LEARNER, RECOVERING, NORMAL_FOLLOWER, VIEW_CHANGE -> election.onTick(now);
            default -> throw new IllegalStateException("no timer for " + state);
        }
    }

    @Override
    public int tickMillis() {
        return Math.max(1, settings().heartbeatMillis() / 2);
    }

    @Override
    public void onConnected(int member, long incarnation, long now) {
        Peer peer = peers[member];
        peer.connected = true;
        peer.wasConnected = true;
        peer.incarnation = incarnation;
        peer.forget(log.last());
        if (state == State.NORMAL_LEADER) {
            leadership.pump(peer, true, now);
        } else {
            sendStatus(peer);
        }
    }

    @Override
    public void onDisconnected(int member, long now) {
        peers[member].connected = false;
        peers[member].forget(log.last());
    }

    // ---- the leader's calls

    @Override
    public long propose(EntryType type, ByteBuffer payload, long now) {
        if (type == EntryType.MEMBERSHIP) {
            throw new IllegalArgumentException("memberships are proposed by proposeMembership");
        }
        return leadership.propose(type, payload, now);
    }

    @Override
    public void flush(long now) {
        leadership.flush(now);
    }

    @Override
    public long proposeMembership(Membership next, long now) {
        return leadership.proposeMembership(next, now);
    }

    @Override
    public void truncate(long index, long now) {
        if (isLeading()) {
            forgetUpTo(index);
        }
    }

    @Override
    public void skipTo(long index, long now) {
        if (index < log.base() && !following.needsBase()) {
            throw new IllegalStateException(name() + ": entries after " + index + " are forgotten, the log begins after " + log.base()
                    + "; synchronise the guest anew");
        }
        resumeAfter(index);
        deliver();
    }

    @Override
    public void handOver(int member, long now) {
        leadership.handOver(member, now);
    }

    // ---- what can be seen

    @Override
    public void forceLead(long now) {
        String refusal = !isReplica ? "a witness cannot lead"
                : state == State.FORMING ? "the group has not formed yet: there is nothing to go on with; start the other members"
                : state == State.NORMAL_LEADER && leadership.hasMajority(now) ? "this member leads, and a majority follows it"
                : state == State.NORMAL_FOLLOWER && election.hearsLeader(now) ? nameOf(leader) + " leads and is alive"
                : !host.canLead() && !host.canColdStart() ? "this member holds no guest and cannot boot one now" : null;
        if (refusal != null) {
            throw new IllegalStateException(refusal + "; nothing has been changed");
        }
        Membership known = newestMembership();
        long next = firstViewOf(generationOf(Math.max(ballot.view(), highestViewHeard)) + 1);
        long[] incarnations = new long[Group.SIZE];
        for (int i = 0; i < incarnations.length; i++) {
            incarnations[i] = i == self ? ballot.incarnation() : known.incarnation(i);
        }
        int me = group.me().bit();
        Membership alone = new Membership(next, known.version() + 1, me, me, 0, incarnations);
        ballot.store(next, alone, alone);
        toViewChange("an operator makes this member the primary by force", now);
        long kept = suspended ? Math.max(commitIndex, log.base()) : delivered;
        ownGeneration(next, kept, alone);
        LOG.warn("{}: {}, by an operator's order; whatever the others do in older views does not count any more", name(), alone);
        transition(State.NORMAL_LEADER, "view " + next + " begins by force");
        leadership.beginAlone(now, host.canLead() ? null : "an operator made this member the primary, which holds no guest");
    }

    /**
     * A generation of views has a log of its own. It begins when a guest is booted because nobody holds it any more, or when
     * an operator makes a member lead by force: in both cases logs of older views mean nothing, and may contradict each other.
     */
    static long generationOf(long view) {
        return view >> GENERATION_SHIFT;
    }

    long firstViewOf(long generation) {
        long first = generation << GENERATION_SHIFT;
        return leaderOf(first) == self ? first : first + 1;
    }

    /** This member begins a generation: its log is empty, and goes on after {@code kept}. */
    void ownGeneration(long view, long kept, Membership inForce) {
        logGeneration = generationOf(view);
        memberships.forget();
        log.reset(kept, view);
        following.hasBase();
        commitTo(kept);
        memberships.learnCommitted(inForce);
    }

    /** Whether this member's log is of an older generation than that view. */
    boolean isOfOlderGeneration(long view) {
        return generationOf(view) > logGeneration;
    }

    /** What this member knew belongs to a generation that is over: it begins with nothing. */
    void beginGeneration(String by, long view) {
        LOG.warn("{}: {} began a new generation with view {}, by force or with a guest that was booted anew: what this member has of"
                + " older views is given up", name(), by, view);
        logGeneration = generationOf(view);
        leadership.end();
        log.reset(0, 0);
        memberships.forget();
        following.forgetBase();
        commitIndex = 0;
        delivered = 0;
        suspended = isReplica;
        if (state != State.FORMING) {
            transition(State.LEARNER, "a new generation of views has begun");
        }
        host.onHistoryLost();
    }

    /** The log of an older generation is taken over into that view. */
    void carryLogInto(long view) {
        logGeneration = generationOf(view);
    }

    long lastTick() {
        return lastTick;
    }

    @Override
    public long lastQuorumNanos() {
        return leadership.lastQuorumNanos();
    }

    @Override
    public long incarnation() {
        return ballot.incarnation();
    }

    @Override
    public long view() {
        return ballot.view();
    }

    @Override
    public int leader() {
        return leader;
    }

    @Override
    public boolean isLeading() {
        return leadership.isEntered();
    }

    @Override
    public Membership membership() {
        return newestMembership();
    }

    @Override
    public long lastIndex() {
        return log.last();
    }

    @Override
    public long commitIndex() {
        return commitIndex;
    }

    @Override
    public String state() {
        return state.name();
    }

    @Override
    public long lastHeardNanos(int member) {
        return peers[member].heardNanos;
    }
}
