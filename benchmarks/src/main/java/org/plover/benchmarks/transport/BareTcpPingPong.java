package org.plover.benchmarks.transport;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/** What a user knows: a blocking socket without Nagle on either side, and nothing else. */
final class BareTcpPingPong implements PingPong {
    private final ByteBuffer message;
    private final SocketChannel caller;
    private final SocketChannel echo;

    BareTcpPingPong(int messageBytes) throws IOException {
        message = ByteBuffer.allocateDirect(messageBytes);
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            caller = SocketChannel.open(server.getLocalAddress());
            echo = server.accept();
        }
        caller.setOption(StandardSocketOptions.TCP_NODELAY, true);
        echo.setOption(StandardSocketOptions.TCP_NODELAY, true);
        Thread thread = new Thread(() -> echo(messageBytes), "bare-echo");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void run(long[] nanos) throws IOException {
        for (int i = 0; i < nanos.length; i++) {
            long start = System.nanoTime();
            write(caller, message.clear());
            read(caller, message.clear());
            nanos[i] = System.nanoTime() - start;
        }
    }

    @Override
    public void close() throws IOException {
        caller.close();
        echo.close();
    }

    private void echo(int messageBytes) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(messageBytes);
        try {
            while (true) {
                read(echo, buffer.clear());
                write(echo, buffer.flip());
            }
        } catch (EOFException | AsynchronousCloseException e) {
            return; // closed: the end of the benchmark
        } catch (IOException e) {
            throw new IllegalStateException("the echo failed", e);
        }
    }

    private static void write(SocketChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    private static void read(SocketChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                throw new EOFException("the other side hung up");
            }
        }
    }
}
