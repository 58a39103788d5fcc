package org.plover.replication.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;

import java.util.concurrent.CompletableFuture;
import org.junit.Test;
import org.plover.api.gate.OutputGate;
import org.plover.api.status.VerifyReport;

/** What a replica does, event by event; the safety rules are watched by {@link SimCluster} in every one of these. */
public class ReplicaScenarioTest {
    private final SimCluster cluster = new SimCluster(7);
    private final SimMember alpha = cluster.member(0);

    private SimMember beta() {
        return cluster.member(1);
    }

    @Test
    public void shouldServeAloneOnlyAfterAMajorityHasAgreed() {
        cluster.runUntil("the group is formed", 5000, () -> alpha.consensus.isLeading());
        assertEquals("TAKING_OVER", alpha.state());
        assertFalse(alpha.portsActive);
        assertEquals(OutputGate.Mode.CLOSED, alpha.gate.mode());
        cluster.runUntil("alpha serves", 5000, () -> cluster.server() == alpha);
        assertEquals(1, alpha.agreed.inSyncMask());
        assertEquals("SOLO", alpha.state());
        assertEquals(OutputGate.Mode.OPEN, alpha.gate.mode());
    }

    @Test
    public void shouldNotServeWithoutAMajority() {
        cluster.untilProtected();
        cluster.cut(0, 1);
        cluster.cut(0, 2);
        cluster.cut(1, 2);
        int before = cluster.answers();
        for (int i = 0; i < 20; i++) {
            cluster.input();
            cluster.run(100);
        }
        assertEquals("nothing leaves a member that is alone", before, cluster.answers());
        assertFalse(beta().portsActive);
        cluster.healAll();
        cluster.untilProtected();
    }

    @Test
    public void shouldHoldOutputUntilTheBackupHasStagedTheEpoch() {
        cluster.untilProtected();
        alpha.endsEpochs = false;
        long input = cluster.input();
        cluster.runUntil("the guest has answered", 100, () -> alpha.gate.heldFrames() == 1);
        cluster.run(100);
        assertFalse("held while the epoch goes on", cluster.isAnswered(input));
        alpha.endsEpochs = true;
        cluster.runUntil("the answer leaves", 200, () -> cluster.isAnswered(input));
        assertTrue(cluster.knows(alpha, input));
        cluster.runUntil("the epoch is on record", 100, () -> !alpha.epochs.isEmpty());
        assertTrue(alpha.epochs.stream().anyMatch(e -> e.releasedFrames() == 1));
    }

    @Test
    public void shouldReleaseNothingForAnEpochAcknowledgedInAnOlderView() {
        cluster.untilProtected();
        long input = cluster.input();
        cluster.interceptor = (from, to, type) -> type == Wire.STAGED || type == Wire.APPLIED;
        cluster.runUntil("all of the epoch has been sent", 200, () -> alpha.core.primary.phase() == PrimaryEpochs.Phase.AWAIT_APPLIED
                && beta().epochs.isEmpty());
        long view = alpha.consensus.view();
        long epoch = alpha.core.primary.epoch() - 1;
        cluster.cut(0, 1);
        cluster.cut(0, 2);
        cluster.runUntil("beta leads a newer view", 5000, () -> beta().consensus.isLeading() && beta().consensus.view() > view);
        cluster.interceptor = (from, to, type) -> false;
        int before = cluster.answers();
        cluster.runUntil("beta serves", 1000, () -> cluster.server() == beta());
        beta().step(() -> beta().core.onMessage(0, alpha.consensus.incarnation(),
                Wire.message(Wire.STAGED, view, 8).putLong(epoch).flip()));
        assertTrue(cluster.answers() >= before);
        cluster.healAll();
        cluster.untilProtected();
    }

    @Test
    public void shouldPutAnAcknowledgedEpochInPlaceBeforeServing() {
        cluster.untilProtected();
        beta().guest.applyNanos = 1_500_000_000L;
        long input = cluster.input();
        cluster.runUntil("the answer has left", 300, () -> cluster.isAnswered(input));
        cluster.kill(0);
        cluster.runUntil("beta leads", 3000, () -> beta().consensus.isLeading());
        cluster.run(50);
        assertEquals("TAKING_OVER", beta().state());
        assertFalse(beta().portsActive);
        cluster.runUntil("beta serves", 3000, () -> cluster.server() == beta());
        assertTrue("the epoch that a client knows of is in place", cluster.knows(beta(), input));
        assertTrue(beta().guest.state.isWhole());
    }

