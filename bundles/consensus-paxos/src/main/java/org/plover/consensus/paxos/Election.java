package org.plover.consensus.paxos;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.plover.api.consensus.Membership;
import org.plover.api.group.Group;
import org.plover.api.group.MemberKind;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How the view changes. A replica that misses its leader first canvasses: it asks whether the others would promise it a
 * view, which changes nothing anywhere, so that a member that merely lost a link disturbs nobody (Ongaro 2014, section
 * 9.6). Only then it prepares: it promises itself the view, asks the others to, takes over the best log among a majority,
 * and leads.
 *
 * <p>A majority is normally two voters that remember their log. Should too many have restarted at once for that, all
 * three members together do as well, two of them voters: then nobody is left who could know of more. What only forgotten
 * logs held is lost, but no guest that took it is running any more either, and the in-sync set is durable.
 *
 * <p>When no in-sync replica holds the guest any more, the log does not matter at all, only the in-sync set does, and that is
 * durable: then a majority is enough, restarted or not, if every in-sync replica is among those who promise.
 */
final class Election {
    /** Two can stand at most, and usually one: a little jitter is enough. */
    private static final int JITTER_SHARE = 8;
    /** Whoever holds the guest goes first. */
    private static final int COLD_PATIENCE_FACTOR = 4;

    private static final int OK = 1;
    /** The answer counts: a voter that knows its log. */
    private static final int REMEMBERS = 2;
    /** The leader itself asked for the new view. */
    private static final int TAKEOVER = 8;
    /** The last part of a voter's log. */
    private static final int LAST = 16;
    /** The sender holds a guest that can go on. */
    private static final int GUEST = 64;
    /** The sender's log begins somewhere. */
    private static final int HAS_LOG = 32;

    private static final int MEMBERSHIPS_BYTES = 2 * (1 + Membership.BYTES);
    private static final int LOG_PIECE_BYTES = 1 << 20;
    private static final Logger LOG = LoggerFactory.getLogger(Election.class);
    private static final long SAY_AGAIN_NANOS = 5_000_000_000L;

    private enum Stage { NONE, CANVASS, PREPARE }

    private final PaxosCore core;
    private final Following following;
    private final Leadership leadership;
    private final EntryLog log;

    /** When the leader was heard last, and heard a majority itself. */
    private long leaderHeardNanos;
    /** So much of the silence since then is due to this member itself. */
    private long forgivenNanos;
    private long jitterNanos;
    private long notBeforeNanos;

    private Stage stage = Stage.NONE;
    private int round;
    private long target;
    /** The view that the log has last spoken of, and when. */
    private long saidTarget;
    private long saidNanos;
    /** The membership by which this candidate thinks itself in sync. */
    private Membership standsBy;
    /** Newest membership that any answer spoke of. */
    private Membership heard;
    /** Newest one that any answer said is committed. */
    private Membership heardInForce;
    private int answered;
    private int remembering;
    /** The newest membership that each of those who answered has accepted. */
    private final Membership[] claims = new Membership[Group.SIZE];
    /** The newest membership that each of those who have answered knows to be in force. */
    private final Membership[] known = new Membership[Group.SIZE];
    /** Who said with its answer that it holds the guest. */
    private int holding;
    /** This member holds no guest: it may only lead if no other in-sync member does either. */
    private boolean cold;
    /** Whose better log is being taken over, or -1; and where it ends. */
    private int source;
    private long sourceView;
    private long sourceLast;
    /** Highest commit index that any answer spoke of. */
    private long heardCommit;

    Election(PaxosCore core, Following following, Leadership leadership) {
        this.core = core;
        this.following = following;
        this.leadership = leadership;
        this.log = core.log;
    }

    // ---- timer

    void start(long now) {
        onLeaderHeard(now);
        drawJitter();
    }

    void onLeaderHeard(long now) {
        leaderHeardNanos = now;
        forgivenNanos = 0;
        stage = Stage.NONE;
    }

