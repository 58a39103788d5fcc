package org.plover.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;

public class CheckerTest {
    private static final int CONNECTIONS = 3;

    private FaultyRedis server;

    @Before
    public void startServer() throws IOException {
        server = new FaultyRedis();
    }

    @After
    public void stopServer() throws Exception {
        server.close();
    }

    private CheckerOptions options() {
        return server.options().withConnections(CONNECTIONS).withKeys(3).withThink(Duration.ofMillis(1));
    }

    private Checker working() throws Exception {
        Checker checker = Checker.start(options());
        server.awaitWrites(30);
        return checker;
    }

    @Test
    public void shouldFindNothingWrongWithAServerThatKeepsItsPromises() throws Exception {
        try (Checker checker = working()) {
            CheckerReport report = checker.stop();
            assertTrue(report.toJson().toString(), report.clean());
            assertTrue(report.acknowledgedWrites() >= 27);
            assertTrue(report.reads() > 0);
            assertEquals(report.acknowledgedWrites() + report.reads(), report.latency().getTotalCount());
            assertTrue(report.problems().isEmpty());
        }
    }

    @Test
    public void shouldLeaveNothingBehindInTheServer() throws Exception {
        try (Checker checker = working()) {
            assertTrue(server.storedKeys() > 0);
            checker.stop();
            assertEquals(0, server.storedKeys());
        }
    }

    @Test
    public void shouldCountEveryAcknowledgedWriteThatIsMissingFromTheList() throws Exception {
        try (Checker checker = working()) {
            server.dropAppends(7);
            server.awaitWrites(30);
            CheckerReport report = checker.stop();
            assertEquals(7, report.lostWrites());
            assertFalse(report.clean());
            assertFalse(report.problems().isEmpty());
        }
    }

    @Test
    public void shouldFindALastWriteThatIsMissingFromItsKeyThoughTheListHasIt() throws Exception {
        // Only the last value of a key counts at the end: the server loses all sets from now on.
        try (Checker checker = working()) {
            server.dropSets(Integer.MAX_VALUE);
            server.awaitWrites(30);
            CheckerReport report = checker.stop();
            assertTrue("lost " + report.lostWrites(), report.lostWrites() > 0 && report.lostWrites() <= CONNECTIONS * 3);
        }
    }

    @Test
    public void shouldCountEveryReadThatGoesBackInTime() throws Exception {
        try (Checker checker = working()) {
            server.ageReads(5);
            server.awaitFaultyReads();
            CheckerReport report = checker.stop();
            assertEquals(5, report.staleReads());
            assertEquals(0, report.lostWrites());
            assertFalse(report.clean());
        }
    }

    @Test
    public void shouldCountEveryReadOfAValueThatNobodyWrote() throws Exception {
        try (Checker checker = working()) {
            server.corruptReads(4);
            server.awaitFaultyReads();
            CheckerReport report = checker.stop();
            assertEquals(4, report.corruptReads());
            assertFalse(report.clean());
        }
    }

    @Test
    public void shouldFindWritesThatWereExecutedTwice() throws Exception {
        try (Checker checker = working()) {
            server.doubleAppends(3);
            server.awaitWrites(30);
            CheckerReport report = checker.stop();
            assertEquals(3, report.duplicatedWrites());
            assertEquals(0, report.lostWrites());
            assertFalse(report.clean());
        }
    }

    @Test
    public void shouldFindWritesThatStandInTheWrongOrder() throws Exception {
        try (Checker checker = working()) {
            server.swapAppends(1);
            server.awaitWrites(30);
            CheckerReport report = checker.stop();
            assertEquals(1, report.misorderedWrites());
            assertEquals(0, report.lostWrites());
            assertFalse(report.clean());
        }
    }

    @Test
    public void shouldFindLostWritesAndStaleReadsWhenAnOldCopyOfTheServerAnswers() throws Exception {
        try (Checker checker = working()) {
            Runnable restore = server.restorePoint();
            server.awaitWrites(60);
            restore.run();
            server.awaitWrites(30);
            CheckerReport report = checker.stop();
            assertTrue("lost " + report.lostWrites(), report.lostWrites() >= 60);
            assertTrue("stale " + report.staleReads(), report.staleReads() > 0);
        }
    }

    @Test
    public void shouldCountABrokenConnectionAndNeverReconnect() throws Exception {
        try (Checker checker = working()) {
            server.breakConnections(1);
            server.awaitWrites(30);
            CheckerReport report = checker.stop();
            assertEquals(1, report.connectionsBroken());
            assertEquals(0, report.lostWrites());
            assertEquals(0, report.unverifiedWrites());
            assertFalse(report.clean());
        }
    }

    @Test
    public void shouldAcceptAWriteThatWasExecutedButNeverAcknowledged() throws Exception {
        try (Checker checker = working()) {
            server.breakAfterNextAppend();
            server.awaitWrites(30);
            CheckerReport report = checker.stop();
            assertEquals(1, report.connectionsBroken());
            assertEquals(0, report.lostWrites());
            assertEquals(0, report.corruptReads());
            assertEquals(0, report.duplicatedWrites());
        }
    }

    @Test
    public void shouldComeBackAfterAnAnnouncedRestartAndFindEverything() throws Exception {
        try (Checker checker = working()) {
            checker.restart("power lost");
            server.breakAllConnections();
            server.awaitWrites(30);
            CheckerReport report = checker.stop();
            assertTrue(report.toJson().toString(), report.clean());
            assertEquals("power lost", report.outages().get(0).mark());
            assertEquals("one by each connection after the restart and one at the end", 2 * CONNECTIONS, report.audits());
        }
    }

