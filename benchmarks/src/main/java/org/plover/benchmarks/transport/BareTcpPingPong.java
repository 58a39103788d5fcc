package org.plover.benchmarks.transport;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/** What a user knows: a blocking socket without Nagle on either side, and nothing else. */
public final class BareTcpPingPong implements PingPong {
    private final ByteBuffer message;
    private final SocketChannel caller;

    /** Calls an {@link #echo}. */
    public BareTcpPingPong(SocketAddress echo, int messageBytes) throws IOException {
        message = ByteBuffer.allocateDirect(messageBytes);
        caller = SocketChannel.open(echo);
        caller.setOption(StandardSocketOptions.TCP_NODELAY, true);
    }

    /**
     * Sends back what the first caller sends, on a thread of its own, until that one hangs up.
     *
     * @param at address to listen at; any free port if its port is 0
     * @return the address listened at
     */
    public static SocketAddress echo(InetSocketAddress at, int messageBytes) throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open();
        try {
            server.bind(at);
        } catch (IOException e) {
            server.close();
            throw e;
        }
        SocketAddress address = server.getLocalAddress();
        Thread thread = new Thread(() -> answer(server, messageBytes), "bare-echo");
        thread.setDaemon(true);
        thread.start();
        return address;
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
    }

    private static void answer(ServerSocketChannel server, int messageBytes) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(messageBytes);
        try (server; SocketChannel echo = server.accept()) {
            echo.setOption(StandardSocketOptions.TCP_NODELAY, true);
            while (true) {
                read(echo, buffer.clear());
                write(echo, buffer.flip());
            }
        } catch (EOFException e) {
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