    /** The leader says that it has not heard a majority for so long: as far as clients are concerned that is no leader. */
    void onLeaderDeaf(long deafNanos, long now) {
        leaderHeardNanos = Math.min(leaderHeardNanos, now - deafNanos);
    }

    /** What is forgiven is bounded, so that a member that hardly runs finds out in the end that nobody leads. */
    void onOwnPause(long pauseNanos, long now) {
        long more = Math.min(pauseNanos, core.settings().electionTimeoutNanosMax() - forgivenNanos);
        if (more > 0) {
            forgivenNanos += more;
            leaderHeardNanos = Math.min(now, leaderHeardNanos + more);
        }
    }

    /** Somebody else is about to lead, or nobody: waits for a whole timeout. */
    void onViewChange(long now) {
        leaderHeardNanos = now;
        forgivenNanos = 0;
        drawJitter();
    }

    void standSoon(long now) {
        leaderHeardNanos = now - timeout(now);
        jitterNanos = 0;
        notBeforeNanos = now;
    }

    private void drawJitter() {
        jitterNanos = core.random.nextLong(core.settings().electionTimeoutNanosMin() / JITTER_SHARE);
    }

    private long timeout(long now) {
        return core.leader >= 0 && core.leader != core.self ? core.peers[core.leader].silence.timeoutNanos(now, core.settings())
                : core.settings().electionTimeoutNanosMin() * 3 / 2;
    }

    /** A broken link proves nothing, but makes waiting long pointless: canvassing will show who still hears the leader. */
    private long patience(long now) {
        boolean isCut = core.leader >= 0 && core.leader != core.self && !core.peers[core.leader].connected;
        return isCut ? core.settings().electionTimeoutNanosMin() / 3 : timeout(now);
    }

    void onTick(long now) {
        if (!core.isReplica || now < notBeforeNanos || now - leaderHeardNanos < patience(now) + jitterNanos
                || !core.host.canLead() && now - leaderHeardNanos < COLD_PATIENCE_FACTOR * timeout(now)) {
            return;
        }
        drawJitter();
        notBeforeNanos = now + core.settings().electionTimeoutNanosMin() / 3 + jitterNanos / 2;
        stage = Stage.NONE;
        if (mayStand()) {
            canvass(now);
        }
    }

    /** Whether it makes sense to ask at all; the answers decide whether the in-sync set names this member. */
    private boolean mayStand() {
        // a log is not needed to ask: a guest that is booted needs none, and one that was synchronised takes a voter's
        return core.host.canLead() || core.host.canColdStart() && core.newestMembership() != null;
    }

    // ---- candidate

    private void begin(Stage next) {
        stage = next;
        round++;
        answered = 1 << core.self;
        remembering = core.state.isVoting() ? answered : 0;
        Arrays.fill(claims, null);
        claims[core.self] = core.newestMembership();
        Arrays.fill(known, null);
        known[core.self] = core.membershipInForce();
        cold = !core.host.canLead();
        holding = cold ? 0 : answered;
        source = -1;
        heardCommit = 0;
        heard = next == Stage.CANVASS ? core.newestMembership() : Memberships.newer(heard, core.newestMembership());
        heardInForce = core.membershipInForce();
        long above = Math.max(core.view(), core.highestViewHeard) + 1;
        target = cold ? core.firstViewOf(PaxosCore.generationOf(above) + 1) : core.leaderOf(above) == core.self ? above : above + 1;
    }

    private void canvass(long now) {
        begin(Stage.CANVASS);
        standsBy = core.newestMembership();
        if (target != saidTarget || now - saidNanos > SAY_AGAIN_NANOS) {
            // A member that is alone asks many times a second.
            LOG.info("{}: has not heard a leader for {} ms, canvasses for view {}", core.name(), (now - leaderHeardNanos) / 1_000_000, target);
            saidTarget = target;
            saidNanos = now;
        }
        ask(MessageType.CANVASS, 0, core.view());
        if (hasQuorum() && isFit()) {
            prepare(0, now); // it alone votes
        }
    }

