package org.plover.consensus.paxos.sim;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.plover.consensus.paxos.sim.SimCluster.A;
import static org.plover.consensus.paxos.sim.SimCluster.B;
import static org.plover.consensus.paxos.sim.SimCluster.MILLIS;
import static org.plover.consensus.paxos.sim.SimCluster.WITNESS;

import org.junit.Test;
import org.plover.api.consensus.EntryType;
import org.plover.api.consensus.Membership;

/** A member's storage is lost in the moment in which the members change: what can still be known must be enough. */
public class LostStorageTest {
    private static void restartEmpty(SimCluster c, int member) {
        if (c.node(member).isUp()) {
            c.node(member).crash();
        }
        c.node(member).storage.lose();
        c.node(member).start();
    }

    @Test
    public void shouldGoOnAloneWhenTheOnlyOtherVoterLostItsStorage() {
        SimCluster c = SimCluster.formed(60);
        Membership m = c.node(A).core().membership();
        c.node(A).core().proposeMembership(m.without(m.view(), WITNESS), c.now());
        c.await("the witness has left", () -> c.node(A).core().membership().hasLeft(WITNESS));
        c.run(20 * MILLIS);
        c.node(B).crash();
        c.run(500 * MILLIS);
        long committed = c.node(A).core().commitIndex();
        c.node(A).core().propose(EntryType.INPUT, c.payload(), c.now());
        c.node(A).core().flush(c.now());
        c.run(500 * MILLIS);
        assertEquals("the other voter may come back with what it knows", committed, c.node(A).core().commitIndex());
        restartEmpty(c, B);
        c.await("the fresh replica votes and is in sync", () -> {
            Membership now = c.node(A).core().membership();
            return now.incarnation(B) == c.node(B).incarnation() && now.isInSync(B) && c.node(B).core().state().equals("NORMAL_FOLLOWER");
        });
        assertTrue(c.node(A).core().commitIndex() > committed);
        c.run(50 * MILLIS);
        c.node(B).crash();
        committed = c.node(A).core().commitIndex();
        c.run(500 * MILLIS);
        assertEquals("both votes are needed again", committed, c.node(A).core().commitIndex());
    }

    @Test
    public void shouldGoOnAtTheBackupThatWasToBeDroppedIfTheDroppingWasNeverActedOn() {
        for (boolean leaderRestarts : new boolean[] {false, true}) {
            SimCluster c = SimCluster.formed(61);
            c.commit();
            c.node(A).manages = false;
            c.network().isolate(A);
            Membership m = c.node(A).core().membership();
            c.node(A).core().proposeMembership(m.withInSync(m.view(), 1 << A), c.now());
            if (leaderRestarts) {
                c.node(A).crash();
                c.node(A).start();
            } else {
                c.node(A).guest = -1;
                c.node(A).core().handOver(B, c.now());
            }
            c.network().breakLink(A, B, 1); // the proposal is lost on the way
            restartEmpty(c, WITNESS);
            assertFalse(c.node(A).core().membership().isInSync(B));
            long guest = c.node(B).guest;
            c.network().heal();
            c.awaitLeader(B);
            assertTrue("the guest's state was given up", c.node(B).guest >= guest);
            c.awaitProtected();
        }
    }

    @Test
    public void shouldNotGoOnAtTheBackupIfTheLeaderHadActedOnDroppingIt() {
        SimCluster c = SimCluster.formed(62);
        c.commit();
        c.node(A).manages = false;
        c.network().isolate(B);
        Membership m = c.node(A).core().membership();
        c.node(A).core().proposeMembership(m.withInSync(m.view(), 1 << A), c.now());
        c.await("the leader knows that it is in force", () -> c.node(A).core().commitIndex() == c.node(A).core().lastIndex());
        c.commit();
        c.node(A).crash();
        c.node(A).start();
        restartEmpty(c, WITNESS);
        c.network().heal();
        c.run(2_000 * MILLIS);
        assertEquals(0, c.node(B).timesLeading);
    }

    @Test
    public void shouldCountABringingInThatTheLostStorageMayHaveAcceptedWhenNobodyKnowsOfAnythingNewer() {
        SimCluster c = SimCluster.formed(63);
        restartEmpty(c, B);
        c.await("the fresh replica is proposed", () -> {
            Membership m = c.node(A).core().membership();
            boolean proposed = m.isInSync(B) && m.incarnation(B) == c.node(B).incarnation();
            if (proposed) {
                c.network().isolate(A);
            }
            return proposed;
        });
        c.node(A).crash();
        restartEmpty(c, WITNESS);
        c.node(B).crash();
        for (int i = 0; i < 2; i++) {
            c.node(i).coldBoot = true;
            c.node(i).start();
        }
        c.network().heal();
        c.awaitProtected();
        c.commit();
    }
}
