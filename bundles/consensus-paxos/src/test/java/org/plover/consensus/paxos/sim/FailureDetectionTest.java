package org.plover.consensus.paxos.sim;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.plover.consensus.paxos.sim.SimCluster.A;
import static org.plover.consensus.paxos.sim.SimCluster.B;
import static org.plover.consensus.paxos.sim.SimCluster.MILLIS;
import static org.plover.consensus.paxos.sim.SimCluster.WITNESS;

import org.junit.Test;

/** How soon whose silence is noticed, and which silence is none, on simulated time. */
public class FailureDetectionTest {
    private static final int RUNS = 20;

    private static SimCluster known(long seed) {
        SimCluster c = SimCluster.formed(seed);
        c.node(A).manages = false;
        c.node(B).manages = false;
        c.run(5_000 * MILLIS);
        assertEquals(A, c.leader().index);
        return c;
    }

    private static void assertTook(SimCluster c, long since, long leastMillis, long mostMillis) {
        long took = (c.now() - since) / MILLIS;
        assertTrue("took " + took + " ms", took >= leastMillis && took <= mostMillis);
    }

    @Test
    public void shouldFailOverWithinAQuarterOfASecondWhenTheLeaderFallsSilent() {
        for (int run = 0; run < RUNS; run++) {
            SimCluster c = known(100 + run);
            c.network().isolate(A);
            long since = c.now();
            c.awaitLeader(B);
            assertTook(c, since, 100, 250);
        }
    }

    @Test
    public void shouldFailOverJustAsSoonWhenTheLeaderIsHeardButHearsNobody() {
        for (int run = 0; run < RUNS; run++) {
            SimCluster c = known(200 + run);
            c.network().cut(B, A);
            c.network().cut(WITNESS, A);
            long since = c.now();
            c.awaitLeader(B);
            assertTook(c, since, 100, 300);
        }
    }

    @Test
    public void shouldFailOverJustAsSoonWhenNobodyHearsTheLeaderThoughItHearsThem() {
        SimCluster c = known(300);
        c.network().cut(A, B);
        c.network().cut(A, WITNESS);
        long since = c.now();
        c.awaitLeader(B);
        assertTook(c, since, 100, 250);
        c.commit();
    }

    /** It would propose to go on alone; the others, who hear it, would accept that, and nobody could take over. */
    @Test
    public void shouldNotTellTheLeaderOfASilentBackupWhenItHearsTheWitnessNoMoreEither() {
        for (int run = 0; run < RUNS; run++) {
            SimCluster c = known(600 + run);
            c.network().cut(B, A);
            c.network().cut(WITNESS, A);
            c.awaitLeader(B);
            assertEquals(0, c.node(A).toldSilentNanos);
        }
    }

    @Test
    public void shouldTellTheLeaderOfASilentBackupWhicheverDirectionIsCut() {
        for (int[] cut : new int[][] {{A, B}, {B, A}}) {
            SimCluster c = known(400);
            c.network().cut(cut[0], cut[1]);
            long since = c.now();
            c.await("the leader is told", () -> c.node(A).toldSilentNanos > 0);
            assertTook(c, since, 100, 250);
            c.run(1_000 * MILLIS);
            assertEquals("the witness hears the leader", 1, c.leader().core().view());
        }
    }

    @Test
    public void shouldNotChangeTheViewForAPauseOfTheBackupItself() {
        SimCluster c = known(500);
        for (int i = 0; i < 5; i++) {
            c.node(B).pause(700 * MILLIS);
            c.run(1_200 * MILLIS);
        }
        assertEquals(A, c.leader().index);
        assertEquals(1, c.node(B).core().view());
    }

    @Test
    public void shouldNotTakeItsOwnPauseForTheSilenceOfTheOthers() {
        SimCluster c = known(550);
        c.node(A).pause(120 * MILLIS);
        c.run(500 * MILLIS);
        assertEquals("the leader did not run and tells nobody off for it", 0, c.node(A).toldSilentNanos);
        assertEquals(1, c.leader().core().view());
    }

    @Test
    public void shouldBearAStallOfTheLeaderAfterAHistoryOfStalls() {
        for (int run = 0; run < RUNS; run++) {
            SimCluster c = known(600 + run);
            for (int i = 0; i < 4; i++) {
                c.node(A).pause(115 * MILLIS);
                c.run(2_000 * MILLIS);
            }
            c.node(A).pause(200 * MILLIS);
            c.run(1_000 * MILLIS);
            assertEquals(A, c.leader().index);
            assertEquals(1, c.leader().core().view());
        }
    }

    @Test
    public void shouldBearTheStallThatOnceCostALeaderItsView() {
        for (int run = 0; run < RUNS; run++) {
            SimCluster c = known(800 + run);
            c.node(A).pause(240 * MILLIS);
            c.awaitLeader(B);
            c.run(1_000 * MILLIS);
            c.node(B).core().handOver(A, c.now());
            c.awaitLeader(A);
            long view = c.node(A).core().view();
            c.run(3_000 * MILLIS);
            c.node(A).pause(240 * MILLIS);
            c.run(1_000 * MILLIS);
            assertEquals(view, c.leader().core().view());
        }
    }

    @Test
    public void shouldStillFailOverWithinASecondAfterAHistoryOfStalls() {
        SimCluster c = known(700);
        for (int i = 0; i < 4; i++) {
            c.node(A).pause(115 * MILLIS);
            c.run(2_000 * MILLIS);
        }
        c.network().isolate(A);
        long since = c.now();
        c.awaitLeader(B);
        assertTook(c, since, 200, 450);
    }
}