    @Test
    public void shouldGoOnFromItsOwnStateWhenTheEpochHadNotArrived() {
        cluster.untilProtected();
        cluster.bulkNanos = 400_000_000L;
        long input = cluster.input();
        cluster.runUntil("beta's guest took the input too", 300, () -> cluster.knows(beta(), input));
        cluster.runUntil("alpha has captured the epoch", 300, () -> alpha.core.primary.phase() == PrimaryEpochs.Phase.AWAIT_PEER_DIRTY);
        assertFalse(cluster.isAnswered(input));
        cluster.kill(0);
        cluster.runUntil("beta serves", 3000, () -> cluster.server() == beta());
        assertTrue("what its guest did by itself counts, and its answer leaves", cluster.isAnswered(input));
        cluster.runUntil("its guest runs", 10, () -> beta().guest.running);
    }

    @Test
    public void shouldLetTheGuestRunAfterTakingOverInWhicheverPhaseThePrimaryDied() {
        for (int micros = 0; micros < 6000; micros += 150) {
            SimCluster c = new SimCluster(micros);
            c.untilProtected();
            c.member(0).endsEpochs = false;
            c.run(50);
            c.member(0).endsEpochs = true;
            c.input();
            c.at(c.now() + micros * 1000L, () -> c.kill(0));
            c.run(1 + micros / 1000);
            c.runUntil("beta serves after a death at " + micros + " us", 3000, () -> c.server() == c.member(1));
            answers(c);
        }
    }

    @Test
    public void shouldHoldOutputFromTheJoinEpochOn() {
        cluster.runUntil("alpha serves", 5000, () -> cluster.server() == alpha);
        cluster.interceptor = (from, to, type) -> type == Wire.APPLIED;
        cluster.runUntil("the join's epoch is captured", 3000, () -> alpha.gate.mode() == OutputGate.Mode.HOLDING);
        assertEquals("SOLO", alpha.state());
        long input = cluster.input();
        cluster.run(100);
        assertFalse("beta may be able to lead soon and does not know this", cluster.isAnswered(input));
    }

    @Test
    public void shouldServeWhileMemoryIsCopied() {
        alpha.guest.precopyNanos = 2_000_000_000L;
        cluster.runUntil("a copy is under way", 5000, () -> alpha.core.snapshot().joinPercent() >= 0);
        for (int i = 0; i < 20; i++) {
            long input = cluster.input();
            cluster.run(5);
            assertTrue("input " + input, cluster.isAnswered(input));
        }
        assertEquals("SOLO", alpha.state());
        cluster.untilProtected();
    }

    @Test
    public void shouldDropABackupThatDoesNotAcknowledgeAndBringItInAgain() {
        cluster.untilProtected();
        cluster.interceptor = (from, to, type) -> type == Wire.STAGED;
        long input = cluster.input();
        cluster.run(150);
        assertFalse("held for as long as the backup may still acknowledge", cluster.isAnswered(input));
        cluster.runUntil("alpha goes on alone", 1000, () -> alpha.state().equals("SOLO"));
        assertTrue("what was held goes out", cluster.isAnswered(input));
        assertTrue(alpha.warnings.toString(), alpha.warnings.stream().anyMatch(w -> w.contains("dropping beta") && w.contains("acknowledged epoch")));
        cluster.interceptor = (from, to, type) -> false;
        cluster.untilProtected();
        assertTrue(beta().states.toString(), beta().states.lastIndexOf("LEARNER") > beta().states.indexOf("BACKUP"));
    }

