package org.plover.consensus.paxos;

import java.nio.ByteBuffer;
import org.plover.api.consensus.EntryType;
import org.plover.api.consensus.Membership;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a member does with a leader's messages: take its entries in order, acknowledge, ask for what is missing. */
final class Following {
    private static final Logger LOG = LoggerFactory.getLogger(Following.class);
    /** {@link #merge}: the entry before the first one is not in this log. */
    static final long NO_MATCH = -1;

    private final PaxosCore core;
    private final EntryLog log;
    /** The log does not begin anywhere yet. */
    private boolean needsBase;
    /** Length of the leader's log when it first spoke to this recovering member in its view. */
    private long recoverTarget = -1;
    /** The leader's time in the message that is being answered; it comes back with the acknowledgement. */
    private long answering;
    private long fetchedNanos = Long.MIN_VALUE / 2;

    Following(PaxosCore core) {
        this.core = core;
        this.log = core.log;
        this.needsBase = true;
    }

    boolean needsBase() {
        return needsBase;
    }

    /** The log that was there is of no use any more. */
    void forgetBase() {
        needsBase = true;
        recoverTarget = -1;
    }

    /** The log was begun by other means: by leading, or from a voter's log. */
    void hasBase() {
        needsBase = false;
    }

    void onAppend(Peer peer, long view, ByteBuffer message, long now, Election election) {
        if (!follow(peer, view, now, election)) {
            return;
        }
        answering = message.getLong();
        long leaderDeafNanos = message.getLong();
        if (core.state == State.NORMAL_FOLLOWER) {
            election.onLeaderDeaf(leaderDeafNanos, now);
        }
        long leaderCommit = message.getLong();
        long leaderBase = message.getLong();
        long leaderLast = message.getLong();
        long prevIndex = message.getLong();
        long prevView = message.getLong();
        int count = message.getInt();
        long matched = needsBase ? NO_MATCH : merge(prevIndex, prevView, count, message, leaderCommit);
        if (matched == NO_MATCH) {
            fetch(peer, now);
            return;
        }
        recover(matched, leaderLast);
        long commit = Math.min(leaderCommit, matched);
        // Leader and this member make the majority: what a voter accepts in its leader's view is committed at that moment,
        // and the backup need not wait for the leader to say so. An entry of this view commits what is before it.
        if (core.state == State.NORMAL_FOLLOWER && core.isVoterMyself() && core.isVoter(peer)
                && matched > log.base() && log.viewAt(matched) == view) {
            commit = Math.max(commit, matched);
        }
        core.commitTo(commit);
        learn();
        acknowledge(peer, matched);
        core.deliver();
        core.forgetUpTo(leaderBase);
    }

    void onSkip(Peer peer, long view, ByteBuffer message, long now, Election election) {
        if (!follow(peer, view, now, election)) {
            return;
        }
        answering = message.getLong();
        long leaderLast = message.getLong();
        long base = message.getLong();
        long baseView = message.getLong();
        Membership theirs = Wire.getMembership(message);
        moveBase(base, baseView);
        if (core.memberships.learnCommitted(theirs)) {
            core.store(core.view());
        }
        core.onBaseMoved();
        recover(base, leaderLast);
        learn();
        acknowledge(peer, Math.max(base, Math.min(core.commitIndex(), log.last())));
        core.deliver();
    }

    /** The log goes on after {@code base}; entries after it that belong to the same history are kept. */
    void moveBase(long base, long baseView) {
        boolean known = !needsBase && base >= log.base() && base <= log.last() && log.viewAt(base) == baseView;
        if (known) {
            core.commitTo(base);
            core.deliver();
            log.dropUpTo(base);
        } else if (needsBase || base > log.base()) {
            if (!needsBase && base <= core.commitIndex()) {
                throw new IllegalStateException(core.name() + ": entry " + base + " is committed here in view " + log.viewAt(base)
                        + " and forgotten elsewhere in view " + baseView + " (committed entries never change)");
            }
            log.reset(base, baseView);
            core.memberships.dropPending();
        }
        needsBase = false;
    }

    /**
     * Whether that leader's message is of the view this member is in, or brings it into that view: durable before
     * anything of it is acted upon.
     */
    private boolean follow(Peer peer, long view, long now, Election election) {
        if (view < core.view()) {
            core.sendStatus(peer);
            return false;
        }
        if (core.leaderOf(view) != peer.index) {
            throw new IllegalStateException(core.name() + ": " + core.nameOf(peer.index) + " leads view " + view + ", which belongs to "
                    + core.nameOf(core.leaderOf(view)) + " (S1)");
        }
        if (view > core.view() || core.leader != peer.index) {
            enter(peer, view);
        }
        peer.silence.heard(now, core.settings());
        election.onLeaderHeard(now);
        return true;
    }

