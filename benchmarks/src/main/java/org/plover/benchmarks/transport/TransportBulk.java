package org.plover.benchmarks.transport;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.plover.api.group.Group;
import org.plover.api.transport.Lane;
import org.plover.api.transport.Transport;
import org.plover.api.transport.TransportListener;
import org.plover.api.transport.TransportProvider;

/** Messages on the BULK lane, as pages are sent: from one thread, as fast as the transport takes them. */
final class TransportBulk implements BulkStream {
    private static final long CONNECT_SECONDS_MAX = 30;
    private static final long FULL_NANOS = 20_000;

    /** Counts. */
    private static final class End implements TransportListener {
        private final CountDownLatch connected = new CountDownLatch(1);
        private final Semaphore arrived = new Semaphore(0);

        @Override
        public void onMessage(int member, Lane lane, ByteBuffer message) {
            arrived.release();
        }

        @Override
        public void onConnected(int member, long incarnation) {
            connected.countDown();
        }

        @Override
        public void onDisconnected(int member, String reason) {
            throw new IllegalStateException("lost member " + member + ": " + reason);
        }
    }

    private final End receiving = new End();
    private final Transport receiver;
    private final Transport sender;
    private final ByteBuffer[] message;

    /** Both ends in this process: member 0 sends to member 1. */
    TransportBulk(TransportProvider first, TransportProvider second, Group group, int messageBytes) throws IOException, InterruptedException {
        message = new ByteBuffer[] {ByteBuffer.allocateDirect(messageBytes)};
        End sending = new End();
        receiver = second.open(new Group(group.name(), 1, group.members()), 1, receiving);
        sender = first.open(new Group(group.name(), 0, group.members()), 1, sending);
        if (!sending.connected.await(CONNECT_SECONDS_MAX, TimeUnit.SECONDS)) {
            throw new IOException("no connection within " + CONNECT_SECONDS_MAX + " s");
        }
    }

    @Override
    public long run(int messages) throws InterruptedException {
        long start = System.nanoTime();
        for (int i = 0; i < messages; i++) {
            message[0].clear();
            while (!sender.send(1, Lane.BULK, message)) {
                message[0].clear();
                LockSupport.parkNanos(FULL_NANOS);
            }
        }
        receiving.arrived.acquire(messages);
        return System.nanoTime() - start;
    }

    @Override
    public void close() {
        sender.close();
        receiver.close();
    }
}
