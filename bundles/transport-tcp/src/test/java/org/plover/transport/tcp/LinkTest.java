package org.plover.transport.tcp;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.plover.api.transport.Lane;
import org.plover.api.transport.Transport;

@RunWith(Parameterized.class)
public class LinkTest {
    @Parameterized.Parameters(name = "{0}")
    public static Object[] over() {
        return Trio.Security.values();
    }

    @Parameterized.Parameter
    public Trio.Security security;

    private static final int HEARTBEAT_MILLIS = 20;
    private static final int SILENCE_MILLIS = 300;

    private Trio trio;
    private final Recorder a = new Recorder();
    private final Recorder b = new Recorder();

    @Before
    public void open() throws IOException {
        trio = new Trio(security);
    }

    @After
    public void close() throws IOException {
        trio.close();
    }

    private static ByteBuffer text(String text) {
        return ByteBuffer.wrap(text.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    }

    /** Messages of earlier connections may be lost, so tests of a new one wait for this one. */
    private static void awaitText(Recorder recorder, String text) {
        recorder.await("message " + text, all -> all.stream()
                .anyMatch(e -> e.kind().equals("message") && text.equals(new String(e.bytes()))));
    }

    @Test
    public void shouldTellBothSidesWhoConnectedAndMeasureTheRoundTrip() throws Exception {
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        TcpTransport tb = trio.open(1, b, Trio.QUICK);
        a.awaitConnected(1, 1);
        b.awaitConnected(0, 1);

        assertEquals(1_001, a.events("connected", 1).get(0).incarnation());
        assertEquals(1_000, b.events("connected", 0).get(0).incarnation());
        assertTrue(ta.isConnected(1));
        assertFalse(ta.isConnected(2));
        assertEquals(-1, ta.roundTripMicros(2));
        Recorder.awaitTrue("round trips", () -> ta.roundTripMicros(1) > 0 && tb.roundTripMicros(0) > 0);
        assertFalse(ta.send(2, Lane.CONTROL, text("nobody")));
        assertThrows(IllegalArgumentException.class, () -> ta.send(0, Lane.CONTROL, text("myself")));
        assertThrows(IllegalArgumentException.class,
                () -> ta.send(1, Lane.BULK, ByteBuffer.allocate(Transport.MESSAGE_BYTES_MAX), text("x")));
    }

    @Test
    public void shouldReconnectAfterTheLinkWasCutAndTellTheListenerOnceEach() throws Exception {
        FaultyLink link = trio.faultyLinkTo(1);
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        trio.open(1, b, Trio.at(Trio.QUICK, trio.hiddenHost(1)));
        for (int round = 1; round <= 3; round++) {
            a.awaitConnected(1, round);
            b.awaitConnected(0, round);
            String hello = "hello " + round;
            assertTrue(ta.send(1, Lane.BULK, text(hello)));
            awaitText(b, hello);
            link.cut();
            a.awaitDisconnected(1, round);
            b.awaitDisconnected(0, round);
        }
        a.awaitConnected(1, 4);
        List<String> kinds = a.events().stream().map(Recorder.Event::kind).toList();
        for (int i = 0; i < kinds.size(); i++) {
            assertEquals(i % 2 == 0 ? "connected" : "disconnected", kinds.get(i));
        }
    }

    @Test
    public void shouldDropAMessageThatWasCutInTheMiddleAndGoOnWithWholeOnes() throws Exception {
        FaultyLink link = trio.faultyLinkTo(1);
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        trio.open(1, b, Trio.at(Trio.QUICK, trio.hiddenHost(1)));
        a.awaitConnected(1, 1);
        link.truncateAfter(150_000);

        ta.send(1, Lane.BULK, ByteBuffer.allocate(1_000_000)); // whether it was accepted depends on when the cut is noticed

        b.awaitDisconnected(0, 1);
        a.awaitConnected(1, 2);
        Recorder.awaitTrue("a send on the new link", () -> ta.send(1, Lane.BULK, text("whole")));
        b.awaitMessages(0, 1);
        assertEquals("whole", new String(b.events("message", 0).get(0).bytes()));
    }

    @Test
    public void shouldDeliverNothingOfAnOldConnectionAfterTheDisconnection() throws Exception {
        FaultyLink link = trio.faultyLinkTo(1);
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Recorder slow = new Recorder() {
            @Override
            public void onMessage(int member, Lane lane, ByteBuffer message) {
                super.onMessage(member, lane, message);
                inside.countDown();
                awaitLatch(go);
            }
        };
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        trio.open(1, slow, Trio.at(Trio.QUICK, trio.hiddenHost(1)));
        a.awaitConnected(1, 1);
        for (int i = 0; i < 100; i++) {
            assertTrue(ta.send(1, Lane.BULK, text("old")));
        }
        awaitLatch(inside);
        link.refuse(true);
        link.cut();
        a.awaitDisconnected(1, 1);
        assertEquals("the listener is still inside a message", 0, slow.events("disconnected", 0).size());
        go.countDown();
        slow.awaitDisconnected(0, 1);
        int before = slow.events().size();
        link.refuse(false);
        slow.awaitConnected(0, 2);
        assertEquals("connected", slow.events().get(before).kind());
    }

    @Test
    public void shouldNoticeAStalledLinkAsSilenceOnBothSidesAndRecover() throws Exception {
        FaultyLink link = trio.faultyLinkTo(1);
        Settings settings = Trio.settings(HEARTBEAT_MILLIS, SILENCE_MILLIS);
        trio.open(0, a, settings);
        trio.open(1, b, Trio.at(settings, trio.hiddenHost(1)));
        a.awaitConnected(1, 1);
        b.awaitConnected(0, 1);

        link.stall(true);

        assertTrue(a.awaitDisconnected(1, 1), a.awaitDisconnected(1, 1).matches("silent for \\d+ ms"));
        assertTrue(b.awaitDisconnected(0, 1), b.awaitDisconnected(0, 1).matches("silent for \\d+ ms"));
        link.stall(false);
        a.awaitConnected(1, 2);
        b.awaitConnected(0, 2);
    }

    @Test
    public void shouldStayConnectedOverASlowLinkWithoutTraffic() throws Exception {
        FaultyLink link = trio.faultyLinkTo(1);
        link.delay(20_000);
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        trio.open(1, b, Trio.at(Trio.QUICK, trio.hiddenHost(1)));
        a.awaitConnected(1, 1);
        Recorder.awaitTrue("a round trip of two delays", () -> ta.roundTripMicros(1) >= 40_000);
        assertEquals(0, a.events("disconnected", 1).size());
    }

    @Test
    public void shouldForgiveItsOwnPauseBeforeItJudgesSilence() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Recorder paused = new Recorder() {
            @Override
            public void onMessage(int member, Lane lane, ByteBuffer message) {
                inside.countDown();
                awaitLatch(go);
                super.onMessage(member, lane, message);
            }
        };
        FaultyLink link = trio.faultyLinkTo(2);
        Recorder w = new Recorder();
        Settings patient = Trio.settings(HEARTBEAT_MILLIS, 60_000);
        trio.open(0, paused, Trio.settings(HEARTBEAT_MILLIS, SILENCE_MILLIS));
        TcpTransport tb = trio.open(1, b, patient);
        TcpTransport tw = trio.open(2, w, Trio.at(patient, trio.hiddenHost(2)));
        paused.awaitConnected(1, 1);
        paused.awaitConnected(2, 1);
        b.awaitConnected(0, 1);

        // Member 0's control thread is held up for two silences while the link to member 2 brings nothing.
        link.stall(true);
        assertTrue(tb.send(0, Lane.CONTROL, text("hold")));
        awaitLatch(inside);
        TimeUnit.MILLISECONDS.sleep(2 * SILENCE_MILLIS);
        go.countDown();
        paused.awaitMessages(1, 1);
        link.stall(false);

        Recorder.awaitTrue("a message on the link that was never lost", () -> tw.send(0, Lane.CONTROL, text("here")));
        paused.awaitMessages(2, 1);
        assertEquals(List.of(), paused.events("disconnected", 2));

        // Forgiven once, not for ever.
        link.stall(true);
        paused.awaitDisconnected(2, 1);
    }