    @Test
    public void shouldOpenTheGateOnlyWhenTheNewInSyncSetIsAgreed() {
        cluster.untilProtected();
        cluster.cut(0, SimCluster.WITNESS);
        cluster.run(20);
        cluster.kill(1);
        cluster.run(20);
        long input = cluster.input();
        cluster.run(200);
        assertEquals("no majority has agreed", OutputGate.Mode.HOLDING, alpha.gate.mode());
        assertFalse(cluster.isAnswered(input));
        cluster.heal(0, SimCluster.WITNESS);
        cluster.runUntil("alpha goes on alone", 3000, () -> alpha.gate.mode() == OutputGate.Mode.OPEN);
        assertEquals(1, alpha.agreed.inSyncMask());
        answers(cluster);
    }

    @Test
    public void shouldBecomeALearnerWhenDeposed() {
        cluster.untilProtected();
        cluster.cut(0, 1);
        cluster.cut(0, SimCluster.WITNESS);
        cluster.runUntil("beta serves", 5000, () -> cluster.member(1).serves() && cluster.member(1).portsActive);
        cluster.healAll();
        cluster.runUntil("alpha has given up", 3000, () -> alpha.state().equals("LEARNER"));
        assertFalse(alpha.portsActive);
        assertEquals(OutputGate.Mode.CLOSED, alpha.gate.mode());
        assertEquals(0, alpha.gate.heldFrames());
        cluster.untilProtected();
        assertEquals(beta(), cluster.server());
    }

    @Test
    public void shouldHandOverOnSwitchover() throws Exception {
        cluster.untilProtected();
        long before = cluster.input();
        CompletableFuture<String> request = new CompletableFuture<>();
        alpha.step(() -> alpha.core.requestSwitchover(request));
        cluster.runUntil("beta serves", 2000, () -> cluster.server() == beta());
        cluster.runUntil("the order is answered", 1000, request::isDone);
        assertTrue(request.get(), request.get().contains("beta leads view"));
        assertTrue("beta has all of alpha's state", cluster.knows(beta(), before));
        cluster.untilProtected();
        answers(cluster);
    }

    @Test
    public void shouldGoOnServingWhenTheBackupDoesNotTakeOver() {
        cluster.untilProtected();
        beta().guest.applyNanos = 100_000;
        CompletableFuture<String> request = new CompletableFuture<>();
        alpha.step(() -> alpha.core.requestSwitchover(request));
        cluster.runUntil("alpha has let go", 2000, () -> alpha.state().equals("UNSETTLED"));
        cluster.kill(1);
        cluster.runUntil("the order is answered", 5000, request::isDone);
        assertTrue(request.isCompletedExceptionally());
        answers(cluster);
        assertEquals(alpha, cluster.server());
    }

    @Test
    public void shouldHandOverWhenTheGuestFailsDuringASwitchover() {
        cluster.untilProtected();
        alpha.step(() -> alpha.core.requestSwitchover(new CompletableFuture<>()));
        cluster.runUntil("the switchover's epoch ends", 500, () -> alpha.core.primary.isHandingOver());
        alpha.guest.fail();
        cluster.runUntil("beta serves", 2000, () -> cluster.server() == beta());
        answers(cluster);
        assertEquals("nothing is booted anew while beta has the guest's state", 1, cluster.boots);
    }

    @Test
    public void shouldLetTheGuestRunOnWhenTheBackupDiesInWhicheverPhaseOfASwitchover() {
        for (PrimaryEpochs.Phase phase : new PrimaryEpochs.Phase[] {PrimaryEpochs.Phase.CAPTURING,
                PrimaryEpochs.Phase.AWAIT_PEER_DIRTY, PrimaryEpochs.Phase.FINISHING, PrimaryEpochs.Phase.TRANSFERRING}) {
            SimCluster c = new SimCluster(phase.ordinal());
            c.untilProtected();
            SimMember primary = c.server();
            c.noticeNanosMax = 1;
            c.bulkNanos = 2_000_000;
            primary.guest.finishNanos = 5_000_000;
            CompletableFuture<String> request = new CompletableFuture<>();
            primary.step(() -> primary.core.requestSwitchover(request));
            c.runUntil("phase " + phase, 500, () -> primary.core.primary.phase() == phase);
            c.kill(1 - primary.index);
            c.runUntil("the order is answered", 5000, request::isDone);
            answers(c);
        }
    }

