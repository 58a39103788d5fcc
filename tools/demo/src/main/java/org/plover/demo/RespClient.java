package org.plover.demo;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A blocking Redis client on one socket, for one thread, but for {@link #close}. It never reconnects: after an exception it is of
 * no more use.
 */
final class RespClient implements AutoCloseable {
    private final Socket socket;
    private final Resp.Parser parser;

    private RespClient(Socket socket, Resp.Parser parser) {
        this.socket = socket;
        this.parser = parser;
    }

    /** Opens a connection; blocks for at most {@code timeoutMillis}, and so will every later wait for bytes. */
    static RespClient connect(InetSocketAddress address, int timeoutMillis) throws IOException {
        Socket socket = new Socket();
        try {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(timeoutMillis);
            socket.connect(address, timeoutMillis);
            return new RespClient(socket, new Resp.Parser());
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /** How long each later wait for bytes lasts at most; 0: for ever. */
    void timeoutMillis(int millis) throws IOException {
        socket.setSoTimeout(millis);
    }

    /** Sends the commands in one go and returns their replies. */
    List<Object> call(byte[]... commands) throws IOException {
        Object early = parser.next();
        if (early != null) {
            throw new Resp.ProtocolException("reply without a request: " + early);
        }
        socket.getOutputStream().write(Resp.pipeline(commands));
        List<Object> replies = new ArrayList<>(commands.length);
        while (replies.size() < commands.length) {
            Object reply = parser.next();
            if (reply != null) {
                replies.add(reply);
                continue;
            }
            ByteBuffer room = parser.room();
            int count = socket.getInputStream().read(room.array(), room.position(), room.remaining());
            if (count < 0) {
                throw new EOFException("the server closed the connection");
            }
            room.position(room.position() + count);
        }
        return replies;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