    @Test
    public void shouldRefuseMessagesBeyondTheQueueLimitAndSayHowMuchWaits() throws Exception {
        long limit = 1 << 20;
        CountDownLatch go = new CountDownLatch(1);
        AtomicInteger received = new AtomicInteger();
        Recorder slow = new Recorder() {
            @Override
            public void onMessage(int member, Lane lane, ByteBuffer message) {
                awaitLatch(go);
                received.incrementAndGet();
            }
        };
        TcpTransport ta = trio.open(0, a, Trio.queue(Trio.QUICK, limit));
        trio.open(1, slow, Trio.QUICK);
        a.awaitConnected(1, 1);
        ByteBuffer message = ByteBuffer.allocateDirect(50_000);
        int sent = 0;
        while (ta.send(1, Lane.BULK, message.clear())) {
            sent++;
            assertTrue("the queue stays within its limit", ta.queuedBytes(1, Lane.BULK) <= limit);
            assertTrue("the kernel takes less than 64 MiB", sent < (64 << 20) / 50_000);
        }
        assertTrue("the limit is used", ta.queuedBytes(1, Lane.BULK) > limit - 50_004);
        assertTrue("the other lane has a queue of its own", ta.send(1, Lane.CONTROL, text("still")));

        go.countDown();
        int all = sent + 1;
        Recorder.awaitTrue("everything accepted arrives", () -> received.get() == all);
        // The receiver may have the last message before the sender has counted it as gone.
        Recorder.awaitTrue("nothing waits any more", () -> ta.queuedBytes(1, Lane.BULK) == 0);
        assertTrue(ta.send(1, Lane.BULK, message.clear()));
    }

