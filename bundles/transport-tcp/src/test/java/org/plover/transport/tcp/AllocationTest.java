package org.plover.transport.tcp;

import static org.junit.Assert.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.Test;
import org.plover.api.transport.Lane;
import org.plover.api.transport.Transport;
import org.plover.api.transport.TransportListener;

public class AllocationTest {
    private static final int MESSAGE_BYTES = 200;
    private static final int WARMUP = 20_000;
    private static final int MEASURED = 20_000;
    private static final long BYTES_PER_MESSAGE_MAX = 64;

    /** Sends every message on to the other member until it has seen enough. */
    private static final class Bouncer implements TransportListener {
        private final int other;
        private final ByteBuffer answer = ByteBuffer.allocateDirect(MESSAGE_BYTES);
        private final ByteBuffer[] parts = {answer};
        volatile Transport transport;
        volatile long seen;
        volatile boolean connected;

        Bouncer(int other) {
            this.other = other;
        }

        @Override
        public void onMessage(int member, Lane lane, ByteBuffer message) {
            answer.clear();
            answer.put(message).flip();
            seen = seen + 1;
            transport.send(other, Lane.CONTROL, parts);
        }

        @Override
        public void onConnected(int member, long incarnation) {
            connected = true;
        }

        @Override
        public void onDisconnected(int member, String reason) {
            connected = false;
        }
    }

    private static Map<Long, Long> allocatedByThread() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        return Thread.getAllStackTraces().keySet().stream()
                .filter(t -> t.getName().startsWith("plover-transport-trio"))
                .collect(Collectors.toMap(Thread::getId, t -> threads.getThreadAllocatedBytes(t.getId())));
    }

    @Test
    public void shouldNotAllocatePerMessageOnceWarm() throws Exception {
        try (Trio trio = new Trio(Trio.Security.PLAIN)) {
            Bouncer a = new Bouncer(1);
            Bouncer b = new Bouncer(0);
            b.transport = trio.open(1, b, Trio.QUICK);
            a.transport = trio.open(0, a, Trio.QUICK);
            Recorder.awaitTrue("a connection", () -> a.connected && b.connected);
            assertTrue(a.transport.send(1, Lane.CONTROL, ByteBuffer.allocateDirect(MESSAGE_BYTES)));
            Recorder.awaitTrue("warm-up", () -> a.seen >= WARMUP);

            Map<Long, Long> before = allocatedByThread();
            long from = a.seen + b.seen;
            Recorder.awaitTrue("measurement", () -> a.seen + b.seen >= from + MEASURED);
            Map<Long, Long> after = allocatedByThread();
            long messages = a.seen + b.seen - from;

            long bytes = before.keySet().stream().mapToLong(id -> after.get(id) - before.get(id)).sum();
            assertTrue(bytes + " bytes were allocated for " + messages + " messages", bytes < messages * BYTES_PER_MESSAGE_MAX);
            System.getLogger(AllocationTest.class.getName()).log(System.Logger.Level.INFO,
                    bytes + " bytes allocated for " + messages + " messages");
        }
    }
}
