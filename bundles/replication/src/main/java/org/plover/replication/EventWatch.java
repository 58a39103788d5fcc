package org.plover.replication;

import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.plover.api.group.Group;
import org.plover.api.status.EpochRecord;
import org.plover.api.status.Role;
import org.plover.replication.GroupLoop.StatusView;
import org.plover.replication.StatusBuilder.Facts;

/**
 * Turns what has changed from one look at the member's state to the next into events. The pure core is only looked at: what it
 * passes through between two looks is not told. On the loop's thread only.
 */
final class EventWatch {
    /** A leader that was heard this recently has given the guest away; one that died is not missed before that. */
    private static final long ALIVE_MILLIS = 100;
    /** An epoch whose end takes longer keeps clients waiting; see {@link Slowness}. */
    private static final long SLOW_MICROS = 300_000;
    private static final long SLOW_EVERY_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final Group group;
    private final EventLog events;
    private Role role = Role.STARTING;
    private String state = "STARTING";
    private boolean wasProtected;
    private boolean joining;
    /** The last leader seen and the view it led, and how long it was silent at most since it is not the leader any more. */
    private int leader = -1;
    private long leaderView;
    private long silentMillis;
    /** From this member's taking the lead until it serves: why it does, or null. */
    private Change taking;
    private boolean slowTold;
    private long slowToldNanos;
    private int slowUntold;

    /** The lead went from one member to another. */
    private record Change(int former, boolean handedOver, long silentMillis) {
    }

    EventWatch(Group group, EventLog events) {
        this.group = group;
        this.events = events;
    }

    /** @param connected mask of the members that can be reached, with this one */
    void observe(StatusView view, int connected) {
        noteLeader(view, connected);
        String newState = view.core().state();
        Role newRole = StatusBuilder.role(newState);
        if (newState.equals("SOLO") && !state.equals("SOLO") && !state.equals("PROTECTED")) {
            onServing(view);
        } else if (newRole != role && newRole != Role.PRIMARY) {
            onRole(newRole, view);
        }
        state = newState;
        role = newRole;
        boolean nowJoining = view.core().joinPercent() >= 0;
        if (nowJoining && !joining) {
            events.add("synchronising", peer() + " is being brought in: it gets a copy of the guest while that runs");
        }
        joining = nowJoining;
        Facts facts = new Facts(group, view, newRole, connected, view.takenNanos());
        boolean leaving = newState.equals("PROTECTED") && !facts.twoInSync(); // being agreed on: the core's message is still the old one
        if (facts.isProtected() != wasProtected && !leaving) {
            wasProtected = !wasProtected;
            String message = StatusBuilder.message(facts, "");
            if (wasProtected) {
                events.info("protected", message);
            } else {
                events.warn("unprotected", message);
            }
        }
    }

    private void noteLeader(StatusView view, int connected) {
        if (view.leader() != leader && leader >= 0 && leader != group.self()) {
            long heard = view.heardNanos()[leader];
            silentMillis = heard == Long.MIN_VALUE ? silentMillis
                    : Math.max(silentMillis, TimeUnit.NANOSECONDS.toMillis(view.takenNanos() - heard));
        }
        if (view.leader() < 0 || view.view() == leaderView) {
            return;
        }
        Change change = leader < 0 || leader == view.leader() ? null
                : new Change(leader, leader == group.self() || (connected & 1 << leader) != 0 && silentMillis < ALIVE_MILLIS, silentMillis);
        if (view.leader() == group.self()) {
            taking = change;
        } else if (change != null) {
            events.info(kind(change), name(view.leader()) + " leads view " + view.view() + " now; " + name(change.former) + " led view "
                    + leaderView);
        } else if (leader >= 0) {
            events.info("view-changed", name(view.leader()) + " leads again, in view " + view.view());
        }
        leader = view.leader();
        leaderView = view.view();
        silentMillis = 0;
    }

    private void onServing(StatusView view) {
        String serves = name(group.self()) + " leads view " + view.view() + " and serves the guest";
        if (taking == null) {
            events.info("role-changed", serves);
        } else {
            events.info(kind(taking), serves + "; " + name(taking.former) + (taking.handedOver ? " handed it over"
                    : " was not heard of for " + taking.silentMillis + " ms"));
        }
        taking = null;
    }

    private static String kind(Change change) {
        return change.handedOver ? "handover" : "failover";
    }

    private void onRole(Role now, StatusView view) {
        String me = name(group.self());
        String leads = view.leader() < 0 ? "" : name(view.leader()) + " leads view " + view.view();
        String text = switch (now) {
            case BACKUP -> me + " is in sync and could take over; " + leads;
            case SYNCHRONISING -> me + " holds no guest that could take over and has to be brought in: " + view.core().message();
            case WITNESS -> me + " is the witness; " + leads;
            case VIEW_CHANGE -> me + " takes part in a vote on who leads: " + view.core().message();
            case FAILED -> me + " cannot go on: " + view.core().message();
            default -> me + " is " + now.name().toLowerCase(Locale.ROOT);
        };
        if (now == Role.FAILED) {
            events.warn("failed", text);
        } else {
            events.info("role-changed", text);
        }
    }

    /** An epoch has been committed here. Slow ones mostly come in rows: one now and then stands for all. */
    void onEpoch(EpochRecord epoch, long nowNanos) {
        if (epoch.commitMicros() + epoch.applyMicros() < SLOW_MICROS) {
            return;
        }
        if (slowTold && nowNanos - slowToldNanos < SLOW_EVERY_NANOS) {
            slowUntold++;
            return;
        }
        events.info("epoch-slow", "epoch " + epoch.epoch() + " took " + (epoch.commitMicros() + epoch.applyMicros()) / 1000
                + " ms: the guest stood still for " + epoch.pauseMicros() / 1000 + " ms, " + peer() + " had it after "
                + epoch.commitMicros() / 1000 + " ms and ran on " + epoch.applyMicros() / 1000 + " ms later; " + epoch.dirtyPages()
                + " pages were written, " + (epoch.transferredBytes() >> 10) + " KiB were sent"
                + (slowUntold == 0 ? "" : "; " + slowUntold + " more like it since the last one told"));
        slowTold = true;
        slowToldNanos = nowNanos;
        slowUntold = 0;
    }

    private String peer() {
        return name(group.otherReplica().index());
    }

    private String name(int member) {
        return group.member(member).name();
    }
}
