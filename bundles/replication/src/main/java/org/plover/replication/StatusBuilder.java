package org.plover.replication;

import java.util.ArrayList;
import java.util.List;
import org.plover.api.group.Group;
import org.plover.api.group.Member;
import org.plover.api.status.EpochRecord;
import org.plover.api.status.MemberStatus;
import org.plover.api.status.Percentiles;
import org.plover.api.status.Role;
import org.plover.api.status.VmStatus;
import org.plover.replication.core.ReplicaCore;

/** Turns a loop's facts into what operators read. */
final class StatusBuilder {
    private StatusBuilder() {
    }

    static VmStatus build(GroupLoop loop, String hasher, String policy, String transport) {
        Group group = loop.group();
        GroupLoop.StatusView view = loop.status();
        if (view == null) {
            view = new GroupLoop.StatusView(new ReplicaCore.Snapshot("STARTING", "starting", -1, 0, 0), 0, -1, false, "STARTING", 0, 0);
        }
        List<MemberStatus> members = new ArrayList<>();
        boolean allConnected = true;
        for (Member m : group.members()) {
            boolean connected = loop.isConnected(m.index());
            allConnected &= connected;
            members.add(new MemberStatus(m.name(), m.kind().name().toLowerCase(), m.index() == group.self(), connected,
                    (view.inSyncMask() & m.bit()) != 0, loop.roundTripMicros(m.index())));
        }
        Role role = role(view.core().state());
        String broken = loop.broken();
        if (broken != null) {
            role = Role.FAILED;
        }
        boolean twoInSync = Integer.bitCount(view.inSyncMask()) == 2;
        boolean isProtected = twoInSync && allConnected && (role == Role.PRIMARY || role == Role.BACKUP || role == Role.WITNESS);
        EpochHistory history = loop.history();
        List<EpochRecord> epochs = history.since(0);
        long dirty = epochs.stream().mapToLong(EpochRecord::dirtyPages).sum();
        long same = epochs.stream().mapToLong(EpochRecord::samePages).sum();
        return new VmStatus(group.name(), group.me().name(), role, isProtected,
                broken != null ? broken : message(view, role, isProtected, twoInSync, group, loop),
                view.view(), view.leader() < 0 ? "" : group.member(view.leader()).name(), view.core().epoch(), members,
                loop.gate().heldFrames(), loop.gate().heldBytes(), view.logEntries(),
                dirty == 0 ? 0 : 100.0 * same / dirty,
                EpochHistory.of(epochs, r -> r.pauseMicros() / 1000.0),
                intervals(epochs),
                EpochHistory.of(epochs, EpochRecord::dirtyPages),
                EpochHistory.of(epochs, EpochRecord::transferredBytes),
                history.latencyMicros(), history.committed(), history.verified(), history.differing(),
                view.core().joinPercent(), hasher, policy, transport);
    }

    private static Percentiles intervals(List<EpochRecord> epochs) {
        return EpochHistory.of(epochs.stream().filter(r -> r.intervalMicros() > 0).toList(), r -> r.intervalMicros() / 1000.0);
    }

    private static Role role(String state) {
        return switch (state) {
            case "STARTING" -> Role.STARTING;
            case "TAKING_OVER", "SOLO", "PROTECTED" -> Role.PRIMARY;
            case "BACKUP" -> Role.BACKUP;
            case "LEARNER" -> Role.SYNCHRONISING;
            case "WITNESS" -> Role.WITNESS;
            case "UNSETTLED" -> Role.VIEW_CHANGE;
            default -> Role.FAILED;
        };
    }

    private static String message(GroupLoop.StatusView view, Role role, boolean isProtected, boolean twoInSync, Group group, GroupLoop loop) {
        List<String> away = group.members().stream().filter(m -> !loop.isConnected(m.index())).map(Member::name).toList();
        if (role == Role.STARTING && !away.isEmpty()) {
            return "waiting for " + String.join(" and ", away) + "; a group forms for the first time when all three members are there";
        }
        if (isProtected) {
            return "protected: the death of any one host is survived";
        }
        if (twoInSync && !away.isEmpty()) {
            return String.join(" and ", away) + " cannot be reached: one more failure would stop the service; bring it back";
        }
        if (view.core().joinPercent() >= 0) {
            return "not protected yet: a fresh backup is being brought in, " + view.core().joinPercent() + " %";
        }
        if (role == Role.PRIMARY && !away.isEmpty()) {
            return "not protected: " + String.join(" and ", away) + " cannot be reached; start the appliance there";
        }
        return view.core().message();
    }
}
