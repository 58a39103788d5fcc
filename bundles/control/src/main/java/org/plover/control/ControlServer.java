package org.plover.control;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import jdk.net.ExtendedSocketOptions;
import jdk.net.UnixDomainPrincipal;
import org.plover.api.control.AccessRole;
import org.plover.api.control.Caller;
import org.plover.control.wire.Protocol;
import org.plover.control.wire.Protocol.Code;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Serves {@link Commands} on a {@link ControlSocket}: one thread accepts, every client has one of its own. */
final class ControlServer implements Closeable {
    static final int CLIENTS_MAX = 32;
    /** Whoever may open the socket is the user that runs the appliance. */
    private static final String DOOR = "socket";

    private static final Logger LOG = LoggerFactory.getLogger(ControlServer.class);

    private final ControlSocket socket;
    private final Commands commands;
    private final ExecutorService clients;
    private final Thread acceptor;

    private ControlServer(ControlSocket socket, Commands commands) {
        this.socket = socket;
        this.commands = commands;
        AtomicInteger number = new AtomicInteger();
        ThreadFactory threads = task -> daemon(task, "plover-control-" + number.incrementAndGet());
        clients = new ThreadPoolExecutor(0, CLIENTS_MAX, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), threads);
        acceptor = daemon(this::accept, "plover-control-accept");
    }

    /**
     * Listens and serves from now on.
     *
     * @throws IOException as {@link ControlSocket#claim}
     */
    static ControlServer open(Path path, Commands commands) throws IOException {
        ControlServer server = new ControlServer(ControlSocket.claim(path), commands);
        server.acceptor.start();
        LOG.info("Control socket {} is open", server.path());
        return server;
    }

    Path path() {
        return socket.path();
    }

    /** Stops listening and cuts off the clients; a command that waits for its result stops waiting. */
    @Override
    public void close() throws IOException {
        try {
            socket.close();
        } finally {
            // Interrupting a thread that is in its channel closes the channel.
            clients.shutdownNow();
        }
    }

    private static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }

    private void accept() {
        while (socket.channel().isOpen()) {
            try {
                handOver(socket.channel().accept());
            } catch (ClosedChannelException closed) {
                return;
            } catch (IOException e) {
                LOG.error("Control socket {} accepts nobody any more; reconfigure {} to open it again", path(),
                        ControlConfig.PID, e);
                return;
            }
        }
    }

    private void handOver(SocketChannel client) throws IOException {
        try {
            clients.execute(() -> serve(client));
        } catch (RejectedExecutionException e) {
            try (client) {
                if (!clients.isShutdown()) {
                    LOG.warn("Control socket {}: a client was turned away, {} are connected already", path(), CLIENTS_MAX);
                    write(client, Commands.error(Code.REFUSED, CLIENTS_MAX
                            + " clients are connected to the appliance already; end some 'plover ... --watch' or '--follow'").toString());
                }
            } catch (IOException gone) {
                LOG.debug("The client that was turned away left before it could be told", gone);
            }
        }
    }

    private void serve(SocketChannel client) {
        try (client) {
            Caller caller = new Caller(user(client), DOOR, AccessRole.ADMINISTRATOR);
            InputStream in = Channels.newInputStream(client);
            LineReader lines = new LineReader(in, Protocol.REQUEST_BYTES_MAX);
            for (String line = lines.next(); line != null; line = lines.next()) {
                write(client, commands.answer(line, caller));
            }
            if (lines.tooLong()) {
                write(client, Commands.error(Code.BAD_REQUEST, "a request has at most " + Protocol.REQUEST_BYTES_MAX + " bytes")
                        .toString());
            }
        } catch (InterruptedException | ClosedChannelException stopping) {
            LOG.debug("A control client was cut off, the socket closes");
        } catch (IOException e) {
            LOG.debug("A control client left in the middle: {}", e.toString());
        } catch (RuntimeException | Error e) {
            LOG.error("A control client was cut off by a failure", e);
            throw e;
        }
    }

    /** Who is at the other end, by the kernel's word; empty if it does not say. */
    private static String user(SocketChannel client) {
        try {
            UnixDomainPrincipal principal = client.getOption(ExtendedSocketOptions.SO_PEERCRED);
            return principal.user().getName();
        } catch (IOException | UnsupportedOperationException e) {
            LOG.debug("The kernel does not say who asks: {}", e.toString());
            return "";
        }
    }

    private static void write(SocketChannel client, String line) throws IOException {
        OutputStream out = Channels.newOutputStream(client);
        out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    }
}
