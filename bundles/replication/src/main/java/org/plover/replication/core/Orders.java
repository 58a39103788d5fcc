package org.plover.replication.core;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.plover.api.consensus.Membership;
import org.plover.api.group.Member;
import org.plover.api.group.MemberKind;
import org.plover.api.status.DiskVerifyReport;
import org.plover.api.status.VerifyReport;

/** What operators ask of a replica, from the request to the sentence that tells how it went. */
final class Orders {
    private static final long HAND_OVER_NANOS_MAX = TimeUnit.SECONDS.toNanos(3);

    private final ReplicaCore core;
    private CompletableFuture<String> switchover;
    private long handOverSinceNanos;
    private CompletableFuture<String> membership;
    private int member;
    private boolean leave;
    private boolean proposed;

    Orders(ReplicaCore core) {
        this.core = core;
    }

    // ---- verify and switchover

    void verify(CompletableFuture<VerifyReport> request) {
        if (core.state() != ReplicaState.PROTECTED) {
            refuse(request, notProtected("compare memory"));
        } else {
            core.primary.requestVerify(request);
        }
    }

    void verifyDisks(CompletableFuture<DiskVerifyReport> request) {
        if (core.state() != ReplicaState.PROTECTED) {
            refuse(request, notProtected("compare disks"));
        } else if (!core.guest.hasDisks()) {
            refuse(request, "this guest has no disks");
        } else {
            core.primary.disks().begin(request);
        }
    }

    /** Whether the length of a disk may be changed now; otherwise the request has been refused. */
    boolean mayGrow(CompletableFuture<String> request) {
        boolean may = core.state() == ReplicaState.PROTECTED && !core.isRemoving() && switchover == null;
        if (!may) {
            refuse(request, switchover != null ? "a switchover is under way; wait until it is done" : notProtected("change a disk's length"));
        }
        return may;
    }

    void switchover(CompletableFuture<String> request) {
        if (core.state() != ReplicaState.PROTECTED || core.isRemoving()) {
            refuse(request, notProtected("switch over"));
        } else if (switchover != null) {
            refuse(request, "a switchover is already under way");
        } else {
            switchover = request;
            handOverSinceNanos = 0;
            core.primary.requestHandOver(true);
        }
    }

    /** The backup has the state of the epoch that was ended to hand over. */
    void onPeerApplied(long nowNanos) {
        if (switchover != null && handOverSinceNanos == 0 && core.primary.endedForHandOver()) {
            core.fx.log("handing the guest over to " + core.peerName());
            handOverSinceNanos = nowNanos;
            core.consensus.handOver(core.peer, nowNanos);
        }
    }

    void onFollowing(long view, String leader) {
        if (switchover != null) {
            switchover.complete(leader + " leads view " + view + " and serves the guest now");
            switchover = null;
            core.primary.requestHandOver(false);
        }
        failMembership(leader + " leads now; give the order there");
    }

    void failSwitchover(String why) {
        if (switchover != null) {
            refuse(switchover, "no switchover was made: " + why + "; this replica goes on serving");
            switchover = null;
            handOverSinceNanos = 0;
            core.primary.requestHandOver(false);
        }
    }

    // ---- who is a member

    void leave(String name, CompletableFuture<String> request) {
        Member m = accept(name, "take out", request);
        if (m == null) {
            return;
        }
        if (core.consensus.membership().hasLeft(m.index())) {
            request.complete(name + " had left already; plover join " + name + " brings it back");
            return;
        }
        begin(m, true, request);
    }

    void join(String name, CompletableFuture<String> request) {
        Member m = accept(name, "bring back", request);
        if (m == null) {
            return;
        }
        if (!core.consensus.membership().hasLeft(m.index())) {
            request.complete(name + " has not left; it comes back by itself as soon as it can be reached");
            return;
        }
        begin(m, false, request);
    }

