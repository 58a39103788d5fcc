package org.plover.disk.nbd;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves exports over NBD (fixed newstyle handshake, structured replies, {@code base:allocation}) on a Unix socket that only this
 * user may connect to. Any number of connections up to {@link #CONNECTIONS_MAX} see one coherent disk. Ours because no Java server of
 * this protocol is maintained or published.
 *
 * <p>Whether a range that is zeroed stays allocated (the protocol's NO_HOLE) is left to the export.
 */
final class NbdServer implements AutoCloseable {
    static final int CONNECTIONS_MAX = 16;

    private static final Logger LOG = LoggerFactory.getLogger(NbdServer.class);
    /** Of sun_path, less the terminating zero. */
    private static final int SOCKET_PATH_BYTES_MAX = 107;
    private static final int BACKLOG = 16;
    private static final int DRAIN_MILLIS_MAX = 1000;
    private static final int END_MILLIS_MAX = 10_000;
    /** Takes a long answer wholly, if the kernel allows that much (net.core.wmem_max), so that client and server need not wait in turns. */
    private static final int SEND_BUFFER_BYTES = 1 << 20;
    private static final int ACCEPT_RETRY_MILLIS = 200;

    final Pace reads = new Pace(false);
    final Pace writes = new Pace(false);
    /** Flushes, and writes that are as good as one. */
    final Pace flushes = new Pace(true);

    private final Path socket;
    private final List<Export> exports;
    private final ServerSocketChannel listener;
    private final Workers workers;
    private final Map<NbdConnection, Thread> connections = new ConcurrentHashMap<>();
    private final Thread acceptor;
    private final LongAdder operations = new LongAdder();
    private final LongAdder bytesRead = new LongAdder();
    private final LongAdder bytesWritten = new LongAdder();
    private volatile boolean closing;

    /**
     * Listens and serves until {@link #close}. A socket that an earlier run left behind is replaced.
     *
     * @throws IOException if the path is too long, is taken by something else or is listened to by another process
     */
    NbdServer(Path socket, List<Export> exports) throws IOException {
        this.socket = socket;
        this.exports = List.copyOf(exports);
        listener = listen(socket);
        String name = "nbd-" + socket.getFileName();
        workers = new Workers(name + "-worker", 2 * CONNECTIONS_MAX);
        acceptor = new Thread(this::accept, name + "-accept");
        acceptor.setDaemon(true);
        acceptor.start();
    }

    private static ServerSocketChannel listen(Path socket) throws IOException {
        int bytes = socket.toString().getBytes(StandardCharsets.UTF_8).length;
        if (bytes > SOCKET_PATH_BYTES_MAX) {
            throw new IOException("socket " + socket + ": the path has " + bytes + " bytes, Linux takes " + SOCKET_PATH_BYTES_MAX
                    + "; choose a directory for sockets whose path is " + (bytes - SOCKET_PATH_BYTES_MAX) + " bytes shorter");
        }
        removeStale(socket);
        ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            listener.bind(UnixDomainSocketAddress.of(socket), BACKLOG);
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
            return listener;
        } catch (IOException e) {
            listener.close();
            throw new IOException("socket " + socket + " cannot be made: " + e.getMessage()
                    + "; does its directory exist, and may this user write to it?", e);
        }
    }

    private static void removeStale(Path socket) throws IOException {
        if (!Files.exists(socket, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (!Files.readAttributes(socket, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).isOther()) {
            throw new IOException(socket + " is in the way of a socket and is no socket: remove it or choose another directory for sockets");
        }
        boolean listened;
        try (SocketChannel probe = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            listened = probe.isConnected();
        } catch (IOException refused) {
            LOG.debug("socket {} is of an earlier run: {}", socket, refused.getMessage());
            listened = false;
        }
        if (listened) {
            throw new IOException("socket " + socket + " is listened to by another process: end it or choose another directory for sockets");
        }
        Files.deleteIfExists(socket);
    }

    // --- connections --------------------------------------------------------------------------------------------------

    private void accept() {
        int number = 0;
        while (!closing) {
            SocketChannel channel;
            try {
                channel = listener.accept();
                channel.setOption(StandardSocketOptions.SO_SNDBUF, SEND_BUFFER_BYTES);
            } catch (ClosedChannelException e) {
                return;
            } catch (IOException e) {
                LOG.warn("{}: a connection could not be accepted, trying again: {}", this, e.getMessage());
                sleep(ACCEPT_RETRY_MILLIS);
                continue;
            }
            NbdConnection connection = new NbdConnection(this, channel, workers);
            if (connections.size() >= CONNECTIONS_MAX && !dropOneNegotiating()) {
                LOG.warn("{}: a connection is refused, {} are there already", this, connections.size());
                connection.abort();
                continue;
            }
            Thread thread = new Thread(connection, "nbd-" + socket.getFileName() + '-' + ++number);
            thread.setDaemon(true);
            connections.put(connection, thread);
            thread.start();
        }
    }

    /** A client that connects and says nothing must not keep others out. */
    private boolean dropOneNegotiating() {
        for (NbdConnection connection : connections.keySet()) {
            if (connection.negotiating()) {
                LOG.warn("{}: too many connections, one that has not chosen an export yet is ended", this);
                connection.abort();
                connections.remove(connection);
                return true;
            }
        }
        return false;
    }

    private static void sleep(int millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends all connections to an export, which has no request under way, and returns when they have ended. */
    void disconnect(Export export) {
        List<Thread> threads = new ArrayList<>();
        connections.forEach((connection, thread) -> {
            if (connection.export() == export) {
                connection.abort();
                threads.add(thread);
            }
        });
        if (!join(threads, END_MILLIS_MAX)) {
            Thread.currentThread().interrupt();
        }
    }

    void ended(NbdConnection connection) {
        connections.remove(connection);
    }

    List<Export> exports() {
        return exports;
    }

    boolean closing() {
        return closing;
    }

    // --- counters -----------------------------------------------------------------------------------------------------

    /** Requests that have been read and not been answered. Thread-safe, does not block. */
    int inFlight() {
        int sum = 0;
        for (NbdConnection connection : connections.keySet()) {
            sum += connection.inFlight();
        }
        return sum;
    }

    /** Counts up with every request but flushes, when it has become one of {@link #inFlight}. Thread-safe, does not block. */
    long operations() {
        return operations.sum();
    }

    /** Bytes that were asked for. */
    long bytesRead() {
        return bytesRead.sum();
    }

    long bytesWritten() {
        return bytesWritten.sum();
    }

    void countOperation() {
        operations.increment();
    }

    void countRead(long bytes) {
        bytesRead.add(bytes);
    }

    void countWritten(long bytes) {
        bytesWritten.add(bytes);
    }

    /**
     * Accepts no more, lets requests that have been read be answered for a second, then ends all connections and removes the
     * socket. The exports are not called any more when this returns, unless one does not return from a call; that is logged. Idempotent.
     */
    @Override
    public void close() {
        closing = true;
        try {
            listener.close();
            Files.deleteIfExists(socket);
        } catch (IOException e) {
            LOG.warn("{}: the socket could not be removed: {}", this, e.getMessage());
        }
        boolean interrupted = !join(List.of(acceptor), END_MILLIS_MAX);
        List<Thread> threads = new ArrayList<>(connections.values());
        connections.keySet().forEach(NbdConnection::drain);
        interrupted |= !join(threads, DRAIN_MILLIS_MAX);
        connections.keySet().forEach(NbdConnection::abort);
        interrupted |= !join(threads, END_MILLIS_MAX);
        workers.close();
        for (Thread thread : threads) {
            if (thread.isAlive()) {
                LOG.error("{}: a request has not ended {} s after its connection was closed", this, END_MILLIS_MAX / 1000);
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** @return false if the calling thread was interrupted */
    private static boolean join(List<Thread> threads, int millisMax) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millisMax);
        try {
            for (Thread thread : threads) {
                long millis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (millis > 0) {
                    thread.join(millis);
                }
            }
            return true;
        } catch (InterruptedException e) {
            return false;
        }
    }

    @Override
    public String toString() {
        return "disk " + socket.getFileName();
    }
}