    private void ask(MessageType type, int moreFlags, long view) {
        int flags = moreFlags | (cold ? 0 : GUEST);
        for (Peer p : core.peers) {
            if (p.index != core.self && p.connected) {
                ByteBuffer m = core.wire.begin(type, flags, view, 4 + 8 * 4 + MEMBERSHIPS_BYTES);
                m.putInt(round).putLong(target);
                if (following.needsBase()) {
                    m.putLong(-1).putLong(-1).putLong(-1);
                } else {
                    m.putLong(log.lastView()).putLong(log.last()).putLong(core.commitIndex());
                }
                putMemberships(m, standsBy);
                core.send(p, m);
            }
        }
    }

    void onCanvassReply(Peer peer, int flags, ByteBuffer message, long now) {
        int theirRound = message.getInt();
        long theirView = message.getLong();
        Membership inForce = Wire.getMembership(message);
        Membership theirs = Wire.getMembership(message);
        core.highestViewHeard = Math.max(core.highestViewHeard, theirView);
        learn(inForce, now);
        heardInForce = Memberships.newer(heardInForce, inForce);
        if (theirRound != round || stage == Stage.NONE) {
            return;
        }
        if ((flags & OK) == 0) {
            LOG.info("{}: {} in view {} refuses view {}, knows {}", core.name(), core.nameOf(peer.index), theirView, target, theirs);
            heard = Memberships.newer(heard, theirs);
        } else if (stage == Stage.CANVASS && core.host.canLead() == cold) {
            stage = Stage.NONE; // the guest has come or gone since it asked: it has to ask anew
        } else if (stage == Stage.CANVASS) {
            count(peer, flags, inForce, theirs);
            if (core.state == State.LEARNER && heard != null && isUndisputed(heard)) {
                learn(heard, now);
            }
            if (hasQuorum() && isFit() && core.state != State.LEARNER) {
                prepare(0, now);
            }
        }
    }

    /** A membership that a voter knows to be committed counts here too; it may be what makes this learner a voter. */
    private void learn(Membership theirs, long now) {
        if (core.state == State.FORMING || core.state == State.RECOVERING
                || !core.memberships.learnCommitted(theirs)) {
            return;
        }
        core.store(core.view());
        if (core.state == State.LEARNER && core.isVoterMyself()) {
            core.toViewChange(theirs + " names this incarnation", now);
            standAgain(now);
        }
    }

    private void standAgain(long now) {
        leaderHeardNanos = now - core.settings().electionTimeoutNanosMax();
        notBeforeNanos = now;
    }

    private void count(Peer peer, int flags, Membership inForce, Membership theirs) {
        answered |= 1 << peer.index;
        if ((flags & REMEMBERS) != 0) {
            remembering |= 1 << peer.index;
        }
        claims[peer.index] = theirs;
        known[peer.index] = inForce;
        if ((flags & GUEST) != 0) {
            holding |= 1 << peer.index;
        }
        heard = Memberships.newer(heard, theirs);
    }

    private boolean hasQuorum() {
        Membership m = inForce();
        return m != null && (rememberingMajority()
                || cold && Integer.bitCount(answered & voters()) >= core.majorityOf(m)
                || (answered & m.voterMask()) == m.voterMask() && Integer.bitCount(answered & voters()) >= core.majorityOf(m));
    }

    private boolean rememberingMajority() {
        return Integer.bitCount(remembering & voters()) >= core.majorityOf(inForce());
    }

    /** The newest membership known to be committed, or else the newest known. */
    private Membership inForce() {
        Membership base = Memberships.newer(core.memberships.committed(), heardInForce);
        if (base == null) {
            return heard;
        }
        Membership found = base;
        for (Membership m : claims) {
            if (m != null && m.isNewerThan(found) && (accepted(m, base) >= core.majorityOf(base) || isUndisputed(m))) {
                found = m; // whether anybody knows it or not
            }
        }
        return found;
    }

