package org.plover.replication;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.Test;
import org.plover.api.consensus.Membership;
import org.plover.api.group.Group;
import org.plover.api.group.Member;
import org.plover.api.group.MemberKind;
import org.plover.api.status.Role;
import org.plover.replication.StatusBuilder.Facts;
import org.plover.replication.core.ReplicaCore;

public class StatusBuilderTest {
    private static final int ALPHA = 1;
    private static final int BETA = 2;
    private static final int GAMMA = 4;
    private static final long NOW = TimeUnit.HOURS.toNanos(1);

    private final Group group = new Group("redis", 0, List.of(
            new Member(0, "alpha", MemberKind.REPLICA, "192.0.2.1", 7400),
            new Member(1, "beta", MemberKind.REPLICA, "192.0.2.2", 7400),
            new Member(2, "gamma", MemberKind.WITNESS, "192.0.2.3", 7400)));
    private Membership membership = members(ALPHA | BETA, Membership.ALL, 0);
    private int leader;
    private long quorumMillis = 20;
    private long heardMillis = 20;
    private long takenMillis;
    private long backlogBytes;

    @Test
    public void shouldCallAWholeGroupProtected() {
        Facts facts = facts(Role.PRIMARY, Membership.ALL, "beta is in sync");
        assertTrue(facts.isProtected());
        assertEquals("protected: the death of any one host is survived", StatusBuilder.message(facts, ""));
    }

    @Test
    public void shouldSayThatClientsOfAProtectedGuestAreSlowed() {
        Facts facts = facts(Role.PRIMARY, Membership.ALL, "beta is in sync");
        assertEquals("protected, but clients are slowed: epochs take 840 ms; if it lasts, 'plover epochs' shows where the time goes",
                StatusBuilder.message(facts, "epochs take 840 ms"));
        String lost = StatusBuilder.message(facts(Role.PRIMARY, ALPHA | BETA, ""), "epochs take 840 ms");
        assertTrue(lost, lost.startsWith("gamma cannot be reached"));
    }

    @Test
    public void shouldNotCallAPrimaryHealthyThatIsCutOff() {
        quorumMillis = 42_000;
        Facts facts = facts(Role.PRIMARY, ALPHA, "beta is in sync");
        assertFalse(facts.isProtected());
        assertSays(facts, "no majority can be reached since ", "(42 s): output is held", "bring back beta or gamma", "see 'plover status' there");
    }

    @Test
    public void shouldNotCallAPrimaryHealthyWhoseLinksLookUpButWhoGetsNoMajority() {
        quorumMillis = 1500;
        Facts facts = facts(Role.PRIMARY, Membership.ALL, "beta is in sync");
        assertFalse(facts.isProtected());
        assertSays(facts, "no majority can be reached since ", "(1500 ms)");
    }

    @Test
    public void shouldNotCallABackupHealthyThatDoesNotHearItsPrimary() {
        leader = 1;
        heardMillis = 3000;
        Facts facts = facts(Role.BACKUP, ALPHA | GAMMA, "in sync as of epoch 7");
        assertFalse(facts.isProtected());
        assertSays(facts, "the primary beta has not been heard since ", "beta cannot be reached");
    }

    @Test
    public void shouldTellLostMembersFromThoseThatHaveLeft() {
        assertSays(facts(Role.PRIMARY, ALPHA | BETA, ""), "gamma cannot be reached: one more failure would stop the service");
        membership = members(ALPHA | BETA, ALPHA | BETA, GAMMA);
        assertFalse(facts(Role.PRIMARY, Membership.ALL, "").isProtected());
        assertSays(facts(Role.PRIMARY, ALPHA | BETA, ""), "one more failure would stop the service: gamma was taken out", "'plover join gamma'");
        membership = members(ALPHA, ALPHA | GAMMA, BETA);
        assertSays(facts(Role.PRIMARY, ALPHA | GAMMA, ""), "not protected: beta was taken out of the group");
    }

    @Test
    public void shouldTellTheMemberThatHasLeft() {
        membership = members(BETA, BETA | GAMMA, ALPHA);
        leader = 1;
        assertSays(facts(Role.SYNCHRONISING, Membership.ALL, ""), "this member was taken out of the group", "'plover join alpha'");
    }

