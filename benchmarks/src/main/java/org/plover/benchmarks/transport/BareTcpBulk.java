package org.plover.benchmarks.transport;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.Semaphore;

/** A blocking socket, written to by one thread and read by another. */
final class BareTcpBulk implements BulkStream {
    private final ByteBuffer message;
    private final ServerSocketChannel server;
    private final SocketChannel sender;
    private final Semaphore arrived = new Semaphore(0);

    BareTcpBulk(int messageBytes) throws IOException {
        message = ByteBuffer.allocateDirect(messageBytes);
        server = ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        Thread reader = new Thread(this::read, "bare-bulk");
        reader.setDaemon(true);
        reader.start();
        sender = SocketChannel.open(server.getLocalAddress());
    }

    private void read() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(message.capacity());
        try (SocketChannel receiver = server.accept()) {
            while (receiver.read(buffer) >= 0) {
                if (!buffer.hasRemaining()) {
                    buffer.clear();
                    arrived.release();
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException("the receiver failed", e);
        }
    }

    @Override
    public long run(int messages) throws IOException, InterruptedException {
        long start = System.nanoTime();
        for (int i = 0; i < messages; i++) {
            message.clear();
            while (message.hasRemaining()) {
                sender.write(message);
            }
        }
        arrived.acquire(messages);
        return System.nanoTime() - start;
    }

    @Override
    public void close() throws IOException {
        sender.close();
        server.close();
    }
}