    /**
     * A proposal that brings the other replica in may be counted, whoever has accepted it, once everybody has answered and
     * nobody knows of a newer one: its proposer was alone in sync, so nobody else can have led or proposed anything before it
     * counted; and neither replica, both of which it names as they are now, has done so since.
     */
    private boolean isUndisputed(Membership m) {
        int proposer = core.leaderOf(m.view());
        Membership before = known[proposer];
        boolean isNewest = Integer.bitCount(answered) == Group.SIZE && m.equals(claims[proposer]) && before != null
                && before.inSyncMask() == 1 << proposer && m.isNewerThan(before) && m.version() == before.version() + 1;
        for (Peer p : core.peers) {
            isNewest &= claims[p.index] == null || !claims[p.index].isNewerThan(m);
            isNewest &= core.group.member(p.index).kind() == MemberKind.WITNESS || isVoter(p, m) && m.isInSync(p.index);
        }
        return isNewest;
    }

    /** How many of those who have answered and vote by {@code base} have accepted this very membership last. */
    private int accepted(Membership m, Membership base) {
        int n = 0;
        for (Peer p : core.peers) {
            n += m.equals(claims[p.index]) && isVoter(p, base) ? 1 : 0;
        }
        return n;
    }

    /** Those whose votes count. */
    private int voters() {
        Membership inForce = inForce();
        int voters = 0;
        for (Peer p : core.peers) {
            if (isVoter(p, inForce)) {
                voters |= 1 << p.index;
            }
        }
        return voters;
    }

    private boolean isFit() {
        if (PaxosCore.generationOf(heard.view()) > PaxosCore.generationOf(inForce().view()) && !isNamedIn(heard)) {
            return false; // somebody was made the primary by force, or has booted the guest: that one counts
        }
        return (!cold || isGuestLost()) && (isFitBy(heard) || isFitBy(newestPossible()) || unused() != null);
    }

    /**
     * A proposal that takes this replica out of the in-sync set counts only once its proposer has acted on it, which it does
     * not do before it has durably noted it to be in force. A proposer that answers and has not noted that, has not acted on it
     * and never will, for it promises a newer view; and it holds no guest to go on with. So what was in force before still says
     * who may go on. If the proposal is part of the log that the proposer remembers, it keeps its place there; if everybody has
     * answered and no majority remembers the log, it is as lost as what else was forgotten.
     *
     * @return the membership that was in force when the proposal was made and names this replica in sync, or null
     */
    private Membership unused() {
        int proposer = core.leaderOf(heard.view());
        Membership before = known[proposer];
        if (cold || proposer == core.self || before == null || !heard.equals(claims[proposer]) || (holding & 1 << proposer) != 0) {
            return null;
        }
        boolean isLogKnown = rememberingMajority() ? (remembering & 1 << proposer) != 0 : Integer.bitCount(answered) == Group.SIZE;
        boolean isSuccessor = heard.isNewerThan(before) && heard.version() == before.version() + 1
                && heard.voterMask() == before.voterMask() && hasSameMembers(heard, before);
        boolean isInForce = heardInForce != null && heardInForce.isNewerThan(before);
        return isLogKnown && isSuccessor && !isInForce && isNamedIn(before) && isVoter(core.peers[core.self], before) ? before : null;
    }

    private static boolean hasSameMembers(Membership a, Membership b) {
        boolean same = true;
        for (int i = 0; i < Group.SIZE; i++) {
            same &= a.incarnation(i) == b.incarnation(i);
        }
        return same;
    }

    /**
     * That membership must name this replica in sync. Where no majority remembers the log, what is known to be committed
     * must as well, for the newest may be a proposal that never came into force; unless its proposer has answered, and proposed
     * nothing else since: then it holds output back, as it does for every proposal, and the proposal may still be completed.
     */
    private boolean isFitBy(Membership m) {
        return isNamedIn(m) && isVoter(core.peers[core.self], inForce()) && (cold || rememberingMajority()
                || isNamedIn(inForce()) || m.equals(claims[core.leaderOf(m.view())]));
    }

