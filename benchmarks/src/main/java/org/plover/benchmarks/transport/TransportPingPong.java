package org.plover.benchmarks.transport;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.plover.api.group.Group;
import org.plover.api.transport.Lane;
import org.plover.api.transport.Transport;
import org.plover.api.transport.TransportListener;
import org.plover.api.transport.TransportProvider;

/**
 * Ping-pong over a {@link Transport}, answered on the transport's own thread on both sides, as consensus does it. The ends are
 * classes of their own, so that they can also run in processes and network namespaces of their own.
 */
final class TransportPingPong implements PingPong {
    private static final long CONNECT_SECONDS_MAX = 10;
    private static final long RUN_SECONDS_MAX = 120;

    /** Sends back what it gets. */
    static final class Echo implements TransportListener, AutoCloseable {
        private final Transport transport;
        private final CountDownLatch opened = new CountDownLatch(1);

        Echo(TransportProvider provider, Group group) throws IOException {
            transport = provider.open(group, group.self(), this);
            opened.countDown();
        }

        @Override
        public void onMessage(int member, Lane lane, ByteBuffer message) {
            if (!transport.send(member, lane, message)) {
                throw new IllegalStateException("the answer to member " + member + " was not taken");
            }
        }

        @Override
        public void onConnected(int member, long incarnation) {
            awaitOpened(opened);
        }

        @Override
        public void onDisconnected(int member, String reason) {
            // The caller sees it too and fails.
        }

        @Override
        public void close() {
            transport.close();
        }
    }

    /** Sends the next ping when the pong is there. */
    static final class Caller implements TransportListener, AutoCloseable {
        private final int other;
        private final ByteBuffer message;
        private final ByteBuffer[] parts;
        private final CountDownLatch connected = new CountDownLatch(1);
        private final CountDownLatch opened = new CountDownLatch(1);
        private final Transport transport;
        private volatile String fault;
        private volatile CountDownLatch done = new CountDownLatch(1);
        private long[] nanos;
        private int count;
        private long start;

        Caller(TransportProvider provider, Group group, int other, int messageBytes) throws IOException, InterruptedException {
            this.other = other;
            message = ByteBuffer.allocateDirect(messageBytes);
            parts = new ByteBuffer[] {message};
            transport = provider.open(group, group.self(), this);
            opened.countDown();
            if (!connected.await(CONNECT_SECONDS_MAX, TimeUnit.SECONDS)) {
                transport.close();
                throw new IOException("member " + other + " was not connected within " + CONNECT_SECONDS_MAX + " s");
            }
        }

        void run(long[] into) throws IOException, InterruptedException {
            nanos = into;
            count = 0;
            done = new CountDownLatch(1);
            ping();
            if (!done.await(RUN_SECONDS_MAX, TimeUnit.SECONDS)) {
                throw new IOException(into.length + " round trips did not end within " + RUN_SECONDS_MAX + " s");
            }
            if (fault != null) {
                throw new IOException(fault);
            }
        }

        private void ping() {
            message.clear();
            start = System.nanoTime();
            if (!transport.send(other, Lane.CONTROL, parts)) {
                fail("a message to member " + other + " was not taken");
            }
        }

        private void fail(String text) {
            fault = text;
            done.countDown();
        }

        @Override
        public void onMessage(int member, Lane lane, ByteBuffer pong) {
            nanos[count++] = System.nanoTime() - start;
            if (count == nanos.length) {
                done.countDown();
            } else {
                ping();
            }
        }

        @Override
        public void onConnected(int member, long incarnation) {
            awaitOpened(opened);
            if (member == other) {
                connected.countDown();
            }
        }

        @Override
        public void onDisconnected(int member, String reason) {
            fail("lost member " + member + ": " + reason);
        }

        @Override
        public void close() {
            transport.close();
        }
    }

    private final Echo echo;
    private final Caller caller;

    /** Both ends in this process: members 0 and 1 of the group. */
    TransportPingPong(TransportProvider first, TransportProvider second, Group group, int messageBytes) throws IOException, InterruptedException {
        echo = new Echo(second, new Group(group.name(), 1, group.members()));
        try {
            caller = new Caller(first, new Group(group.name(), 0, group.members()), 1, messageBytes);
        } catch (IOException | InterruptedException | RuntimeException e) {
            echo.close();
            throw e;
        }
    }

    @Override
    public void run(long[] nanos) throws IOException, InterruptedException {
        caller.run(nanos);
    }

    @Override
    public void close() {
        caller.close();
        echo.close();
    }

    /** Holds the transport's thread until its user knows the transport: a matter of microseconds. */
    private static void awaitOpened(CountDownLatch opened) {
        try {
            opened.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
