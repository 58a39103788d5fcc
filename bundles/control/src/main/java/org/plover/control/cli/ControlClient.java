package org.plover.control.cli;

import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonValue;
import jakarta.json.spi.JsonProvider;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.StringReader;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.plover.control.wire.Protocol;
import org.plover.control.wire.Protocol.Code;

/** One connection to the appliance's control socket. For one thread. */
final class ControlClient implements Closeable {
    private static final JsonProvider JSON = JsonProvider.provider();
    /** Errors that are the command line's, not the operation's. */
    private static final Set<String> USAGE =
            Set.of(Code.BAD_REQUEST.text(), Code.UNKNOWN_VM.text(), Code.WHICH_VM.text(), Code.NOT_FOUND.text());

    private final Path socket;
    private final SocketChannel channel;
    private final Selector selector;
    private final ByteBuffer received = ByteBuffer.allocate(64 * 1024).flip();

    private ControlClient(Path socket, SocketChannel channel, Selector selector) {
        this.socket = socket;
        this.channel = channel;
        this.selector = selector;
    }

    /** Connects; throws {@link CliException} with {@link Exit#UNREACHABLE} if no appliance listens, saying what to do. */
    static ControlClient connect(Path socket) {
        try {
            Files.readAttributes(socket, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException e) {
            throw new CliException.NotRunning("no appliance runs here: there is no socket " + socket + "; start one by 'plover run', or name the "
                    + "running one's data directory by --data", e);
        } catch (AccessDeniedException e) {
            throw unreachable("you may not look into " + socket.getParent() + "; run this as the user that runs the appliance", e);
        } catch (IOException e) {
            throw unreachable("cannot look for the socket " + socket + " (" + e + "); name the appliance's data directory by --data", e);
        }
        try {
            SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
            Selector selector = Selector.open();
            channel.configureBlocking(false);
            channel.register(selector, SelectionKey.OP_READ);
            return new ControlClient(socket, channel, selector);
        } catch (IOException e) {
            if (!Files.isWritable(socket)) {
                throw unreachable("you may not open the socket " + socket + "; run this as the user that runs the appliance", e);
            }
            throw new CliException.NotRunning("no appliance runs here: the one that made " + socket + " has ended (" + e.getMessage()
                    + "); start it again by 'plover run'", e);
        }
    }

    static JsonObjectBuilder request(String command) {
        return JSON.createObjectBuilder().add(Protocol.COMMAND, command);
    }

    /**
     * Sends the request and waits for its result.
     *
     * @throws CliException if the appliance refuses, does not answer within the time, or goes away
     */
    JsonValue call(JsonObjectBuilder request, int secondsMax) {
        try {
            send(request.build());
            return result(JSON.createReader(new StringReader(receive(secondsMax))).readObject());
        } catch (IOException e) {
            throw unreachable("the appliance has gone away in the middle (" + e.getMessage() + "); 'plover status' tells whether it is "
                    + "back", e);
        }
    }

    @Override
    public void close() {
        try (selector; channel) {
            received.clear();
        } catch (IOException e) {
            throw new CliException(Exit.FAILED, "the connection to " + socket + " cannot be closed: " + e.getMessage(), e);
        }
    }

    private static JsonValue result(JsonObject answer) {
        if (answer.getBoolean(Protocol.OK)) {
            return answer.get(Protocol.RESULT);
        }
        String code = answer.getString(Protocol.CODE, "");
        throw new CliException(USAGE.contains(code) ? Exit.USAGE : Exit.FAILED, answer.getString(Protocol.ERROR));
    }

    private void send(JsonObject request) throws IOException {
        ByteBuffer line = ByteBuffer.wrap((request + "\n").getBytes(StandardCharsets.UTF_8));
        while (line.hasRemaining()) {
            // A request is far smaller than a socket's buffer, and the answer to the one before has been read.
            if (channel.write(line) == 0) {
                throw new IOException("it does not read");
            }
        }
    }

    private String receive(int secondsMax) throws IOException {
        long endNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(secondsMax);
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        while (true) {
            while (received.hasRemaining()) {
                byte octet = received.get();
                if (octet == '\n') {
                    return line.toString(StandardCharsets.UTF_8);
                }
                line.write(octet);
            }
            long millis = TimeUnit.NANOSECONDS.toMillis(endNanos - System.nanoTime());
            if (millis <= 0) {
                throw new CliException(Exit.FAILED, "the appliance has not answered on " + socket + " within " + secondsMax
                        + " s; look into its log, and whether its host is overloaded");
            }
            selector.select(millis);
            selector.selectedKeys().clear();
            received.clear();
            int count = channel.read(received);
            received.flip();
            if (count < 0) {
                throw new IOException("end of connection");
            }
        }
    }

    private static CliException unreachable(String message, Exception cause) {
        return new CliException(Exit.UNREACHABLE, message, cause);
    }
}
