package org.plover.replication;

import java.time.LocalTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.plover.api.consensus.Membership;
import org.plover.api.group.Group;
import org.plover.api.group.Member;
import org.plover.api.status.EpochRecord;
import org.plover.api.status.MemberStatus;
import org.plover.api.status.Percentiles;
import org.plover.api.status.Role;
import org.plover.api.status.VmStatus;
import org.plover.api.transport.Lane;
import org.plover.replication.core.ReplicaCore;

/** Turns a loop's facts into what operators read. */
final class StatusBuilder {
    /** Longer than any pause or view change of a healthy group; from then on silence is worth a word. */
    static final long SILENCE_MILLIS = 1000;
    /** Output waits some hundred milliseconds for its epoch as a rule. */
    static final long HELD_MILLIS = 2000;
    /** A guest that keeps up leaves no more than a few frames. */
    static final long BACKLOG_BYTES = 256 << 10;

    private static final long[] NEVER = {Long.MIN_VALUE, Long.MIN_VALUE, Long.MIN_VALUE};
    private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT);

    /**
     * What is known of a group at one moment.
     *
     * @param now       of {@link System#nanoTime}
     * @param connected mask of the members that can be reached, with this one
     */
    record Facts(Group group, GroupLoop.StatusView view, Role role, int connected, long now) {
        static final Membership NOBODY = new Membership(0, 0, 0, Membership.ALL, 0, new long[Group.SIZE]);

        Membership membership() {
            return view.membership() == null ? NOBODY : view.membership();
        }

        boolean isConnected(Member m) {
            return (connected & m.bit()) != 0;
        }

        boolean twoInSync() {
            return Integer.bitCount(membership().inSyncMask()) == 2;
        }

        boolean everybodyVotes() {
            return membership().voterMask() == Membership.ALL;
        }

        /** Members away that are meant to be here. */
        List<String> missing() {
            return names(m -> !isConnected(m) && !membership().hasLeft(m.index()));
        }

        List<String> left() {
            return names(m -> membership().hasLeft(m.index()));
        }

        List<String> names(Predicate<Member> which) {
            return group.members().stream().filter(which).map(Member::name).toList();
        }

        /** Whether this member can reach a majority of those that vote. */
        boolean reachesMajority() {
            return Integer.bitCount(membership().voterMask() & connected) >= membership().majority();
        }

        long quorumMillis() {
            return role == Role.PRIMARY ? millisSince(view.quorumNanos()) : -1;
        }

        long heardMillis(int member) {
            return member == group.self() ? 0 : millisSince(view.heardNanos()[member]);
        }

        /** As {@link #heardMillis}, by whatever word of it: followers have little to say to each other. */
        long seenMillis(int member) {
            return (connected & 1 << member) != 0 ? 0 : millisSince(Math.max(view.heardNanos()[member], view.lostNanos()[member]));
        }

        private long millisSince(long nanos) {
            return nanos == Long.MIN_VALUE ? -1 : Math.max(0, TimeUnit.NANOSECONDS.toMillis(now - nanos));
        }

        /** How long this member, as the primary, has had no majority, in milliseconds; 0 if it has one. */
        long cutOffMillis() {
            if (role != Role.PRIMARY) {
                return 0;
            }
            long quorum = quorumMillis();
            if (quorum > SILENCE_MILLIS || reachesMajority()) {
                return quorum > SILENCE_MILLIS ? quorum : 0;
            }
            long away = group.members().stream().filter(m -> !isConnected(m) && membership().isVoter(m.index()))
                    .mapToLong(m -> seenMillis(m.index())).filter(millis -> millis >= 0).min().orElse(0);
            return Math.max(1, Math.max(quorum, away));
        }

        /** How long the leader has not been heard by a follower, in milliseconds; 0 if that is as it should be. */
        long leaderSilentMillis() {
            boolean follows = role == Role.BACKUP || role == Role.WITNESS || role == Role.SYNCHRONISING;
            long heard = follows && view.leader() >= 0 ? heardMillis(view.leader()) : 0;
            return heard > SILENCE_MILLIS ? heard : 0;
        }

        boolean isProtected() {
            return twoInSync() && everybodyVotes() && connected == Membership.ALL && cutOffMillis() == 0 && leaderSilentMillis() == 0
                    && (role == Role.PRIMARY || role == Role.BACKUP || role == Role.WITNESS);
        }

        String leader() {
            return view.leader() < 0 ? "" : group.member(view.leader()).name();
        }
    }

    private StatusBuilder() {
    }

    static VmStatus build(GroupLoop loop, String hasher, String policy, String transport) {
        Group group = loop.group();
        long now = System.nanoTime();
        GroupLoop.StatusView view = loop.status();
        if (view == null) {
            view = new GroupLoop.StatusView(new ReplicaCore.Snapshot("STARTING", "starting", -1, 0, 0), 0, -1, false, "STARTING", null,
                    0, now, Long.MIN_VALUE, NEVER, NEVER);
        }
        int connected = 0;
        for (Member m : group.members()) {
            connected |= loop.isConnected(m.index()) ? m.bit() : 0;
        }
        String broken = loop.broken();
        Facts facts = new Facts(group, view, broken != null ? Role.FAILED : role(view.core().state()), connected, now);
        long oldest = loop.gate().oldestHeldNanos();
        long heldMillis = oldest == 0 ? 0 : Math.max(0, TimeUnit.NANOSECONDS.toMillis(now - oldest));
        EpochHistory history = loop.history();
        List<EpochRecord> epochs = history.since(0);
        long dirty = epochs.stream().mapToLong(EpochRecord::dirtyPages).sum();
        long same = epochs.stream().mapToLong(EpochRecord::samePages).sum();
        String slowed = facts.role() == Role.PRIMARY && facts.twoInSync() && facts.cutOffMillis() == 0
                ? loop.slowness().judge(new Slowness.Figures(history.endedAfter(now - Slowness.WINDOW_NANOS), heldMillis,
                        view.core().backlogBytes(), loop.waitingInputBytes(), loop.outboxBytes(Lane.CONTROL), loop.outboxBytes(Lane.BULK)))
                : "";
        return new VmStatus(group.name(), group.me().name(), facts.role(), facts.isProtected(),
                broken != null ? broken : message(facts, slowed), slowed, broken != null ? List.of() : notes(facts, loop.gate().droppedFrames(), heldMillis, loop.troubles()),
                view.view(), facts.leader(), view.core().epoch(), members(facts, loop),
                loop.gate().heldFrames(), loop.gate().heldBytes(), heldMillis, view.core().backlogBytes(), facts.quorumMillis(),
                view.logEntries(),
                dirty == 0 ? 0 : 100.0 * same / dirty,
                EpochHistory.of(epochs, r -> r.pauseMicros() / 1000.0),
                intervals(epochs),
                EpochHistory.of(epochs, EpochRecord::dirtyPages),
                EpochHistory.of(epochs, EpochRecord::transferredBytes),
                history.latencyMicros(), history.committed(), history.verified(), history.differing(),
                view.core().joinPercent(), hasher, policy, transport);
    }

    private static List<MemberStatus> members(Facts facts, GroupLoop loop) {
        List<MemberStatus> members = new ArrayList<>();
        Membership membership = facts.membership();
        for (Member m : facts.group().members()) {
            members.add(new MemberStatus(m.name(), m.kind().name().toLowerCase(Locale.ROOT), m.index() == facts.group().self(),
                    facts.isConnected(m), membership.isInSync(m.index()), membership.isVoter(m.index()), membership.hasLeft(m.index()),
                    facts.seenMillis(m.index()), loop.roundTripMicros(m.index())));
        }
        return members;
    }

    private static Percentiles intervals(List<EpochRecord> epochs) {
        return EpochHistory.of(epochs.stream().filter(r -> r.intervalMicros() > 0).toList(), r -> r.intervalMicros() / 1000.0);
    }

    static Role role(String state) {
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

    /** The one sentence: what keeps this guest from being protected, the worst first, or that nothing does. */
    static String message(Facts facts, String slowed) {
        String message = message(facts);
        return facts.isProtected() && !slowed.isEmpty() ? "protected, but clients are slowed: " + slowed
                + "; if it lasts, 'plover epochs' shows where the time goes" : message;
    }

    private static String message(Facts facts) {
        Role role = facts.role();
        List<String> missing = facts.missing();
        Membership membership = facts.membership();
        if (role == Role.FAILED) {
            return facts.view().core().message();
        }
        if (membership.hasLeft(facts.group().self())) {
            return "this member was taken out of the group (plover leave); 'plover join " + facts.group().me().name()
                    + "' on the primary brings it back";
        }
        if (facts.cutOffMillis() > 0) {
            return "no majority can be reached " + since(facts.cutOffMillis()) + ": output is held and no input is taken; "
                    + (missing.isEmpty() ? "" : "bring back " + String.join(" or ", missing) + ", or the link to it; ")
                    + "the others may have gone on without this member: see 'plover status' there";
        }
        if (role == Role.STARTING && !missing.isEmpty()) {
            return facts.view().membership() == null
                    ? "waiting for " + and(missing) + "; a group forms for the first time when all three members are there"
                    : "waiting for " + and(missing) + ", to find out who holds the guest; start the appliance there";
        }
        if (facts.isProtected()) {
            return "protected: the death of any one host is survived";
        }
        if (facts.leaderSilentMillis() > 0) {
            return "the primary " + facts.leader() + " has not been heard " + since(facts.leaderSilentMillis())
                    + (missing.isEmpty() ? "" : " and " + and(missing) + " cannot be reached") + ": mend the link, or look at "
                    + facts.leader() + "; if both others are lost for good: plover force-primary";
        }
        if (role == Role.VIEW_CHANGE && !facts.reachesMajority()) {
            return "no majority can be reached: bring back " + and(missing) + ", or the link to one of them; if they are lost for good:"
                    + " plover force-primary";
        }
        if (facts.twoInSync() && !missing.isEmpty()) {
            return and(missing) + " cannot be reached: one more failure would stop the service; bring it back";
        }
        if (facts.view().core().joinPercent() >= 0) {
            return "not protected yet: a fresh backup is being brought in, " + facts.view().core().joinPercent() + " %";
        }
        if (!facts.left().isEmpty()) {
            String left = and(facts.left());
            return (facts.twoInSync() ? "one more failure would stop the service: " : "not protected: ") + left
                    + " was taken out of the group; 'plover join " + facts.left().get(0) + "' on the primary brings it back";
        }
        if (role == Role.PRIMARY && !missing.isEmpty()) {
            return "not protected: " + and(missing) + " cannot be reached; start the appliance there";
        }
        if (facts.twoInSync() && !facts.everybodyVotes()) {
            return "one more failure would stop the service: " + and(notVoting(facts)) + " has not caught up yet and does not vote";
        }
        return facts.view().core().message();
    }

    /** What is going on beside that and should not be. */
    static List<String> notes(Facts facts, long droppedFrames, long heldMillis, List<String> troubles) {
        List<String> notes = new ArrayList<>(troubles);
        ReplicaCore.Snapshot core = facts.view().core();
        long idle = facts.millisSince(facts.view().takenNanos());
        if (idle > SILENCE_MILLIS) {
            notes.add("this member's own thread has not run " + since(idle) + ": its storage does not answer, or the host is starved of"
                    + " CPU; what is said here is of that moment");
        }
        if (facts.role() == Role.PRIMARY && heldMillis > HELD_MILLIS && facts.cutOffMillis() == 0) {
            notes.add("output has been held for " + heldMillis + " ms: the backup is slow to acknowledge an epoch, or the link to it is;"
                    + " it is dropped after epochTimeoutMillis");
        }
        if (core.backlogBytes() > BACKLOG_BYTES) {
            notes.add("the guest here has not taken up " + (core.backlogBytes() >> 10) + " KiB of agreed input: it or its host is too slow"
                    + " for what clients send"
                    + (facts.role() == Role.BACKUP ? "; beyond inputBacklogBytesMax it is dropped and brought in anew" : ""));
        }
        if (facts.role() == Role.BACKUP && droppedFrames > 0) {
            notes.add(droppedFrames + " frames of this backup's own output did not fit into standbyBytesMax of the gate and were"
                    + " forgotten: clients would have to ask again for them after a failover");
        }
        if (facts.view().membership() != null && !facts.everybodyVotes()) {
            List<String> voters = facts.names(m -> facts.membership().isVoter(m.index()));
            notes.add("votes count of " + and(voters) + " only"
                    + (notVoting(facts).isEmpty() ? "" : ": " + and(notVoting(facts))
                    + (notVoting(facts).size() == 1 ? " votes again once it has" : " vote again once they have")
                    + " come back and caught up"));
        }
        if (!facts.left().isEmpty()) {
            notes.add(and(facts.left()) + " was taken out of the group by an operator");
        }
        if (core.state().equals("TAKING_OVER")) {
            notes.add("output is held until a majority has agreed that this replica alone is in sync");
        }
        return List.copyOf(notes);
    }

    private static List<String> notVoting(Facts facts) {
        return facts.names(m -> !facts.membership().isVoter(m.index()) && !facts.membership().hasLeft(m.index()));
    }

    /** A time of day, and how long ago that is: the first to compare with logs, the second to judge by. */
    private static String since(long millis) {
        return "since " + LocalTime.now().minusNanos(TimeUnit.MILLISECONDS.toNanos(millis)).format(CLOCK) + " ("
                + (millis < 10_000 ? millis + " ms" : millis / 1000 + " s") + ")";
    }

    private static String and(List<String> names) {
        return String.join(" and ", names);
    }
}
