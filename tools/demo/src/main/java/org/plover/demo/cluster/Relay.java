package org.plover.demo.cluster;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Takes connections at one address and passes them on to another. Two of them, with a socket in the file system in between, carry a
 * connection into a network namespace, since files are seen from both.
 */
public final class Relay implements AutoCloseable {
    private static final int BUFFER_BYTES = 16 * 1024;

    private final ServerSocketChannel server;
    private final SocketAddress to;

    private Relay(ServerSocketChannel server, SocketAddress to) {
        this.server = server;
        this.to = to;
    }

    /** Takes connections at any free port of this host's loopback. */
    static Relay fromLoopback(Path socket) throws IOException {
        return start(ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)), UnixDomainSocketAddress.of(socket));
    }

    private static Relay start(ServerSocketChannel server, SocketAddress to) {
        Relay relay = new Relay(server, to);
        thread("relay", relay::accept);
        return relay;
    }

    /** Runs until it is killed: {@code SOCKET PORT}, where the port is one of the loopback that this process sees. */
    public static void main(String[] arguments) throws IOException {
        Path socket = Path.of(arguments[0]);
        Files.deleteIfExists(socket);
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(socket));
        new Relay(server, new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(arguments[1]))).accept();
    }

    int port() {
        try {
            return ((InetSocketAddress) server.getLocalAddress()).getPort();
        } catch (IOException e) {
            throw new IllegalStateException("the relay was closed", e);
        }
    }

    private void accept() {
        while (server.isOpen()) {
            try {
                SocketChannel from = server.accept();
                thread("relay-connection", () -> carry(from));
            } catch (IOException e) {
                if (server.isOpen()) {
                    System.err.println("demo: a connection could not be taken: " + e.getMessage());
                }
            }
        }
    }

    /** Nobody at the other end is told by the end of the connection, as if there were no relay. */
    private void carry(SocketChannel from) {
        try (from; SocketChannel onward = SocketChannel.open(to)) {
            thread("relay-back", () -> pump(onward, from));
            pump(from, onward);
        } catch (IOException e) {
            // The client sees the connection end.
            return;
        }
    }

    private static void pump(SocketChannel from, SocketChannel to) {
        ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
        try (from; to) {
            while (from.read(buffer) >= 0) {
                buffer.flip();
                while (buffer.hasRemaining()) {
                    to.write(buffer);
                }
                buffer.clear();
            }
        } catch (IOException e) {
            // Either end went away; closing both tells the other.
            return;
        }
    }

    private static void thread(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
