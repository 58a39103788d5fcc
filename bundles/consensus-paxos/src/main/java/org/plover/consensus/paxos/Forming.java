package org.plover.consensus.paxos;

import java.nio.ByteBuffer;
import org.plover.api.consensus.Membership;
import org.plover.api.group.Group;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The group's first view. The first replica offers a membership to two members that say they never were in a group; it
 * leads when one of them has stored it. It stores view 1 itself only then, and last: as long as its own storage says that
 * it knows no view, the guest was never booted, and the forming can be begun again, with other incarnations if need be.
 * From the moment its own record is durable, a majority of the members can be found that know of the group, so no second
 * one can form.
 */
final class Forming {
    static final long FIRST_VIEW = 1;
    private static final Logger LOG = LoggerFactory.getLogger(Forming.class);

    private final PaxosCore core;
    private Membership offer;
    private long offeredNanos;

    Forming(PaxosCore core) {
        this.core = core;
    }

    /** Until both others have been heard from, each says on and on where it stands. */
    void onTick(long now) {
        if (now - offeredNanos < core.settings().heartbeatNanos()) {
            return;
        }
        offeredNanos = now;
        for (Peer p : core.peers) {
            if (p.connected) {
                core.sendStatus(p);
            }
        }
        offer();
    }

    void onStatus(Peer peer, long view, Membership theirs, long now) {
        if (core.state != State.FORMING) {
            return;
        }
        peer.unformed = view == 0 || isUnfinished(view, theirs);
        if (view > FIRST_VIEW || view == FIRST_VIEW && isFirst() && !peer.unformed) {
            core.transition(State.LEARNER, core.nameOf(peer.index) + " is in view " + view
                    + ": the group was formed without this incarnation");
        }
    }

    /**
     * A peer stored the offer of this very incarnation. This member's own record knows no view, so it never led: what the
     * peer stored may be replaced.
     */
    private boolean isUnfinished(long view, Membership theirs) {
        return isFirst() && view == FIRST_VIEW && theirs != null && theirs.version() == 0
                && theirs.incarnation(core.self) == core.ballot.incarnation();
    }

    private boolean isFirst() {
        return core.group.firstReplica().index() == core.self;
    }

    private void offer() {
        if (!isFirst() || core.state != State.FORMING) {
            return;
        }
        long[] incarnations = new long[Group.SIZE];
        for (Peer p : core.peers) {
            if (p.index == core.self) {
                incarnations[p.index] = core.ballot.incarnation();
            } else if (p.connected && p.unformed) {
                incarnations[p.index] = p.incarnation;
            } else {
                return;
            }
        }
        offer = new Membership(FIRST_VIEW, 0, core.group.me().bit(), Membership.ALL, 0, incarnations);
        for (Peer p : core.peers) {
            if (p.index != core.self) {
                ByteBuffer m = core.wire.begin(MessageType.FORM, 0, core.ballot.view(), 1 + Membership.BYTES);
                Wire.putMembership(m, offer);
                core.send(p, m);
            }
        }
    }

    void onForm(Peer peer, ByteBuffer message, long now) {
        Membership theirs = Wire.getMembership(message);
        Membership stored = core.ballot.membership();
        boolean untouched = core.ballot.view() == 0 || core.ballot.view() == FIRST_VIEW && stored != null && stored.version() == 0
                && stored.incarnation(peer.index) == peer.incarnation;
        if (peer.index != core.group.firstReplica().index() || !untouched || core.leader >= 0
                || theirs.incarnation(core.self) != core.ballot.incarnation()) {
            core.sendStatus(peer);
            return;
        }
        core.ballot.store(FIRST_VIEW, null, theirs);
        ByteBuffer m = core.wire.begin(MessageType.FORM_ACK, 0, FIRST_VIEW, 1 + Membership.BYTES);
        Wire.putMembership(m, theirs);
        core.send(peer, m);
    }

    void onFormAck(Peer peer, ByteBuffer message, long now, Leadership leadership) {
        Membership theirs = Wire.getMembership(message);
        if (core.state != State.FORMING || !theirs.equals(offer) || peer.incarnation != offer.incarnation(peer.index)) {
            return;
        }
        core.ballot.store(FIRST_VIEW, offer, offer);
        core.memberships.learnCommitted(offer);
        core.ownsLog();
        core.resumeAfter(0);
        LOG.info("{}: the group is formed, {}", core.name(), offer);
        core.transition(State.NORMAL_LEADER, core.nameOf(peer.index) + " has stored view 1");
        core.host.onColdStart("the group is formed");
        leadership.beginFirst(now);
    }
}