    private void enter(Peer peer, long view) {
        if (core.isOfOlderGeneration(view)) {
            core.beginGeneration(core.nameOf(peer.index), view);
        }
        core.store(view);
        core.endLeading();
        core.leader = peer.index;
        for (Peer p : core.peers) {
            p.silence.end();
        }
        recoverTarget = -1;
        fetchedNanos = Long.MIN_VALUE / 2;
        String reason = "follows " + core.nameOf(peer.index);
        if (core.state == State.FORMING) {
            core.transition(State.LEARNER, reason);
        } else if (core.state.isVoting()) {
            core.transition(State.NORMAL_FOLLOWER, reason);
        }
        core.host.onFollowing(view, peer.index);
    }

    /**
     * Puts entries after {@code prevIndex} in place if the entry there is the sender's: ours that the sender has too stay,
     * the first one that differs goes with all after it. Used for a leader's entries, and for those of a voter whose log is
     * the better one; in both cases an entry that goes cannot have been committed, for the sender's log would have it. Any
     * part of a better log that has been taken over is safe to keep should the rest never come.
     *
     * @return index up to which this log equals the sender's, or {@link #NO_MATCH}
     */
    long merge(long prevIndex, long prevView, int count, ByteBuffer message, long senderCommit) {
        if (prevIndex > log.last()) {
            return NO_MATCH;
        }
        if (prevIndex >= log.base() && log.viewAt(prevIndex) != prevView) {
            mayDiffer(prevIndex, prevView);
            return NO_MATCH;
        }
        boolean membershipChanged = false;
        long index = prevIndex;
        int end = message.limit();
        for (int i = 0; i < count; i++) {
            long view = message.getLong();
            EntryType type = Wire.type(message.get());
            int length = message.getInt();
            int next = message.position() + length;
            index++;
            if (index > log.base() && (index > log.last() || log.viewAt(index) != view)) {
                if (index <= log.last()) {
                    mayDiffer(index, view);
                    log.dropAfter(index - 1);
                    membershipChanged |= core.memberships.dropAfter(index - 1);
                }
                message.limit(next);
                if (type == EntryType.MEMBERSHIP) {
                    // the sender knows that an older change is committed before it begins another
                    core.commitTo(Math.min(senderCommit, index - 1));
                    core.memberships.accept(Membership.decode(message.slice()), index);
                    membershipChanged = true;
                }
                log.append(view, type, message);
                message.limit(end);
            }
            message.position(next);
        }
        if (membershipChanged) {
            core.store(core.view());
        }
        return index;
    }

    private void mayDiffer(long index, long view) {
        if (index <= core.commitIndex()) {
            throw new IllegalStateException(core.name() + ": entry " + index + " is committed here in view " + log.viewAt(index)
                    + " and differs elsewhere in view " + view + " (committed entries never change)");
        }
    }

    /**
     * A restarted voter counts again when it has the whole log that the leader had when it first spoke to it. One leader's
     * word is enough, where the original protocol asks a majority, because the view is durable: every entry this member
     * acknowledged it took in a view not above its durable one, and this leader's view is not below that. If it is the
     * same view, the entry came from this very leader, which has not restarted since (it would not lead). If it is a higher
     * one, the entry, when committed, was in the log of a voter that promised the leader its view. So the leader's log holds
     * every committed entry that this member ever vouched for.
     */
    private void recover(long matched, long leaderLast) {
        if (core.state != State.RECOVERING) {
            return;
        }
        if (recoverTarget < 0) {
            recoverTarget = leaderLast;
        }
        if (matched >= recoverTarget) {
            if (core.isVoterMyself()) {
                core.transition(State.NORMAL_FOLLOWER, "has the leader's log up to " + matched);
            } else {
                core.transition(State.LEARNER, "the group went on without this incarnation");
            }
        }
    }

    /** A learner counts from the commitment of a membership that names it. It never forgot anything, so it may vote with what it has. */
    private void learn() {
        if (core.state == State.LEARNER && core.isVoterMyself()) {
            core.transition(State.NORMAL_FOLLOWER, core.memberships.committed() + " names this incarnation");
        }
    }

    private void acknowledge(Peer peer, long matched) {
        sendAck(peer, core.state == State.NORMAL_FOLLOWER ? Leadership.VOTING : 0, matched);
    }

    /** Asks for entries, once per heartbeat: what is on the way when a gap is found does not match either. */
    private void fetch(Peer peer, long now) {
        int flags = core.state == State.NORMAL_FOLLOWER ? Leadership.VOTING : 0;
        long from = Math.min(core.commitIndex(), log.last());
        if (now - fetchedNanos < core.settings().heartbeatNanos()) {
            return;
        }
        fetchedNanos = now;
        LOG.debug("{}: asks {} for entries after {}", core.name(), core.nameOf(peer.index), from);
        sendAck(peer, flags | Leadership.FETCH | (needsBase ? Leadership.NEEDS_BASE : 0), from);
    }

    private void sendAck(Peer peer, int flags, long index) {
        ByteBuffer m = core.wire.begin(MessageType.ACK, flags, core.view(), 8 + 8);
        core.send(peer, m.putLong(index).putLong(answering));
    }
}