    private Member accept(String name, String what, CompletableFuture<String> request) {
        if (!core.servesInputs()) {
            refuse(request, "cannot " + what + " " + name + " here: this member is not the primary" + leaderHint());
            return null;
        }
        if (membership != null) {
            refuse(request, "another change of the members is under way; wait until it is done");
            return null;
        }
        for (Member m : core.group.members()) {
            if (m.name().equals(name)) {
                if (m.index() == core.group.self()) {
                    refuse(request, name + " is the primary: make the backup the primary first (plover switchover), then give the order there");
                    return null;
                }
                return m;
            }
        }
        refuse(request, "there is no member " + name + "; the members are " + String.join(", ", core.group.names(Membership.ALL)));
        return null;
    }

    private void begin(Member m, boolean isLeave, CompletableFuture<String> request) {
        membership = request;
        member = m.index();
        leave = isLeave;
        proposed = false;
    }

    /** Proposes what is asked as soon as no other proposal is under way. */
    void onTick(long nowNanos) {
        if (switchover != null && handOverSinceNanos != 0 && nowNanos - handOverSinceNanos > HAND_OVER_NANOS_MAX) {
            core.guest.resume();
            core.releaseInputs();
            failSwitchover(core.peerName() + " did not take over within " + HAND_OVER_NANOS_MAX / 1_000_000 + " ms; look at its log");
        }
        if (membership == null || proposed || !core.servesInputs() || !core.mayChangeMembers(leave && member == core.peer)) {
            return;
        }
        Membership now = core.consensus.membership();
        long view = core.consensus.view();
        try {
            proposed = core.consensus.proposeMembership(leave ? now.without(view, member) : now.readmitting(view, member), nowNanos) > 0;
        } catch (IllegalStateException e) {
            refuse(membership, core.group.member(member).name() + " cannot leave now: " + e.getMessage());
            membership = null;
            core.removalRefused();
        }
    }

    /** A membership has been agreed. */
    void onAgreed(Membership agreed) {
        if (membership == null || !proposed || agreed.hasLeft(member) != leave) {
            return;
        }
        String name = core.group.member(member).name();
        String said = leave
                ? name + " has left: it neither votes nor is synchronised any more; votes are those of "
                        + String.join(" and ", core.group.names(agreed.voterMask()))
                : name + " may come back: it votes and is synchronised as soon as it can be reached";
        core.fx.warn(said);
        membership.complete(said);
        membership = null;
    }

    void failMembership(String why) {
        if (membership != null) {
            refuse(membership, "the change of the members is not known to be agreed: " + why);
            membership = null;
        }
    }

    // ---- loss of the majority

    void forcePrimary(String confirmation, long nowNanos, CompletableFuture<String> request) {
        String refusal = core.group.me().kind() == MemberKind.WITNESS ? "a witness has no guest; give the order to a replica"
                : !core.group.name().equals(confirmation) ? "the confirmation must be the name of the VM, " + core.group.name()
                : !core.canLead() && !core.canColdStart() ? "this member's guest is not ready: " + core.snapshot().message() : null;
        if (refusal != null) {
            refuse(request, refusal + "; nothing has been changed");
            return;
        }
        boolean held = core.canLead();
        try {
            core.consensus.forceLead(nowNanos);
        } catch (IllegalStateException e) {
            refuse(request, e.getMessage());
            return;
        }
        String said = core.group.me().name() + " was made the primary by force and serves alone, in view " + core.consensus.view() + "; "
                + (held ? "its guest goes on with what it had, output that another member released since is not known to it"
                        : "it held no guest, so the guest boots: what was in its memory is lost")
                + "; whatever the other members served meanwhile is discarded when they come back";
        core.fx.warn(said);
        request.complete(said);
    }

    // ---- words

    private static void refuse(CompletableFuture<?> request, String why) {
        request.completeExceptionally(new IllegalStateException(why));
    }

    private String notProtected(String what) {
        return core.state().leads()
                ? "cannot " + what + ": no backup is in sync at the moment; wait until plover status says that the guest is protected"
                : "cannot " + what + " here: this member is not the primary" + leaderHint();
    }

    private String leaderHint() {
        return core.consensus.leader() >= 0 ? ", " + core.group.member(core.consensus.leader()).name() + " is" : "";
    }
}
