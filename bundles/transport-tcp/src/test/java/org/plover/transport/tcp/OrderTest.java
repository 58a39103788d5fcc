package org.plover.transport.tcp;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.plover.api.group.Group;
import org.plover.api.transport.Lane;
import org.plover.api.transport.Transport;
import org.plover.api.transport.TransportListener;

@RunWith(Parameterized.class)
public class OrderTest {
    @Parameterized.Parameters(name = "{0}")
    public static Object[] over() {
        return Trio.Security.values();
    }

    @Parameterized.Parameter
    public Trio.Security security;

    private static final int SENDERS = 2;
    private static final int MESSAGES = 400;
    private static final int[] SIZES = {0, 1, 9, 200, 1_400, 16 << 10, (16 << 10) + 1, 70_000, 300_000};

    /** Checks order and content as messages arrive; keeps none of them. */
    private static final class Checker implements TransportListener {
        final CountDownLatch connected = new CountDownLatch(2);
        final CountDownLatch complete;
        final AtomicReference<String> fault = new AtomicReference<>();
        private final int[][] empty = new int[Group.SIZE][2];
        private final int[][][] next = new int[Group.SIZE][2][SENDERS];

        Checker(int expected) {
            complete = new CountDownLatch(expected);
        }

        @Override
        public void onMessage(int member, Lane lane, ByteBuffer m) {
            if (!m.hasRemaining()) {
                empty[member][lane.ordinal()]++;
            } else {
                int sender = m.get();
                int expected = next[member][lane.ordinal()][sender]++;
                byte[] bytes = new byte[m.remaining()];
                m.get(bytes);
                byte[] wanted = content(member, lane, sender, expected);
                if (!java.util.Arrays.equals(bytes, wanted)) {
                    fault.compareAndSet(null, "message " + expected + " of sender " + sender + " of member " + member + " on " + lane
                            + ": " + bytes.length + " bytes instead of " + wanted.length + ", or other content");
                }
            }
            complete.countDown();
        }

        @Override
        public void onConnected(int member, long incarnation) {
            connected.countDown();
        }

        @Override
        public void onDisconnected(int member, String reason) {
            fault.compareAndSet(null, "lost member " + member + ": " + reason);
        }
    }

    private static byte[] content(int member, Lane lane, int sender, int index) {
        SplittableRandom random = new SplittableRandom(((member * 2L + lane.ordinal()) * SENDERS + sender) * MESSAGES + index);
        byte[] bytes = new byte[index == MESSAGES / 2 && sender == 0 && lane == Lane.BULK
                ? Transport.MESSAGE_BYTES_MAX - 1 : SIZES[index % SIZES.length]];
        random.nextBytes(bytes);
        return bytes;
    }

    private static void sendAll(Transport transport, int self, int to, Lane lane, int sender) {
        for (int i = 0; i < MESSAGES; i++) {
            ByteBuffer first = ByteBuffer.allocate(1).put(0, (byte) sender);
            byte[] bytes = content(self, lane, sender, i);
            boolean direct = i % 2 == 0;
            while (!transport.send(to, lane, parts(first.duplicate(), bytes, direct))) {
                LockSupport.parkNanos(100_000);
            }
            while (!transport.send(to, lane)) {
                LockSupport.parkNanos(100_000);
            }
        }
    }

    /** The content in two parts; direct memory takes the gathering path when all of it is direct. */
    private static ByteBuffer[] parts(ByteBuffer first, byte[] bytes, boolean direct) {
        ByteBuffer head = direct ? ByteBuffer.allocateDirect(1).put(first).flip() : first;
        ByteBuffer all = direct ? ByteBuffer.allocateDirect(bytes.length).put(bytes).flip() : ByteBuffer.wrap(bytes);
        ByteBuffer front = all.duplicate().limit(bytes.length / 3);
        return new ByteBuffer[] {head, front, all.position(bytes.length / 3)};
    }

    @Test
    public void shouldDeliverEveryMessageWholeAndInOrderFromConcurrentSendersOnBothLanes() throws Exception {
        int expected = 2 * 2 * SENDERS * MESSAGES * 2;
        try (Trio trio = new Trio(security)) {
            List<Checker> checkers = new ArrayList<>();
            List<TcpTransport> transports = new ArrayList<>();
            for (int i = 0; i < Group.SIZE; i++) {
                checkers.add(new Checker(expected));
                transports.add(trio.open(i, checkers.get(i), Trio.QUICK));
            }
            for (Checker checker : checkers) {
                assertTrue("connected", checker.connected.await(30, TimeUnit.SECONDS));
            }
            for (int self = 0; self < Group.SIZE; self++) {
                for (int to = 0; to < Group.SIZE; to++) {
                    for (Lane lane : Lane.values()) {
                        for (int sender = 0; sender < SENDERS && to != self; sender++) {
                            Transport transport = transports.get(self);
                            int[] who = {self, to, sender};
                            Thread thread = new Thread(() -> sendAll(transport, who[0], who[1], lane, who[2]));
                            thread.setDaemon(true);
                            thread.start();
                        }
                    }
                }
            }
            for (Checker checker : checkers) {
                assertTrue("all messages arrive; " + checker.complete.getCount() + " missing, " + checker.fault.get(),
                        checker.complete.await(60, TimeUnit.SECONDS));
                assertEquals(null, checker.fault.get());
            }
            for (int self = 0; self < Group.SIZE; self++) {
                for (int from = 0; from < Group.SIZE; from++) {
                    for (Lane lane : Lane.values()) {
                        assertEquals("empty messages", from == self ? 0 : SENDERS * MESSAGES, checkers.get(self).empty[from][lane.ordinal()]);
                    }
                }
            }
        }
    }

    @Test
    public void shouldCarryTheLargestMessageOnTheControlLaneToo() throws Exception {
        try (Trio trio = new Trio(security)) {
            Recorder a = new Recorder();
            Recorder b = new Recorder();
            TcpTransport ta = trio.open(0, a, Trio.QUICK);
            trio.open(1, b, Trio.QUICK);
            a.awaitConnected(1, 1);
            byte[] bytes = new byte[Transport.MESSAGE_BYTES_MAX];
            new SplittableRandom(1).nextBytes(bytes);

            assertTrue(ta.send(1, Lane.CONTROL, ByteBuffer.wrap(bytes)));

            b.awaitMessages(0, 1);
            org.junit.Assert.assertArrayEquals(bytes, b.events("message", 0).get(0).bytes());
        }
    }
}