    @Test
    public void shouldSayWhoseVotesCountAfterAForcedStart() {
        membership = members(ALPHA, ALPHA, 0);
        Facts facts = facts(Role.PRIMARY, ALPHA, "this replica alone is in sync");
        assertEquals(0, facts.cutOffMillis());
        assertSays(facts, "not protected: beta and gamma cannot be reached");
        assertNotes(facts, "votes count of alpha only: beta and gamma vote again once they have come back and caught up");
    }

    @Test
    public void shouldSayForWhomItWaitsAtTheStart() {
        membership = null;
        leader = -1;
        assertSays(facts(Role.STARTING, ALPHA | BETA, "starting"), "waiting for gamma; a group forms for the first time");
        membership = members(ALPHA | BETA, Membership.ALL, 0);
        assertSays(facts(Role.STARTING, ALPHA | GAMMA, "starting"), "waiting for beta, to find out who holds the guest");
    }

    @Test
    public void shouldNoteAGuestThatDoesNotKeepUpAndAThreadThatHangs() {
        assertEquals(List.of(), StatusBuilder.notes(facts(Role.PRIMARY, Membership.ALL, ""), 0, 100, List.of()));
        backlogBytes = 2 << 20;
        takenMillis = 5000;
        List<String> notes = StatusBuilder.notes(facts(Role.BACKUP, Membership.ALL, ""), 7, 0, List.of());
        assertEquals(3, notes.size());
        assertTrue(notes.get(0), notes.get(0).startsWith("this member's own thread has not run since "));
        assertTrue(notes.get(1), notes.get(1).startsWith("the guest here has not taken up 2048 KiB of agreed input"));
        assertTrue(notes.get(2), notes.get(2).startsWith("7 frames of this backup's own output"));
    }

    @Test
    public void shouldNoteOutputThatWaitsLong() {
        List<String> notes = StatusBuilder.notes(facts(Role.PRIMARY, Membership.ALL, ""), 0, 2500, List.of());
        assertEquals(1, notes.size());
        assertTrue(notes.get(0), notes.get(0).startsWith("output has been held for 2500 ms"));
    }

    @Test
    public void shouldTellHowLongAMemberIsAwayByWhateverWasHeardLast() {
        heardMillis = 120_000;
        Facts facts = facts(Role.BACKUP, ALPHA, "");
        assertEquals(120_000, facts.seenMillis(1));
        assertEquals("its link broke later than it spoke", 90_000, facts.seenMillis(2));
        assertEquals("it can be reached", 0, facts(Role.BACKUP, ALPHA | BETA, "").seenMillis(1));
    }

    private Facts facts(Role role, int connected, String message) {
        long heard = NOW - TimeUnit.MILLISECONDS.toNanos(heardMillis);
        return new Facts(group, new GroupLoop.StatusView(new ReplicaCore.Snapshot("SOLO", message, -1, 7, backlogBytes), 3, leader,
                role == Role.PRIMARY, "NORMAL", membership, 9, NOW - TimeUnit.MILLISECONDS.toNanos(takenMillis),
                role == Role.PRIMARY ? NOW - TimeUnit.MILLISECONDS.toNanos(quorumMillis) : Long.MIN_VALUE,
                new long[] {Long.MIN_VALUE, heard, heard}, new long[] {Long.MIN_VALUE, Long.MIN_VALUE, NOW - 90_000_000_000L}), role, connected, NOW);
    }

    private static Membership members(int inSync, int voters, int left) {
        return new Membership(3, 1, inSync, voters, left, new long[Group.SIZE]);
    }

    private static void assertSays(Facts facts, String... parts) {
        for (String part : parts) {
            assertTrue(StatusBuilder.message(facts, ""), StatusBuilder.message(facts, "").contains(part));
        }
    }

    private static void assertNotes(Facts facts, String... notes) {
        assertEquals(List.of(notes), StatusBuilder.notes(facts, 0, 0, List.of()));
    }
}
