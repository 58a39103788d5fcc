package org.plover.replication.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.Test;

/** What happens when nobody holds the guest any more, and what an operator can do when there is no majority. */
public final class ColdStartTest {
    private final SimCluster cluster = new SimCluster(11);
    private final SimMember alpha = cluster.member(0);

    @Test
    public void shouldBootTheGuestWhenAllThreeWereOffAndAreOnAgain() {
        cluster.untilProtected();
        for (int i = 0; i < 3; i++) {
            cluster.kill(i);
        }
        for (int i = 0; i < 3; i++) {
            cluster.restart(i);
        }
        cluster.untilProtected();
        ReplicaScenarioTest.answers(cluster);
        assertEquals(2, cluster.boots);
    }

    @Test
    public void shouldBootTheGuestWhenALonePrimaryRestarted() {
        cluster.untilProtected();
        cluster.kill(1);
        cluster.runUntil("alpha serves alone", 5000, () -> alpha.state().equals("SOLO"));
        cluster.kill(0);
        cluster.restart(0);
        cluster.runUntil("alpha serves again", 20_000, () -> cluster.member(0).state().equals("SOLO"));
        assertEquals(2, cluster.boots);
    }

    @Test
    public void shouldNotBootTheGuestWhileAMemberInSyncIsAway() {
        cluster.untilProtected();
        cluster.kill(0);
        cluster.kill(1);
        cluster.restart(0);
        cluster.run(20_000);
        assertEquals("beta may still run, cut off", 1, cluster.boots);
        cluster.restart(1);
        cluster.untilProtected();
        assertEquals(2, cluster.boots);
    }

    @Test
    public void shouldNotBootTheGuestInPlaceOfABackupThatHoldsIt() {
        cluster.untilProtected();
        cluster.kill(0);
        cluster.kill(SimCluster.WITNESS);
        cluster.restart(0);
        cluster.restart(SimCluster.WITNESS);
        cluster.untilProtected();
        assertEquals(1, cluster.boots);
    }

    @Test
    public void shouldServeAloneByForceWithWhatTheBackupHolds() throws Exception {
        cluster.untilProtected();
        SimMember beta = cluster.member(1);
        cluster.kill(0);
        cluster.kill(SimCluster.WITNESS);
        cluster.run(3000);
        assertFalse("a wrong name changes nothing", force(beta, "another").isCompletedExceptionally() && beta.serves());
        CompletableFuture<String> forced = force(beta, "sim");
        cluster.run(500);
        assertTrue(forced.get(), forced.get().contains("serves alone"));
        assertEquals("SOLO", beta.state());
        assertEquals(1, cluster.boots);
        ReplicaScenarioTest.answers(cluster);
        cluster.restart(0);
        cluster.restart(SimCluster.WITNESS);
        cluster.untilProtected();
        assertEquals("PROTECTED", beta.state());
    }

    @Test
    public void shouldNotForceWhileAMajorityFollowsThePrimary() throws Exception {
        cluster.untilProtected();
        CompletableFuture<String> forced = force(cluster.member(1), "sim");
        try {
            forced.get();
            throw new AssertionError("was made the primary");
        } catch (ExecutionException e) {
            assertTrue(e.getMessage(), e.getMessage().contains("leads and is alive"));
        }
        assertTrue(cluster.isProtected());
    }

    @Test
    public void shouldLetMembersLeaveAndJoinAgainWhileTheGuestRuns() throws Exception {
        cluster.untilProtected();
        CompletableFuture<String> left = new CompletableFuture<>();
        alpha.step(() -> alpha.core.requestLeave("beta", left));
        cluster.runUntil("beta has left", 5000, left::isDone);
        cluster.runUntil("alpha serves alone", 1000, () -> alpha.state().equals("SOLO"));
        cluster.run(3000);
        assertEquals("does not come back by itself", "SOLO", alpha.state());
        CompletableFuture<String> witnessLeft = new CompletableFuture<>();
        alpha.step(() -> alpha.core.requestLeave("gamma", witnessLeft));
        cluster.runUntil("the witness has left", 5000, witnessLeft::isDone);
        cluster.kill(1);
        cluster.kill(SimCluster.WITNESS);
        cluster.run(1000);
        ReplicaScenarioTest.answers(cluster);
        cluster.restart(1);
        cluster.restart(SimCluster.WITNESS);
        for (String name : new String[] {"gamma", "beta"}) {
            CompletableFuture<String> joined = new CompletableFuture<>();
            alpha.step(() -> alpha.core.requestJoin(name, joined));
            cluster.runUntil(name + " may join", 5000, joined::isDone);
            assertTrue(joined.get(), joined.get().contains("may come back"));
        }
        cluster.untilProtected();
        assertEquals(1, cluster.boots);
    }

    private CompletableFuture<String> force(SimMember m, String name) {
        CompletableFuture<String> request = new CompletableFuture<>();
        m.step(() -> m.core.requestForcePrimary(name, request));
        return request;
    }
}