    /**
     * Whether it is certain that no in-sync replica holds the guest any more: each has answered, and said so. Named in sync
     * by what is in force or by any newer proposal, for either may be what counts. With the promise of a view the answer is
     * good for ever: whoever gave it can get a guest only from the leader of a view that is not older. A member that answers
     * with another incarnation than the agreed one has lost its storage, and its guest long before.
     */
    private boolean isGuestLost() {
        return mayHold() == 0;
    }

    private int mayHold() {
        return mayHold(inForce()) | mayHold(newestPossible()) | mayHold(heard);
    }

    private int mayHold(Membership m) {
        int may = 0;
        for (Peer p : core.peers) {
            int bit = 1 << p.index;
            boolean silent = (answered & bit) == 0;
            boolean holds = (holding & bit) != 0 && m.incarnation(p.index) == incarnationOf(p) && isVoter(p, inForce());
            if (m.isInSync(p.index) && (silent || holds)) {
                may |= bit;
            }
        }
        return may;
    }

    private long incarnationOf(Peer p) {
        return p.index == core.self ? core.ballot.incarnation() : p.incarnation;
    }

    private boolean isVoter(Peer p, Membership m) {
        return m.isVoter(p.index) && m.incarnation(p.index) == incarnationOf(p);
    }

    private String waitingFor() {
        return String.join(" and ", core.group.names(mayHold())) + ", in sync, may hold the guest";
    }

    /**
     * The newest membership that may be in force. A proposal that too few voters have accepted, when all of those who have
     * not will never do so any more, is none: its proposer has not acted on it.
     */
    private Membership newestPossible() {
        Membership base = inForce();
        Membership found = base;
        for (Membership m : claims) {
            if (m != null && m.isNewerThan(found) && supporters(m, base) >= core.majorityOf(base)) {
                found = m;
            }
        }
        return found;
    }

    /** How many voters may have accepted this membership or a newer one. */
    private int supporters(Membership m, Membership base) {
        int n = 0;
        for (int i = 0; i < claims.length; i++) {
            // a voter that lost its storage may have accepted anything
            boolean against = (answered & 1 << i) != 0 && isVoter(core.peers[i], base) && claims[i] != null && m.isNewerThan(claims[i]);
            n += base.isVoter(i) && !against ? 1 : 0;
        }
        return n;
    }

    /** What is to be agreed on again: the newest membership by which this replica may lead. */
    private Membership confirmable() {
        Membership possible = newestPossible();
        Membership before = isFitBy(heard) || isFitBy(possible) ? null : unused();
        return isFitBy(heard) ? heard : before != null ? before : possible;
    }

    private boolean isNamedIn(Membership m) {
        return names(m, core.self, core.ballot.incarnation());
    }

    private void putMemberships(ByteBuffer to) {
        putMemberships(to, core.newestMembership());
    }

    private void putMemberships(ByteBuffer to, Membership newest) {
        Wire.putMembership(to, core.membershipInForce());
        Wire.putMembership(to, newest);
    }

    void onTakeover(Peer peer, long view, long now) {
        if (view != core.view() || core.leader != peer.index || core.state != State.NORMAL_FOLLOWER) {
            core.sendStatus(peer);
            return;
        }
        if (!core.host.canLead() || !mayStand()) {
            LOG.warn("{}: {} hands over, but this replica's guest cannot go on", core.name(), core.nameOf(peer.index));
            return;
        }
        prepare(TAKEOVER, now);
    }

    private void prepare(int flags, long now) {
        standsBy = stage == Stage.CANVASS ? confirmable() : core.newestMembership();
        begin(Stage.PREPARE);
        core.store(target);
        core.toViewChange("stands for view " + target, now);
        ask(MessageType.PREPARE, flags, target);
        leadIfReady(now);
    }

