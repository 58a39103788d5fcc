package org.plover.consensus.paxos.sim;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;
import static org.plover.consensus.paxos.sim.SimCluster.A;
import static org.plover.consensus.paxos.sim.SimCluster.B;
import static org.plover.consensus.paxos.sim.SimCluster.MILLIS;
import static org.plover.consensus.paxos.sim.SimCluster.WITNESS;

import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.junit.Test;
import org.plover.api.consensus.Consensus;
import org.plover.api.consensus.EntryType;
import org.plover.api.consensus.Membership;
import org.plover.consensus.paxos.SimProviders;

/** What happens when one thing goes wrong, told one at a time. */
public class PaxosScenarioTest {
    // ---- forming

    @Test
    public void shouldFormWithTheFirstReplicaLeadingViewOne() {
        SimCluster c = new SimCluster(1);
        c.startAll();
        c.awaitLeader(A);
        assertEquals(1, c.node(A).core().view());
        assertTrue(c.ledger().isFormed());
        c.commit();
    }

    @Test
    public void shouldNotFormBeforeAllThreeWereHeardFrom() {
        SimCluster c = new SimCluster(2);
        c.node(A).start();
        c.node(WITNESS).start();
        c.run(3_000 * MILLIS);
        assertFalse(c.ledger().isFormed());
        assertEquals("FORMING", c.node(A).core().state());
        c.node(B).start();
        c.awaitLeader(A);
    }

    @Test
    public void shouldFormWhenTheFirstReplicaDiesBetweenOfferAndAnswer() {
        SimCluster c = new SimCluster(3);
        c.startAll();
        c.await("the backup has stored the offer", () -> c.node(B).core().view() == 1);
        assertFalse(c.ledger().isFormed());
        c.node(A).crash();
        c.node(A).start();
        assertEquals("FORMING", c.node(A).core().state());
        c.awaitProtected();
    }

    @Test
    public void shouldFormAnewWithAWitnessThatLostItsStorageDuringForming() {
        SimCluster c = new SimCluster(4);
        c.startAll();
        c.await("both others have stored the offer", () -> {
            boolean one = c.node(B).core().view() == 1 || c.node(WITNESS).core().view() == 1;
            if (one) {
                c.network().cut(B, A);
                c.network().cut(WITNESS, A);
            }
            return c.node(B).core().view() == 1 && c.node(WITNESS).core().view() == 1;
        });
        assertFalse(c.ledger().isFormed());
        c.node(WITNESS).crash();
        c.node(WITNESS).storage.lose();
        c.node(WITNESS).start();
        c.network().breakLink(A, B, 1);
        c.network().heal();
        c.awaitProtected();
        assertEquals(c.node(WITNESS).incarnation(), c.leader().core().membership().incarnation(WITNESS));
    }

    @Test
    public void shouldStayUnformedWhenTheFirstReplicaLosesItsStorageAfterTheOthersStoredItsOffer() {
        SimCluster c = new SimCluster(5);
        c.startAll();
        c.awaitLeader(A);
        c.network().isolate(A);
        c.node(A).crash();
        c.node(A).storage.lose();
        c.network().heal();
        c.node(A).start();
        c.run(3_000 * MILLIS);
        assertEquals("nobody can know whether the guest was booted", null, c.leader());
        assertEquals("LEARNER", c.node(A).core().state());
    }

    // ---- a member dies

    @Test
    public void shouldFailOverToTheBackupWhenTheLeaderDies() {
        SimCluster c = SimCluster.formed(10);
        long before = c.commit();
        c.node(A).crash();
        long died = c.now();
        c.awaitLeader(B);
        assertTrue("took " + (c.now() - died) / MILLIS + " ms", c.now() - died < 700 * MILLIS);
        assertTrue(c.node(B).guest > before);
        c.commit();
    }

    @Test
    public void shouldGoOnWithTheWitnessWhenTheBackupDies() {
        SimCluster c = SimCluster.formed(11);
        c.node(B).crash();
        c.commit();
        c.await("the backup is dropped", () -> !c.node(A).core().membership().isInSync(B));
        assertEquals(1, c.node(A).core().view());
    }

    @Test
    public void shouldGoOnWithTheBackupWhenTheWitnessDies() {
        SimCluster c = SimCluster.formed(12);
        c.node(WITNESS).crash();
        c.commit();
        assertEquals(1, c.node(A).core().view());
    }

