package org.plover.demo.chaos;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SocketChannel;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * Sends packets at a guest that nobody there wants: datagrams of all sizes to a port that listens to none, and now and then
 * the beginning of a connection that is given up at once. A process of its own on the clients' host; ends when it is killed.
 */
public final class Flood {
    private static final int PAYLOAD_BYTES_MAX = 1400;
    private static final int DATAGRAMS_PER_CONNECT = 50;
    private static final int BURST = 50;

    private Flood() { }

    /** Arguments: host, port, packets per second. */
    public static void main(String[] args) throws IOException {
        InetSocketAddress address = new InetSocketAddress(args[0], Integer.parseInt(args[1]));
        double nanosPerPacket = 1e9 / Integer.parseInt(args[2]);
        SplittableRandom random = new SplittableRandom();
        ByteBuffer payload = ByteBuffer.allocateDirect(PAYLOAD_BYTES_MAX);
        long start = System.nanoTime();
        try (DatagramChannel channel = DatagramChannel.open()) {
            for (long sent = 0;; sent++) {
                payload.clear().limit(random.nextInt(PAYLOAD_BYTES_MAX + 1));
                channel.send(payload, address);
                if (sent % DATAGRAMS_PER_CONNECT == 0) {
                    try (SocketChannel half = SocketChannel.open()) {
                        half.configureBlocking(false);
                        half.connect(address);
                    }
                }
                if (sent % BURST == 0) {
                    LockSupport.parkNanos((long) (start + sent * nanosPerPacket) - System.nanoTime());
                }
            }
        }
    }
}