    @Test
    public void shouldProtectAGuestAgainThatFailedInTheMiddleOfAnEpochsEnd() {
        cluster.untilProtected();
        alpha.guest.captureNanos = 50_000_000;
        cluster.runUntil("an epoch is being captured", 500, () -> alpha.core.primary.phase() == PrimaryEpochs.Phase.CAPTURING);
        alpha.guest.fail();
        cluster.runUntil("beta serves", 2000, () -> cluster.server() == beta());
        alpha.guest.captureNanos = 300_000;
        cluster.untilProtected();
        cluster.kill(1);
        cluster.runUntil("alpha serves", 3000, () -> cluster.server() == alpha);
        cluster.restart(1);
        cluster.untilProtected();
    }

    @Test
    public void shouldRefuseASwitchoverWithoutABackup() {
        cluster.untilProtected();
        cluster.kill(1);
        cluster.runUntil("alpha is alone", 2000, () -> alpha.state().equals("SOLO"));
        CompletableFuture<String> request = new CompletableFuture<>();
        alpha.step(() -> alpha.core.requestSwitchover(request));
        assertTrue(request.isCompletedExceptionally());
        request.exceptionally(e -> {
            assertTrue(e.getMessage(), e.getMessage().contains("no backup is in sync"));
            return null;
        });
    }

    @Test
    public void shouldReplaceABackupWhoseGuestFails() {
        cluster.untilProtected();
        beta().guest.fail();
        cluster.runUntil("alpha goes on alone", 1000, () -> alpha.state().equals("SOLO"));
        assertTrue(alpha.warnings.toString(), alpha.warnings.stream().anyMatch(w -> w.contains("beta reports") && w.contains("killed")));
        answers(cluster);
        cluster.untilProtected();
        assertEquals(1, cluster.boots);
    }

    @Test
    public void shouldKeepTheLogsOrderAcrossAnEpochsEnd() {
        cluster.untilProtected();
        long last = 0;
        for (int i = 0; i < 400; i++) {
            last = cluster.input();
            cluster.run(i % 4 == 0 ? 1 : 0);
        }
        long theLast = last;
        cluster.runUntil("all are answered", 1000, () -> cluster.isAnswered(theLast));
        assertTrue("epochs have ended meanwhile", alpha.epochs.size() >= 2);
    }

    @Test
    public void shouldCancelAJoinWhoseLearnerGoesAway() {
        alpha.guest.precopyNanos = 500_000_000L;
        cluster.runUntil("a copy is under way", 5000, () -> alpha.core.snapshot().joinPercent() >= 0);
        cluster.kill(1);
        cluster.runUntil("the join is given up", 1000, () -> alpha.core.snapshot().joinPercent() < 0);
        assertEquals(OutputGate.Mode.OPEN, alpha.gate.mode());
        answers(cluster);
        cluster.restart(1);
        cluster.untilProtected();
    }

    @Test
    public void shouldOpenTheGateAgainWhenAJoinIsGivenUpAfterItsEpoch() {
        cluster.interceptor = (from, to, type) -> type == Wire.APPLIED;
        cluster.runUntil("the join's epoch is captured", 5000, () -> alpha.gate.mode() == OutputGate.Mode.HOLDING);
        cluster.kill(1);
        cluster.runUntil("alpha serves as before", 1000, () -> alpha.gate.mode() == OutputGate.Mode.OPEN);
        answers(cluster);
    }

    /** It may be agreed on yet, and lead. */
    @Test
    public void shouldKeepTheGateShutWhenABackupGoesAwayThatHasBeenProposed() {
        cluster.runUntil("beta is proposed", 5000, () -> alpha.consensus.membership() != null && alpha.consensus.membership().isInSync(1));
        cluster.cut(0, 1);
        cluster.cut(0, SimCluster.WITNESS);
        cluster.run(400);
        assertTrue(alpha.gate.mode() != OutputGate.Mode.OPEN);
        cluster.healAll();
        cluster.untilProtected();
        answers(cluster);
    }

    @Test
    public void shouldHandOverWhenThePrimarysGuestFails() {
        cluster.untilProtected();
        long input = cluster.input();
        cluster.runUntil("answered", 300, () -> cluster.isAnswered(input));
        alpha.guest.fail();
        cluster.runUntil("beta serves", 2000, () -> cluster.server() == beta());
        assertTrue(cluster.knows(beta(), input));
        assertEquals("booted once in all", 1, cluster.boots);
        answers(cluster);
        cluster.untilProtected();
    }