    @Test
    public void shouldVoteInAWitnessThatComesBackEmpty() {
        SimCluster c = SimCluster.formed(13);
        c.node(WITNESS).crash();
        c.node(WITNESS).storage.lose();
        long old = c.node(WITNESS).incarnation();
        c.node(WITNESS).start();
        assertNotEquals(old, c.node(WITNESS).incarnation());
        c.awaitProtected();
        c.node(A).crash();
        c.awaitLeader(B);
        c.commit();
    }

    @Test
    public void shouldNotCountAWitnessThatCameBackEmptyBeforeItIsVotedIn() {
        SimCluster c = SimCluster.formed(14);
        c.node(A).manages = false;
        c.network().isolate(B);
        c.node(WITNESS).crash();
        c.node(WITNESS).storage.lose();
        c.node(WITNESS).start();
        c.run(500 * MILLIS);
        assertEquals("LEARNER", c.node(WITNESS).core().state());
        long committed = c.node(A).core().commitIndex();
        c.node(A).core().propose(EntryType.INPUT, c.payload(), c.now());
        c.node(A).core().flush(c.now());
        c.run(500 * MILLIS);
        assertEquals("the learner has it and counts for nothing", committed, c.node(A).core().commitIndex());
        assertEquals(c.node(A).core().lastIndex(), c.node(WITNESS).core().lastIndex());
        c.node(A).crash();
        c.network().heal();
        c.run(2_000 * MILLIS);
        assertEquals("backup and learner are no majority", null, c.leader());
    }

    @Test
    public void shouldBringBackAReplicaThatRestartedOrLostItsStorage() {
        for (boolean lost : new boolean[] {false, true}) {
            SimCluster c = SimCluster.formed(15);
            c.node(B).crash();
            c.commit();
            if (lost) {
                c.node(B).storage.lose();
            }
            c.node(B).start();
            c.await("the backup follows as " + lost, () -> c.node(B).core().leader() == A);
            c.awaitProtected();
            c.node(A).crash();
            c.awaitLeader(B);
            c.commit();
        }
    }

    @Test
    public void shouldNotLetARestartedReplicaLeadBeforeItIsSynchronised() {
        SimCluster c = SimCluster.formed(16);
        c.node(A).manages = false;
        c.node(B).crash();
        c.node(B).start();
        c.await("the backup votes again", () -> c.node(B).core().state().equals("NORMAL_FOLLOWER"));
        assertTrue(c.node(A).core().membership().isInSync(B));
        c.node(A).crash();
        c.run(2_000 * MILLIS);
        assertEquals(null, c.leader());
        assertEquals(0, c.node(B).timesLeading);
    }

    // ---- partitions

    @Test
    public void shouldNotCommitAnythingAtAPartitionedOldLeader() {
        SimCluster c = SimCluster.formed(20);
        c.commit();
        c.network().isolate(A);
        long committed = c.node(A).core().commitIndex();
        c.node(A).core().propose(EntryType.INPUT, c.payload(), c.now());
        c.node(A).core().flush(c.now());
        c.awaitLeader(B);
        c.commit();
        c.run(300 * MILLIS);
        assertEquals(committed, c.node(A).core().commitIndex());
        assertTrue("it cannot know", c.node(A).core().isLeading());
        c.network().heal();
        c.await("the old leader follows", () -> c.node(A).core().leader() == B && !c.node(A).core().isLeading());
        c.awaitProtected();
    }

    @Test
    public void shouldNotDisturbALeaderThatTheWitnessHears() {
        SimCluster c = SimCluster.formed(21);
        c.network().cut(A, B);
        c.run(2_000 * MILLIS);
        assertEquals(A, c.leader().index);
        assertEquals(1, c.leader().core().view());
        assertEquals("canvassing changes nothing", 1, c.node(B).core().view());
        c.network().heal();
        c.awaitProtected();
        assertEquals(1, c.leader().core().view());
    }

    @Test
    public void shouldAnswerAStaleLeaderWithTheNewerView() {
        SimCluster c = SimCluster.formed(22);
        c.network().isolate(A);
        c.awaitLeader(B);
        c.node(A).core().propose(EntryType.INPUT, c.payload(), c.now());
        c.node(A).core().flush(c.now());
        long last = c.node(WITNESS).core().lastIndex();
        c.network().heal(A, WITNESS);
        c.network().heal(WITNESS, A);
        c.await("the old leader is told", () -> c.node(A).core().view() >= 2 || !c.node(A).core().isLeading());
        assertTrue(c.node(WITNESS).core().lastIndex() >= last);
        c.commit();
    }