    void onPromise(Peer peer, int flags, long view, ByteBuffer message, long now) {
        if (stage != Stage.PREPARE || view != target || view != core.view()) {
            return;
        }
        long lastView = message.getLong();
        long last = message.getLong();
        long base = message.getLong();
        long baseView = message.getLong();
        long commit = message.getLong();
        Membership inForce = Wire.getMembership(message);
        Membership theirs = Wire.getMembership(message);
        learn(inForce, now);
        heardInForce = Memberships.newer(heardInForce, inForce);
        count(peer, flags, inForce, theirs);
        heardCommit = Math.max(heardCommit, commit);
        if ((flags & HAS_LOG) != 0 && !cold && isBetter(lastView, last)) {
            source = peer.index;
            sourceView = lastView;
            sourceLast = last;
            if ((following.needsBase() || isAhead(base, baseView)) && (core.isSuspended() || base <= core.delivered())) {
                // this log holds nothing that the other one lacks, and the guest here needs none of what lies between
                log.reset(base, baseView);
                core.memberships.dropPending();
                following.hasBase();
                core.commitTo(base);
            }
        }
        leadIfReady(now);
    }

    /** Whether a log that begins there cannot be joined to this one. */
    private boolean isAhead(long base, long baseView) {
        return base > core.commitIndex() && (base > log.last() || log.viewAt(base) != baseView);
    }

    /** Whether a log that ends so is better than this one, or than the one that is being taken over. */
    private boolean isBetter(long lastView, long last) {
        long myView = source >= 0 ? sourceView : log.lastView();
        long myLast = source >= 0 ? sourceLast : log.last();
        boolean none = source < 0 && following.needsBase();
        return none || lastView > myView || lastView == myView && last > myLast;
    }

    void onLog(Peer peer, int flags, long view, ByteBuffer message, long now) {
        if (stage != Stage.PREPARE || view != target || view != core.view() || peer.index != source) {
            return;
        }
        long prev = message.getLong();
        long prevView = message.getLong();
        int count = message.getInt();
        if (following.merge(prev, prevView, count, message, heardCommit) == Following.NO_MATCH) {
            giveUp("the log of " + core.nameOf(peer.index) + " begins after " + prev + ", this one ends at " + log.last(), now);
            return;
        }
        if ((flags & LAST) != 0) {
            source = -1;
            leadIfReady(now);
        }
    }

    private void leadIfReady(long now) {
        if (source >= 0 || !hasQuorum()) {
            return;
        }
        claims[core.self] = core.newestMembership();
        heard = Memberships.newer(heard, core.newestMembership());
        if (!cold && !core.host.canLead()) {
            giveUp("the guest here has failed meanwhile", now);
            return;
        }
        if (cold && !isGuestLost()) {
            if (Integer.bitCount(answered) == Group.SIZE) {
                giveUp(waitingFor(), now);
            }
            return; // the answer of the one that counts may still come
        }
        if (!isFit()) {
            if (Integer.bitCount(answered) == Group.SIZE) {
                giveUp(heard + " does not name this replica in sync", now);
            }
            return; // one who has not answered yet may know better
        }
        Membership chosen = confirmable();
        boolean unknownHere = chosen.isNewerThan(core.newestMembership());
        Membership inLog = core.memberships.pending();
        if (!cold && unknownHere && inLog != null && inLog.view() == chosen.view()) {
            core.memberships.learnCommitted(inLog); // its proposer began another change, which it does only when the one before is in force
        }
        if (!cold && unknownHere && core.memberships.pending() != null) {
            giveUp(chosen + " comes after a change that is not committed yet", now);
            return;
        }
        if (!cold && following.needsBase() && rememberingMajority()) {
            giveUp("no log was found that the guest here could go on with", now);
            return;
        }
        stage = Stage.NONE;
        core.store(target);
        following.hasBase();
        if (cold) {
            leadCold(chosen, now);
            return;
        }
        core.commitTo(Math.min(heardCommit, log.last()));
        Membership confirmed = null;
        boolean forgotten = !rememberingMajority();
        if (forgotten) {
            startCold();
        }
        if (forgotten || unknownHere || core.state == State.RECOVERING) {
            core.memberships.learnCommitted(heardInForce != null ? heardInForce : chosen);
            confirmed = core.memberships.pending() == null ? chosen : null;
        }
        core.transition(State.NORMAL_LEADER, "view " + target + " is promised by " + core.group.names(answered));
        inLog = core.memberships.pending();
        leadership.begin(now, null, confirmed, inLog != null && !isNamedIn(inLog) ? chosen.inSyncMask() : 0);
    }

