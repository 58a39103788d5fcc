package org.plover.replication.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.Test;

/**
 * A disk is made longer while the guest is protected. That no guest is told of blocks for which a backup in sync has no room is watched
 * by {@link FakeGuest}.
 */
public class DiskGrowthTest {
    private static final long LONGER = 5000;

    private final SimCluster cluster = new SimCluster(11, true);
    private final SimMember alpha = cluster.member(0);

    private SimMember beta() {
        return cluster.member(1);
    }

    private CompletableFuture<String> order(SimMember member, long bytes) {
        CompletableFuture<String> request = new CompletableFuture<>();
        member.step(() -> member.core.requestGrowDisk(0, bytes, request));
        return request;
    }

    private String answer(CompletableFuture<String> request) throws Exception {
        cluster.runUntil("the order is answered", 2000, request::isDone);
        return request.get();
    }

    private String refusal(CompletableFuture<String> request) {
        cluster.runUntil("the order is answered", 2000, request::isDone);
        return assertThrows(ExecutionException.class, request::get).getCause().getMessage();
    }

    @Test
    public void shouldGrowOnBothSidesAndStayProtected() throws Exception {
        cluster.untilProtected();
        CompletableFuture<String> request = order(alpha, LONGER);
        cluster.runUntil("the backup's is longer", 2000, () -> beta().disk.bytes == LONGER);
        assertEquals("first the backup's", 1000, alpha.disk.bytes);
        assertTrue(answer(request).contains("5000 bytes on both replicas"));
        assertEquals(LONGER, alpha.disk.bytes);
        assertEquals("PROTECTED", alpha.state());
        ReplicaScenarioTest.answers(cluster);
        answer(order(alpha, LONGER));
    }

    @Test
    public void shouldGrowNothingIfOneSideHasNoRoom() {
        cluster.untilProtected();
        beta().disk.roomBytes = LONGER - 1;
        String why = refusal(order(alpha, LONGER));
        assertTrue(why, why.contains("on beta: no room"));
        alpha.disk.roomBytes = LONGER - 1;
        beta().disk.roomBytes = LONGER;
        why = refusal(order(alpha, LONGER));
        assertTrue(why, why.contains("not made longer: no room"));
        assertEquals(1000, alpha.disk.bytes);
        assertEquals(1000, beta().disk.bytes);
        assertTrue(refusal(order(alpha, 999)).contains("cannot be made shorter"));
        assertTrue(refusal(order(beta(), LONGER)).contains("not the primary"));
    }

    @Test
    public void shouldGrowNothingHereIfTheBackupDiesMeanwhileAndGrowWhenItIsBack() throws Exception {
        cluster.untilProtected();
        CompletableFuture<String> request = order(alpha, LONGER);
        cluster.kill(1);
        assertTrue(refusal(request).contains("give the order again"));
        assertEquals(1000, alpha.disk.bytes);
        assertTrue(refusal(order(alpha, LONGER)).contains("no backup is in sync"));
        cluster.restart(1);
        cluster.untilProtected();
        answer(order(alpha, LONGER));
        assertEquals(LONGER, beta().disk.bytes);
    }

    @Test
    public void shouldGiveTheFormerPrimaryTheNewLengthIfItDiesHalfWay() {
        cluster.untilProtected();
        CompletableFuture<String> request = order(alpha, LONGER);
        cluster.runUntil("the backup's is longer", 2000, () -> beta().disk.bytes == LONGER);
        cluster.kill(0);
        assertFalse(request.isDone());
        cluster.runUntil("beta serves", 3000, () -> cluster.server() == beta());
        cluster.restart(0);
        cluster.untilProtected();
        assertEquals("as the primary's now", LONGER, cluster.member(0).disk.bytes);
        ReplicaScenarioTest.answers(cluster);
    }

    @Test
    public void shouldBringABackupInWhoseDiskWasLonger() {
        cluster.untilProtected();
        cluster.kill(1);
        cluster.runUntil("alpha serves alone", 3000, () -> alpha.state().equals("SOLO"));
        cluster.restart(1);
        cluster.member(1).disk.bytes = LONGER;
        cluster.untilProtected();
        assertEquals(1000, cluster.member(1).disk.bytes);
    }

    @Test
    public void shouldNotProtectByABackupThatHasNoRoom() {
        cluster.untilProtected();
        cluster.kill(1);
        cluster.runUntil("alpha serves alone", 3000, () -> alpha.state().equals("SOLO"));
        cluster.restart(1);
        alpha.disk.bytes = LONGER;
        cluster.member(1).disk.roomBytes = LONGER - 1;
        cluster.run(3000);
        assertEquals("SOLO", alpha.state());
        assertTrue(alpha.warnings.toString(), alpha.warnings.toString().contains("not bringing beta in: disks are [5000] here and [1000] on beta"));
        assertTrue(cluster.member(1).warnings.toString(), cluster.member(1).warnings.toString().contains("cannot have the lengths"));
        cluster.member(1).disk.roomBytes = LONGER;
        cluster.run(10_000);
        cluster.untilProtected();
        assertEquals(LONGER, cluster.member(1).disk.bytes);
    }
}