    @Test
    public void shouldRepairTheLogFromTheWitness() {
        SimCluster c = SimCluster.formed(23);
        c.node(A).manages = false;
        c.network().cut(A, B);
        long sent = 0;
        for (int i = 0; i < 20; i++) {
            sent = c.node(A).core().propose(EntryType.INPUT, c.payload(), c.now());
        }
        c.node(A).core().flush(c.now());
        long committed = sent;
        c.await("committed with the witness", () -> c.node(A).core().commitIndex() == committed);
        assertTrue(c.node(B).core().lastIndex() < sent);
        c.node(A).crash();
        c.network().heal();
        c.awaitLeader(B);
        assertTrue(c.node(B).guest >= sent);
    }

    @Test
    public void shouldNotLeadByTheWordOfAWitnessThatHasGotOnlyAPartOfTheLogAgain() {
        SimCluster c = new SimCluster(25);
        c.provider = SimProviders.NARROW;
        c.startAll();
        c.awaitProtected();
        c.node(A).manages = false;
        c.network().cut(A, B);
        for (int i = 0; i < 40; i++) {
            c.node(A).core().propose(EntryType.INPUT, c.payload(), c.now());
        }
        c.node(A).core().flush(c.now());
        long last = c.node(A).core().lastIndex();
        c.await("committed with the witness", () -> c.node(A).core().commitIndex() == last);
        c.node(WITNESS).crash();
        c.node(WITNESS).start();
        c.await("the witness has a part of the log", () -> c.node(WITNESS).core().lastIndex() > c.node(B).core().lastIndex());
        assertTrue(c.node(WITNESS).core().lastIndex() < last);
        c.node(A).crash();
        c.network().heal();
        c.run(2_000 * MILLIS);
        assertEquals("what was committed is known to nobody who is there", null, c.leader());
    }

    @Test
    public void shouldNotCountAMemberThatHasLeft() {
        SimCluster c = SimCluster.formed(26);
        c.node(A).manages = false;
        Membership m = c.node(A).core().membership();
        c.node(A).core().proposeMembership(m.without(m.view(), WITNESS), c.now());
        c.await("the witness has left", () -> c.node(A).core().membership().hasLeft(WITNESS) && c.node(B).core().membership().hasLeft(WITNESS)
                && c.node(WITNESS).core().membership().hasLeft(WITNESS));
        c.network().isolate(B);
        long committed = c.node(A).core().commitIndex();
        c.node(A).core().propose(EntryType.INPUT, c.payload(), c.now());
        c.node(A).core().flush(c.now());
        c.run(500 * MILLIS);
        assertEquals("it has the entry, and counts for nothing", committed, c.node(A).core().commitIndex());
        assertEquals(c.node(A).core().lastIndex(), c.node(WITNESS).core().lastIndex());
        c.node(A).crash();
        c.network().heal();
        c.run(2_000 * MILLIS);
        assertEquals("the replica alone is no majority of two", null, c.leader());
    }

    @Test
    public void shouldKeepAReplicaThatWasDroppedFromLeading() {
        SimCluster c = SimCluster.formed(24);
        c.network().isolate(B);
        c.await("the backup is dropped", () -> !c.ledger().newestMembership().isInSync(B));
        c.node(A).crash();
        c.network().heal();
        c.run(2_000 * MILLIS);
        assertEquals("the stale replica must not answer", null, c.leader());
        assertEquals(0, c.node(B).timesLeading);
    }

    // ---- on purpose

    @Test
    public void shouldHandOverWithoutWaitingForATimeout() {
        SimCluster c = SimCluster.formed(30);
        c.commit();
        long begin = c.now();
        c.node(A).core().handOver(B, c.now());
        assertFalse(c.node(A).core().isLeading());
        c.awaitLeader(B);
        assertTrue("took " + (c.now() - begin) + " ns", c.now() - begin < 20 * MILLIS);
        c.commit();
        assertThrows(IllegalArgumentException.class, () -> c.node(B).core().handOver(WITNESS, c.now()));
    }