    @Test
    public void shouldBootAnewWithoutABackupAtMostThreeTimes() {
        cluster.runUntil("alpha serves", 5000, () -> cluster.server() == alpha);
        cluster.kill(1);
        cluster.run(100);
        for (int i = 1; i <= 3; i++) {
            alpha.guest.fail();
            int boots = 1 + i;
            cluster.runUntil("it boots again", 3000, () -> alpha.guest.boots == boots);
            answers(cluster);
        }
        alpha.guest.fail();
        cluster.runUntil("alpha gives up", 1000, () -> alpha.state().equals("FAILED"));
        assertFalse(alpha.portsActive);
        assertEquals(OutputGate.Mode.CLOSED, alpha.gate.mode());
        assertEquals(4, alpha.guest.boots);
        assertTrue(alpha.core.snapshot().message(), alpha.core.snapshot().message().contains("mend the cause"));
    }

    @Test
    public void shouldComeBackAsALearnerAfterARestart() {
        cluster.untilProtected();
        long input = cluster.input();
        cluster.runUntil("answered", 300, () -> cluster.isAnswered(input));
        cluster.kill(0);
        cluster.runUntil("beta serves", 3000, () -> cluster.server() == beta());
        cluster.restart(0);
        cluster.untilProtected();
        assertEquals(beta(), cluster.server());
        assertFalse(cluster.member(0).states.contains("SOLO"));
        cluster.kill(1);
        cluster.runUntil("alpha serves", 3000, () -> cluster.server() == cluster.member(0));
        assertTrue(cluster.knows(cluster.member(0), input));
    }

    @Test
    public void shouldGoOnWhenTheWitnessDies() {
        cluster.untilProtected();
        cluster.kill(SimCluster.WITNESS);
        answers(cluster);
        assertEquals("PROTECTED", alpha.state());
        cluster.restart(SimCluster.WITNESS);
        cluster.run(500);
        cluster.kill(0);
        cluster.runUntil("beta serves", 3000, () -> cluster.server() == beta());
    }

    @Test
    public void shouldFailAComparisonThatCannotBeMade() {
        cluster.untilProtected();
        CompletableFuture<VerifyReport> request = new CompletableFuture<>();
        alpha.step(() -> alpha.core.requestVerify(request));
        cluster.kill(1);
        cluster.runUntil("the order is answered", 3000, request::isDone);
        assertTrue(request.isCompletedExceptionally());
        CompletableFuture<VerifyReport> second = new CompletableFuture<>();
        alpha.step(() -> alpha.core.requestVerify(second));
        assertTrue(second.isCompletedExceptionally());
    }

    @Test
    public void shouldRefuseMessagesOfAnotherView() {
        cluster.untilProtected();
        alpha.endsEpochs = false;
        cluster.run(100);
        long view = alpha.consensus.view();
        int states = alpha.states.size();
        for (long other : new long[] {view - 1, view + 1}) {
            alpha.step(() -> alpha.core.onMessage(1, 0, Wire.message(Wire.BACKUP_FAILED, other, 2).putShort((short) 0).flip()));
        }
        cluster.run(300);
        assertEquals("the backup was not dropped: " + alpha.states, states, alpha.states.size());
        alpha.step(() -> alpha.core.onMessage(1, 0, Wire.message(Wire.BACKUP_FAILED, view, 2).putShort((short) 0).flip()));
        cluster.runUntil("beta is dropped", 300, () -> alpha.state().equals("SOLO"));
        assertNotNull(cluster.server());
    }

    /** Whoever serves answers a client before long. */
    static void answers(SimCluster c) {
        long[] input = {c.input()};
        long[] next = {c.now()};
        c.runUntil("a client is answered", 1000, () -> {
            if (c.now() - next[0] > 100_000_000) { // as a client does, it asks again
                next[0] = c.now();
                input[0] = c.input();
            }
            return c.isAnswered(input[0]);
        });
    }
}