    @Test
    public void shouldKeepControlGoingWhileABulkListenerIsBusy() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        Recorder slow = new Recorder() {
            @Override
            public void onMessage(int member, Lane lane, ByteBuffer message) {
                if (lane == Lane.BULK) {
                    awaitLatch(go);
                }
                super.onMessage(member, lane, message);
            }
        };
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        trio.open(1, slow, Trio.QUICK);
        a.awaitConnected(1, 1);
        assertTrue(ta.send(1, Lane.BULK, text("pages")));
        assertTrue(ta.send(1, Lane.CONTROL, text("input")));
        slow.awaitMessages(0, 1);
        assertEquals(Lane.CONTROL, slow.events("message", 0).get(0).lane());
        go.countDown();
        slow.awaitMessages(0, 2);
    }

    @Test
    public void shouldBuildTheLinkAnewWhenTheListenerFails() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        Recorder failing = new Recorder() {
            @Override
            public void onMessage(int member, Lane lane, ByteBuffer message) {
                if (calls.incrementAndGet() == 1) {
                    throw new IllegalStateException("intended by the test");
                }
                super.onMessage(member, lane, message);
            }
        };
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        trio.open(1, failing, Trio.QUICK);
        a.awaitConnected(1, 1);
        assertTrue(ta.send(1, Lane.CONTROL, text("first")));
        assertTrue(failing.awaitDisconnected(0, 1).contains("intended by the test"));
        a.awaitConnected(1, 2);
        Recorder.awaitTrue("a send on the new link", () -> ta.send(1, Lane.CONTROL, text("second")));
        failing.awaitMessages(0, 1);
    }

    @Test
    public void shouldStopThreadsAndListenerCallsWhenClosed() throws Exception {
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        TcpTransport tb = trio.open(1, b, Trio.QUICK);
        a.awaitConnected(1, 1);
        b.awaitConnected(0, 1);
        assertEquals(4, transportThreads());
        Thread flood = new Thread(() -> {
            while (ta.send(1, Lane.CONTROL, text("flood")) || ta.isConnected(1)) {
                Thread.onSpinWait();
            }
        });
        flood.start();
        b.awaitMessages(0, 100);

        tb.close();
        int told = b.events().size();
        a.awaitDisconnected(1, 1);
        flood.join();
        ta.close();
        ta.close();

        assertEquals(told, b.events().size());
        assertFalse(ta.isConnected(1));
        assertFalse(ta.send(1, Lane.CONTROL, text("late")));
        Recorder.awaitTrue("threads end", () -> transportThreads() == 0);
        trio.open(1, b, Trio.QUICK); // the port is free again
    }

    @Test
    public void shouldLetAListenerCloseTheTransport() throws Exception {
        CountDownLatch closed = new CountDownLatch(1);
        TcpTransport[] self = new TcpTransport[1];
        Recorder closing = new Recorder() {
            @Override
            public void onMessage(int member, Lane lane, ByteBuffer message) {
                self[0].close();
                super.onMessage(member, lane, message);
                closed.countDown();
            }
        };
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        self[0] = trio.open(1, closing, Trio.QUICK);
        a.awaitConnected(1, 1);
        ta.send(1, Lane.CONTROL, text("one"));
        ta.send(1, Lane.CONTROL, text("two"));
        awaitLatch(closed);
        a.awaitDisconnected(1, 1);
        assertEquals(1, closing.events("message", 0).size());
    }

    @Test
    public void shouldSayWhoTookThePortAndWhatToDo() throws Exception {
        trio.open(0, a, Trio.QUICK);
        int before = transportThreads();
        IOException taken = assertThrows(IOException.class, () -> trio.open(0, b, Trio.QUICK));
        assertTrue(taken.getMessage(), taken.getMessage().contains(trio.host(0) + ":" + Trio.PORT));
        assertTrue(taken.getMessage(), taken.getMessage().contains("ss -ltnp"));
        IOException foreign = assertThrows(IOException.class, () -> trio.open(0, b, Trio.at(Trio.QUICK, "192.0.2.1")));
        assertTrue(foreign.getMessage(), foreign.getMessage().contains("listenHost"));
        assertEquals(before, transportThreads());
    }

    private static int transportThreads() {
        return (int) Thread.getAllStackTraces().keySet().stream().filter(t -> t.getName().startsWith("plover-transport-trio")).count();
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            assertTrue("waited 30 s", latch.await(30, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
