package org.plover.disk.nbd;

import java.io.EOFException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Speaks NBD as bluntly as a test wants it: nothing is checked for it before it is sent. */
final class NbdClient implements AutoCloseable {
    /** Answer to an option, or a chunk of an answer to a request. */
    record Reply(int type, int flags, long cookie, ByteBuffer data) {
        int error() {
            return data.getInt(0);
        }
    }

    final SocketChannel channel;
    boolean structured;
    private long cookies = 100;

    NbdClient(Path socket) throws IOException {
        channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
    }

    /** A client that has agreed on {@code export}. */
    static NbdClient connected(Path socket, String export, boolean structured) throws IOException {
        NbdClient client = new NbdClient(socket);
        client.greet(NbdWire.FIXED_NEWSTYLE | NbdWire.NO_ZEROES);
        if (structured) {
            client.option(NbdWire.OPT_STRUCTURED_REPLY, new byte[0]);
            client.expect(NbdWire.OPT_STRUCTURED_REPLY, NbdWire.REP_ACK);
            client.option(NbdWire.OPT_SET_META_CONTEXT, meta(export, NbdWire.BASE_ALLOCATION));
            client.expect(NbdWire.OPT_SET_META_CONTEXT, NbdWire.REP_META_CONTEXT);
            client.expect(NbdWire.OPT_SET_META_CONTEXT, NbdWire.REP_ACK);
            client.structured = true;
        }
        client.option(NbdWire.OPT_GO, info(export, NbdWire.INFO_BLOCK_SIZE));
        client.optionReplies(NbdWire.OPT_GO);
        return client;
    }

    // --- handshake ----------------------------------------------------------------------------------------------------

    /** Takes the server's greeting and answers with these flags; returns the server's. */
    int greet(int flags) throws IOException {
        ByteBuffer greeting = receive(18);
        if (greeting.getLong() != NbdWire.MAGIC || greeting.getLong() != NbdWire.OPTION_MAGIC) {
            throw new IOException("not an NBD greeting");
        }
        send(ByteBuffer.allocate(4).putInt(flags));
        return greeting.getShort();
    }

    void option(int option, byte[] data) throws IOException {
        send(ByteBuffer.allocate(16 + data.length).putLong(NbdWire.OPTION_MAGIC).putInt(option).putInt(data.length).put(data));
    }

    Reply optionReply(int option) throws IOException {
        ByteBuffer header = receive(20);
        if (header.getLong() != NbdWire.OPTION_REPLY_MAGIC || header.getInt() != option) {
            throw new IOException("not an answer to option " + option);
        }
        int type = header.getInt();
        return new Reply(type, 0, 0, receive(header.getInt()));
    }

    Reply expect(int option, int type) throws IOException {
        Reply reply = optionReply(option);
        if (reply.type != type) {
            throw new AssertionError("reply " + Integer.toHexString(reply.type) + " instead of " + Integer.toHexString(type));
        }
        return reply;
    }

    /** All replies to an option up to the last one. */
    List<Reply> optionReplies(int option) throws IOException {
        List<Reply> replies = new ArrayList<>();
        do {
            replies.add(optionReply(option));
        } while (replies.get(replies.size() - 1).type > NbdWire.REP_ACK);
        return replies;
    }

    static byte[] info(String export, int... requests) {
        byte[] name = export.getBytes(StandardCharsets.UTF_8);
        ByteBuffer data = ByteBuffer.allocate(6 + name.length + 2 * requests.length).putInt(name.length).put(name)
                .putShort((short) requests.length);
        for (int request : requests) {
            data.putShort((short) request);
        }
        return data.array();
    }

    static byte[] meta(String export, String... queries) {
        byte[] name = export.getBytes(StandardCharsets.UTF_8);
        int bytes = 8 + name.length;
        for (String query : queries) {
            bytes += 4 + query.length();
        }
        ByteBuffer data = ByteBuffer.allocate(bytes).putInt(name.length).put(name).putInt(queries.length);
        for (String query : queries) {
            data.putInt(query.length()).put(query.getBytes(StandardCharsets.UTF_8));
        }
        return data.array();
    }

    // --- transmission -------------------------------------------------------------------------------------------------

    static ByteBuffer request(int flags, int type, long cookie, long offset, int length, byte[] payload) {
        return ByteBuffer.allocate(28 + payload.length).putInt(NbdWire.REQUEST_MAGIC).putShort((short) flags).putShort((short) type)
                .putLong(cookie).putLong(offset).putInt(length).put(payload);
    }

    /** Sends a request and returns its cookie. */
    long ask(int type, int flags, long offset, int length, byte[] payload) throws IOException {
        send(request(flags, type, ++cookies, offset, length, payload));
        return cookies;
    }

    /** The next answer to a request, whichever it is. */
    Reply reply(int dataBytes) throws IOException {
        ByteBuffer magic = receive(4);
        if (magic.getInt(0) == NbdWire.SIMPLE_REPLY_MAGIC) {
            ByteBuffer rest = receive(12);
            ByteBuffer error = ByteBuffer.allocate(4 + dataBytes).putInt(rest.getInt(0));
            if (rest.getInt(0) == 0) {
                error.put(receive(dataBytes));
            }
            return new Reply(-1, NbdWire.CHUNK_DONE, rest.getLong(4), error.rewind());
        }
        if (magic.getInt(0) != NbdWire.CHUNK_MAGIC) {
            throw new IOException("neither a simple nor a structured answer");
        }
        ByteBuffer rest = receive(16);
        int flags = rest.getShort();
        int type = Short.toUnsignedInt(rest.getShort());
        long cookie = rest.getLong();
        return new Reply(type, flags, cookie, receive(rest.getInt()));
    }

    /** Executes a request that has no data in its answer; returns the error number. */
    int execute(int type, int flags, long offset, int length) throws IOException {
        return execute(type, flags, offset, length, new byte[0]);
    }

    int execute(int type, int flags, long offset, int length, byte[] payload) throws IOException {
        ask(type, flags, offset, length, payload);
        return reply(0).error();
    }

    int write(long offset, byte[] payload) throws IOException {
        return execute(NbdWire.CMD_WRITE, 0, offset, payload.length, payload);
    }

    byte[] read(long offset, int length) throws IOException {
        ask(NbdWire.CMD_READ, 0, offset, length, new byte[0]);
        byte[] content = new byte[length];
        Reply reply;
        do {
            reply = reply(structured ? 0 : length);
            if (reply.type == -1) {
                if (structured || reply.error() != 0) {
                    throw new IOException("error " + reply.error());
                }
                reply.data.position(4).get(content);
            } else if (reply.type == NbdWire.CHUNK_OFFSET_DATA) {
                int at = (int) (reply.data.getLong() - offset);
                reply.data.get(content, at, reply.data.remaining());
            } else if (reply.type == NbdWire.CHUNK_ERROR) {
                throw new IOException("error " + reply.error());
            }
        } while ((reply.flags & NbdWire.CHUNK_DONE) == 0);
        return content;
    }

    void send(ByteBuffer bytes) throws IOException {
        bytes.rewind();
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    ByteBuffer receive(int bytes) throws IOException {
        if (bytes < 0 || bytes > 40 << 20) {
            throw new IOException(bytes + " bytes announced");
        }
        ByteBuffer into = ByteBuffer.allocate(bytes);
        while (into.hasRemaining()) {
            if (channel.read(into) < 0) {
                throw new EOFException();
            }
        }
        return into.flip();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