    @Test
    public void shouldBootColdWhenAllThreeLostPower() {
        SimCluster c = SimCluster.formed(31);
        c.commit();
        for (int i = 0; i < 3; i++) {
            c.node(i).crash();
        }
        c.node(A).coldBoot = true;
        c.node(B).coldBoot = true;
        c.node(A).start();
        c.node(WITNESS).start();
        c.run(2_000 * MILLIS);
        assertEquals("the third one may know of a newer in-sync set", null, c.leader());
        c.node(B).start();
        c.awaitProtected();
        c.commit();
    }

    @Test
    public void shouldKeepAStaleDiskFromBootingAfterAllThreeLostPower() {
        SimCluster c = SimCluster.formed(32);
        c.node(A).crash();
        c.awaitLeader(B);
        c.await("the old leader is dropped", () -> !c.ledger().newestMembership().isInSync(A));
        c.node(B).crash();
        c.node(WITNESS).crash();
        c.node(A).coldBoot = true;
        c.startAll();
        c.run(2_000 * MILLIS);
        assertEquals(null, c.leader());
        c.node(B).coldBoot = true;
        c.awaitLeader(B);
        assertEquals(0, c.node(A).timesLeading - 1);
    }

    // ---- bounds and misuse

    @Test
    public void shouldPushBackWhenTheWindowIsFull() {
        SimCluster c = SimCluster.formed(40);
        c.node(A).manages = false;
        c.network().isolate(A);
        ByteBuffer large = ByteBuffer.allocate(1 << 20);
        long index = 0;
        int taken = 0;
        while (index != Consensus.WINDOW_FULL) {
            index = c.node(A).core().propose(EntryType.INPUT, large.rewind(), c.now());
            taken++;
            assertTrue("window has no end", taken < 100);
        }
        c.network().heal();
        c.await("the window empties", () -> c.leader() != null && c.leader().core().commitIndex() == c.leader().core().lastIndex());
        c.commit();
    }

    @Test
    public void shouldTruncateEverywhereAndStillServeALateWitness() {
        SimCluster c = SimCluster.formed(41);
        c.node(A).manages = false;
        c.network().isolate(WITNESS);
        for (int i = 0; i < 200; i++) {
            c.node(A).core().propose(EntryType.INPUT, c.payload(), c.now());
        }
        c.node(A).core().flush(c.now());
        long last = c.node(A).core().lastIndex();
        c.await("delivered at both replicas", () -> c.node(A).guest == last && c.node(B).guest == last);
        c.node(A).core().truncate(last, c.now());
        c.network().heal();
        c.await("the witness goes on after the base", () -> c.node(WITNESS).core().commitIndex() >= last);
        c.node(B).crash();
        c.commit();
    }

    @Test
    public void shouldRefuseProposalsOfWhoeverDoesNotLead() {
        SimCluster c = SimCluster.formed(42);
        Membership m = c.node(A).core().membership();
        assertEquals(Consensus.NOT_LEADING, c.node(B).core().propose(EntryType.INPUT, c.payload(), c.now()));
        assertEquals(Consensus.NOT_LEADING, c.node(B).core().proposeMembership(m.withInSync(1, 2), c.now()));
    }

    @Test
    public void shouldRefuseAMembershipThatLeavesTheLeaderOutOrReplacesTwoMembers() {
        SimCluster c = SimCluster.formed(43);
        Membership m = c.node(A).core().membership();
        assertThrows(IllegalArgumentException.class, () -> c.node(A).core().proposeMembership(m.withInSync(1, 1 << B), c.now()));
        Membership two = new Membership(1, m.version() + 1, 1, Membership.ALL, 0, new long[] {m.incarnation(A), 5, 6});
        assertThrows(IllegalArgumentException.class, () -> c.node(A).core().proposeMembership(two, c.now()));
        assertThrows(IllegalArgumentException.class, () -> c.node(A).core().proposeMembership(m, c.now()));
        c.commit();
    }

    @Test
    public void shouldPromiseNothingThatItCannotStore() {
        SimCluster c = SimCluster.formed(44);
        c.node(A).manages = false;
        Membership m = c.node(A).core().membership();
        long last = c.node(A).core().lastIndex();
        c.node(A).storage.failing = true;
        assertThrows(UncheckedIOException.class, () -> c.node(A).core().proposeMembership(m.withInSync(1, 1), c.now()));
        assertEquals(m, c.node(A).core().membership());
        assertEquals(last, c.node(A).core().lastIndex());
        c.node(A).storage.failing = false;
        c.commit();
    }
}