    /**
     * The guest is booted here. Only this replica is in sync then, whatever another one may still hold; no entry of older
     * views is of use to anybody, so it does not matter who forgot them: what was durable is enough.
     */
    private void leadCold(Membership chosen, long now) {
        Membership base = inForce();
        core.ownGeneration(target, Math.max(Math.max(heardCommit, core.commitIndex()), log.base()), base);
        core.suspend();
        core.transition(State.NORMAL_LEADER, "view " + target + " is promised by " + core.group.names(answered));
        leadership.begin(now, "every member in sync has lost the guest", chosen.withInSync(target, core.group.me().bit()), 0);
    }

    /**
     * No majority remembers the log. What is known to be committed is kept; what comes after may have been overwritten by a
     * view that everybody forgot, and no guest has had it.
     */
    private void startCold() {
        long kept = Math.max(log.base(), Math.min(core.commitIndex(), log.last()));
        LOG.warn("{}: starts cold in view {}: a majority restarted and forgot the log; it goes on after entry {}", core.name(), target, kept);
        log.dropAfter(kept);
        core.memberships.dropAfter(kept);
        if (!core.isSuspended() && core.delivered() > kept) {
            // the guest's state was received, the log up to it was not yet: the log goes on after the guest's state, marked
            // by a view in which nobody else has an entry there
            log.reset(core.delivered(), target);
            core.commitTo(core.delivered());
        }
    }

    private void giveUp(String reason, long now) {
        LOG.warn("{}: gives up standing for view {}: {}", core.name(), target, reason);
        stage = Stage.NONE;
        onViewChange(now);
    }

    // ---- voter

    void onCanvass(Peer peer, int flags, long view, ByteBuffer message, long now) {
        if (core.state == State.NORMAL_LEADER && view > core.view()) {
            core.depose(peer, view, now);
        }
        int theirRound = message.getInt();
        long wanted = message.getLong();
        message.position(message.position() + 8 * 3);
        Wire.getMembership(message);
        Membership theirs = Wire.getMembership(message);
        if (core.state == State.FORMING && theirs != null) {
            core.transition(State.LEARNER, core.nameOf(peer.index) + " knows " + theirs + ": the group was formed without this incarnation");
        }
        String refusal = refusal(peer, flags, wanted, null, now);
        answer(peer, theirRound, refusal);
    }

    private int guestFlag() {
        return core.host.canLead() ? GUEST : 0;
    }

    private void answer(Peer peer, int theirRound, String refusal) {
        if (refusal != null) {
            LOG.info("{}: would not follow {}: {}", core.name(), core.nameOf(peer.index), refusal);
        }
        int flags = (refusal == null ? OK : 0) | (core.state.isVoting() ? REMEMBERS : 0) | guestFlag();
        ByteBuffer m = core.wire.begin(MessageType.CANVASS_REPLY, flags, core.view(), 4 + 8 + MEMBERSHIPS_BYTES);
        m.putInt(theirRound).putLong(Math.max(core.view(), core.highestViewHeard));
        putMemberships(m);
        core.send(peer, m);
    }