    @Test
    public void shouldCountWhatARestartedServerHasForgotten() throws Exception {
        try (Checker checker = working()) {
            Runnable restore = server.restorePoint();
            server.awaitWrites(60);
            server.stall();
            server.awaitBlockedConnections(CONNECTIONS);
            checker.restart("power lost");
            restore.run();
            server.goOn();
            server.awaitWrites(30);
            CheckerReport report = checker.stop();
            assertTrue("lost " + report.lostWrites(), report.lostWrites() >= 60 - CONNECTIONS);
            assertEquals(0, report.connectionsBroken());
        }
    }

    @Test
    public void shouldMakeAWriteAgainWhoseOutcomeTheRestartHid() throws Exception {
        try (Checker checker = working()) {
            server.stall();
            server.awaitBlockedConnections(CONNECTIONS);
            // What hangs in the server is executed or not: either must do.
            checker.restart("power lost");
            server.goOn();
            server.awaitWrites(30);
            CheckerReport report = checker.stop();
            assertEquals(0, report.lostWrites());
            assertEquals(0, report.connectionsBroken());
        }
    }

    @Test
    public void shouldCountABreakAfterTheRestartIsOver() throws Exception {
        try (Checker checker = working()) {
            checker.restart("power lost");
            server.awaitWrites(30);
            while (checker.audits() < CONNECTIONS) {
                Thread.onSpinWait();
            }
            server.breakAllConnections();
            while (checker.connectionsBroken() < CONNECTIONS) {
                Thread.onSpinWait();
            }
            CheckerReport report = checker.stop();
            assertEquals(CONNECTIONS, report.connectionsBroken());
            assertEquals(0, report.lostWrites());
        }
    }

    @Test
    public void shouldFindALostWriteWhileItWorks() throws Exception {
        try (Checker checker = Checker.start(options().withConnections(1))) {
            server.awaitWrites(10);
            server.dropAppends(1);
            server.awaitWrites(2);
            checker.audit();
            while (checker.audits() < 1) {
                Thread.onSpinWait();
            }
            CheckerReport report = checker.stop();
            assertEquals("counted once though two audits missed it", 1, report.lostWrites());
            assertEquals(2, report.audits());
        }
    }

    @Test
    public void shouldTreatAnErrorReplyAsABrokenConnection() throws Exception {
        try (Checker checker = Checker.start(options().withConnections(1))) {
            server.awaitWrites(5);
            server.refuseWrites();
            server.stall();
            server.awaitBlockedConnections(1);
            server.goOn();
            while (checker.connectionsBroken() == 0) {
                Thread.onSpinWait();
            }
            CheckerReport report = checker.stop();
            assertEquals(1, report.connectionsBroken());
            assertEquals(0, report.lostWrites());
            assertTrue(report.problems().toString(), report.problems().get(0).contains("OOM"));
        }
    }

    @Test
    public void shouldMeasureTheOutageAfterAMark() throws Exception {
        long stallMillis = 80;
        try (Checker checker = working()) {
            server.stall();
            server.awaitBlockedConnections(CONNECTIONS);
            checker.mark("stalled");
            assertEquals(CONNECTIONS, checker.outages().get(0).unanswered());
            Thread.sleep(stallMillis);
            server.goOn();
            server.awaitWrites(CONNECTIONS * 3);
            CheckerReport report = checker.stop();
            Outage outage = report.outages().get(0);
            assertEquals("stalled", outage.mark());
            assertEquals(0, outage.unanswered());
            assertTrue(outage.toString(), outage.millis() >= stallMillis);
            assertTrue(outage.toString(), outage.firstReplyMillis() >= stallMillis);
            assertTrue(report.latency().getMaxValue() >= stallMillis * 1_000);
            assertTrue("a stall breaks no promise", report.clean());
        }
    }

    @Test
    public void shouldNotCallWritesSafeThatItCouldNotLookFor() throws Exception {
        try (Checker checker = Checker.start(options().withAnswerTimeout(Duration.ofMillis(100)))) {
            server.awaitWrites(30);
            server.stall();
            server.awaitBlockedConnections(CONNECTIONS);
            CheckerReport report = checker.stop();
            assertEquals(CONNECTIONS, report.connectionsBroken());
            assertTrue(report.acknowledgedWrites() > 0);
            assertEquals(report.acknowledgedWrites(), report.unverifiedWrites());
            assertFalse(report.clean());
        }
    }

    @Test
    public void shouldStopByItselfAfterTheGivenDuration() throws Exception {
        try (Checker checker = Checker.start(options().withDuration(Duration.ofMillis(100)))) {
            Report report = checker.awaitReport(Duration.ofMinutes(1)).orElseThrow();
            assertTrue(report.clean());
        }
    }

    @Test
    public void shouldWaitForAServerThatIsNotThereYet() throws Exception {
        int port = freePort();
        CompletableFuture<FaultyRedis> late = CompletableFuture.supplyAsync(() -> {
            try {
                return new FaultyRedis(port);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }, CompletableFuture.delayedExecutor(250, TimeUnit.MILLISECONDS));
        try (Checker checker = Checker.start(CheckerOptions.of("127.0.0.1", port).withConnections(1))) {
            late.join().awaitWrites(1);
            assertTrue(checker.stop().clean());
        } finally {
            late.join().close();
        }
    }

    @Test
    public void shouldSayWhichServerItCouldNotReach() throws Exception {
        int port = freePort();
        IOException e = assertThrows(IOException.class, () ->
                Checker.start(CheckerOptions.of("127.0.0.1", port).withConnectTimeout(Duration.ZERO)));
        assertTrue(e.getMessage(), e.getMessage().contains(Integer.toString(port)));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