    /**
     * Why this member would not promise the view to that candidate, or null.
     *
     * @param theirs the membership by which the candidate thinks itself in sync, or null as long as it still asks
     */
    private String refusal(Peer peer, int flags, long wanted, Membership theirs, long now) {
        if (core.state == State.FORMING) {
            return "this member is in no group yet";
        }
        if (core.leaderOf(wanted) != peer.index) {
            return "view " + wanted + " is not its own";
        }
        if (wanted <= core.view()) {
            return "view " + core.view() + " is promised or entered, it wants " + wanted;
        }
        if (theirs != null && !names(Memberships.newer(core.membershipInForce(), theirs), peer)) {
            return "it is not in sync, " + core.membershipInForce() + " is in force";
        }
        if ((flags & GUEST) == 0 && core.host.canLead() && core.state.isVoting() && names(Memberships.newer(core.newestMembership(), theirs), core.self,
                core.ballot.incarnation())) {
            return "it holds no guest, and this replica does";
        }
        if ((flags & TAKEOVER) == 0 && hearsLeader(peer, now)) {
            return core.nameOf(core.leader) + " leads and is alive";
        }
        return null;
    }

    /** Whether that member may be right to think itself in sync; it finds out from the answers what counts. */
    private static boolean names(Membership m, Peer peer) {
        return names(m, peer.index, peer.incarnation);
    }

    private static boolean names(Membership m, int member, long incarnation) {
        return m != null && m.isInSync(member) && m.incarnation(member) == incarnation;
    }

    boolean hearsLeader(long now) {
        return core.leader >= 0 && now - leaderHeardNanos < patience(now);
    }

    private boolean hearsLeader(Peer candidate, long now) {
        if (core.state == State.NORMAL_LEADER) {
            return leadership.hasMajority(now);
        }
        return core.leader >= 0 && core.leader != candidate.index && now - leaderHeardNanos < patience(now);
    }

    void onPrepare(Peer peer, int flags, long view, ByteBuffer message, long now) {
        int theirRound = message.getInt();
        long wanted = message.getLong();
        long theirLastView = message.getLong();
        long theirLast = message.getLong();
        long theirCommit = message.getLong();
        Membership inForce = Wire.getMembership(message);
        Membership theirs = Wire.getMembership(message);
        String refusal = refusal(peer, flags, wanted, theirs, now);
        if (refusal != null) {
            answer(peer, theirRound, refusal);
            return;
        }
        learn(inForce, now);
        core.store(wanted);
        stage = Stage.NONE;
        core.toViewChange("promised to " + core.nameOf(peer.index), now);
        promise(peer, theirLastView, theirLast, theirCommit);
    }

    /** Tells what this log holds, and sends what the candidate lacks if this log is the better one. */
    private void promise(Peer peer, long theirLastView, long theirLast, long theirCommit) {
        // a learner's log, or what a recovering member has by now, is part of some leader's log: it counts for nothing, but
        // may be all that is left
        boolean hasLog = !following.needsBase();
        int flags = (core.state.isVoting() ? REMEMBERS : 0) | (hasLog ? HAS_LOG : 0) | guestFlag();
        ByteBuffer m = core.wire.begin(MessageType.PROMISE, flags, core.view(), 8 * 5 + MEMBERSHIPS_BYTES);
        m.putLong(log.lastView()).putLong(log.last()).putLong(log.base()).putLong(log.baseView()).putLong(core.commitIndex());
        putMemberships(m);
        core.send(peer, m);
        boolean better = log.lastView() > theirLastView || log.lastView() == theirLastView && log.last() > theirLast;
        if (!hasLog || !better) {
            return;
        }
        long prev = Math.max(theirCommit, log.base());
        do {
            int count = Wire.countFor(log, prev + 1, LOG_PIECE_BYTES);
            boolean last = prev + count == log.last();
            ByteBuffer piece = core.wire.begin(MessageType.LOG, last ? LAST : 0, core.view(),
                    8 * 2 + 4 + (int) log.bytesBetween(prev, prev + count));
            piece.putLong(prev).putLong(log.viewAt(prev)).putInt(count);
            Wire.putEntries(piece, log, prev + 1, count);
            core.send(peer, piece);
            prev += count;
        } while (prev < log.last());
    }
}
