package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Answers of one thread to requests of one connection, collected in a buffer and sent together. Several threads answer one
 * connection, each with its own; they share the lock under which whole answers go into the socket. An IOException of these methods
 * means that the connection is of no use any more; what an export cannot do is told to the client instead.
 */
final class Replies {
    /** Bytes that are read from the export, and written to the socket, at once: they stay in the processor's cache in between. */
    static final int PIECE_BYTES = 256 << 10;
    static final int BUFFER_BYTES = PIECE_BYTES + 8192;

    /** Shorter holes are sent as data. */
    private static final int HOLE_BYTES_MIN = 64 << 10;
    private static final int DATA_CHUNK_HEADER_BYTES = NbdWire.CHUNK_HEADER_BYTES + 8;
    private static final int EXTENTS_MAX = 256;
    private static final int MESSAGE_CHARS_MAX = 200;

    private final NbdConnection connection;
    private final SocketChannel channel;
    private final ReentrantLock sending;
    private final boolean structured;
    private final Export export;
    private final ByteBuffer out;
    /** Requests whose last answer is in the buffer. */
    private int answered;

    Replies(NbdConnection connection, SocketChannel channel, ReentrantLock sending, NbdHandshake.Session session, ByteBuffer buffer) {
        this.connection = connection;
        this.channel = channel;
        this.sending = sending;
        structured = session.structured();
        export = session.export();
        out = buffer;
        out.clear();
    }

    /** Sends what has been collected; blocks until the client has taken it or it is in the socket. */
    void flush() throws IOException {
        if (out.position() == 0) {
            return;
        }
        sending.lock();
        try {
            out.flip();
            while (out.hasRemaining()) {
                channel.write(out);
            }
        } finally {
            out.clear();
            sending.unlock();
        }
        connection.answered(answered);
        answered = 0;
    }

    private void room(int bytes) throws IOException {
        if (out.remaining() < bytes) {
            flush();
        }
    }

    /** Success, or an error of a request whose answers are not structured. */
    void simple(Request request, int error) throws IOException {
        room(NbdWire.SIMPLE_REPLY_BYTES);
        out.putInt(NbdWire.SIMPLE_REPLY_MAGIC).putInt(error).putLong(request.cookie);
        answered++;
    }

    void error(Request request, int error, String message) throws IOException {
        if (!structured || request.type != NbdWire.CMD_READ && request.type != NbdWire.CMD_BLOCK_STATUS) {
            simple(request, error);
            return;
        }
        int chars = Math.min(message.length(), MESSAGE_CHARS_MAX);
        room(NbdWire.CHUNK_HEADER_BYTES + 6 + chars);
        chunk(request, NbdWire.CHUNK_DONE, NbdWire.CHUNK_ERROR, 6 + chars);
        out.putInt(error).putShort((short) chars);
        for (int i = 0; i < chars; i++) {
            char c = message.charAt(i);
            out.put((byte) (c >= ' ' && c <= '~' ? c : '?'));
        }
        answered++;
    }

    private void chunk(Request request, int flags, int type, int bytes) {
        out.putInt(NbdWire.CHUNK_MAGIC).putShort((short) flags).putShort((short) type).putLong(request.cookie).putInt(bytes);
    }

    // --- reads --------------------------------------------------------------------------------------------------------

    void read(Request request, Pace pace) throws IOException {
        if (!structured || (request.flags & NbdWire.DF) != 0) {
            readWhole(request, pace);
            return;
        }
        long at = request.offset;
        long end = at + request.length;
        while (at < end) {
            long run = end - at;
            if (run >= HOLE_BYTES_MIN) {
                try {
                    run = extent(at, run);
                } catch (IOException | RuntimeException e) {
                    error(request, connection.failed(request, e), String.valueOf(e.getMessage()));
                    return;
                }
            }
            if (-run >= HOLE_BYTES_MIN) {
                hole(request, at, (int) -run, at - run == end);
                at -= run;
                continue;
            }
            long dataEnd = Math.min(end, at + Math.max(Math.abs(run), HOLE_BYTES_MIN));
            while (at < dataEnd) {
                int bytes = pieceBytes(at, dataEnd);
                Exception failure = readPiece(DATA_CHUNK_HEADER_BYTES, at, bytes, pace);
                if (failure != null) {
                    error(request, connection.failed(request, failure), String.valueOf(failure.getMessage()));
                    return;
                }
                int start = out.position() - bytes - DATA_CHUNK_HEADER_BYTES;
                dataHeader(start, request, at + bytes == end, at, bytes);
                at += bytes;
            }
        }
        answered++;
    }

    /** One answer that must not be cut. */
    private void readWhole(Request request, Pace pace) throws IOException {
        int headerBytes = structured ? DATA_CHUNK_HEADER_BYTES : NbdWire.SIMPLE_REPLY_BYTES;
        long end = request.offset + request.length;
        int bytes = pieceBytes(request.offset, end);
        Exception failure = readPiece(headerBytes, request.offset, bytes, pace);
        if (failure != null) {
            error(request, connection.failed(request, failure), String.valueOf(failure.getMessage()));
            return;
        }
        int start = out.position() - bytes - headerBytes;
        if (structured) {
            dataHeader(start, request, true, request.offset, (int) request.length);
        } else {
            out.putInt(start, NbdWire.SIMPLE_REPLY_MAGIC).putInt(start + 4, 0).putLong(start + 8, request.cookie);
        }
        // Nobody else's answer may come in between.
        sending.lock();
        try {
            for (long at = request.offset + bytes; at < end; at += bytes) {
                flush();
                bytes = pieceBytes(at, end);
                failure = readPiece(0, at, bytes, pace);
                if (failure != null) {
                    connection.failed(request, failure);
                    throw new IOException("an answer that had begun could not be completed", failure);
                }
            }
            if (request.length > PIECE_BYTES) {
                answered++;
                flush();
                return;
            }
        } finally {
            sending.unlock();
        }
        answered++;
    }

    /** Pieces end where blocks do, so that no block is read twice. */
    private static int pieceBytes(long at, long end) {
        return (int) Math.min(end - at, PIECE_BYTES - (at & NbdWire.BLOCK_BYTES_PREFERRED - 1));
    }

    /** Appends data behind room for a header; on failure nothing is appended. */
    private Exception readPiece(int headerBytes, long at, int bytes, Pace pace) throws IOException {
        room(headerBytes + bytes);
        int start = out.position();
        out.position(start + headerBytes).limit(start + headerBytes + bytes);
        Exception failure = null;
        long began = System.nanoTime();
        try {
            export.read(at, out);
            if (out.hasRemaining()) {
                failure = new IOException(out.remaining() + " of " + bytes + " bytes at " + at + " were not read");
            }
        } catch (IOException | RuntimeException e) {
            failure = e;
        }
        pace.took(System.nanoTime() - began, bytes);
        out.limit(out.capacity());
        if (failure != null) {
            out.position(start);
        }
        return failure;
    }

    private void dataHeader(int start, Request request, boolean done, long at, int bytes) {
        out.putInt(start, NbdWire.CHUNK_MAGIC).putShort(start + 4, (short) (done ? NbdWire.CHUNK_DONE : 0))
                .putShort(start + 6, (short) NbdWire.CHUNK_OFFSET_DATA).putLong(start + 8, request.cookie)
                .putInt(start + 16, 8 + bytes).putLong(start + 20, at);
    }

    private void hole(Request request, long at, int bytes, boolean done) throws IOException {
        room(NbdWire.CHUNK_HEADER_BYTES + 12);
        chunk(request, done ? NbdWire.CHUNK_DONE : 0, NbdWire.CHUNK_OFFSET_HOLE, 12);
        out.putLong(at).putInt(bytes);
    }

    // --- block status -------------------------------------------------------------------------------------------------

    void blockStatus(Request request) throws IOException {
        room(NbdWire.CHUNK_HEADER_BYTES + 4 + 8 * EXTENTS_MAX);
        int start = out.position();
        out.position(start + NbdWire.CHUNK_HEADER_BYTES);
        out.putInt(NbdWire.BASE_ALLOCATION_ID);
        int max = (request.flags & NbdWire.REQ_ONE) != 0 ? 1 : EXTENTS_MAX;
        long at = request.offset;
        long end = at + request.length;
        try {
            long run = extent(at, end - at);
            for (int i = 0; i < max && run != 0; i++) {
                boolean hole = run < 0;
                long from = at;
                // Neighbours that are alike are one.
                while (run != 0 && run < 0 == hole) {
                    at += Math.abs(run);
                    run = at < end ? extent(at, end - at) : 0;
                }
                out.putInt((int) (at - from)).putInt(hole ? NbdWire.STATE_HOLE | NbdWire.STATE_ZERO : 0);
            }
        } catch (IOException | RuntimeException e) {
            out.position(start);
            error(request, connection.failed(request, e), String.valueOf(e.getMessage()));
            return;
        }
        int after = out.position();
        out.position(start);
        chunk(request, NbdWire.CHUNK_DONE, NbdWire.CHUNK_BLOCK_STATUS, after - start - NbdWire.CHUNK_HEADER_BYTES);
        out.position(after);
        answered++;
    }

    private long extent(long at, long length) throws IOException {
        long run = export.extent(at, length);
        if (run == 0 || Math.abs(run) > length) {
            throw new IOException("an extent of " + run + " bytes at " + at + " where there are " + length);
        }
        return run;
    }

    /** Reads a range for the sake of what caches lie below. */
    void cache(Request request) throws IOException {
        flush();
        long end = request.offset + request.length;
        for (long at = request.offset; at < end; ) {
            int bytes = pieceBytes(at, end);
            out.clear().limit(bytes);
            try {
                export.read(at, out);
            } catch (IOException | RuntimeException e) {
                out.clear();
                error(request, connection.failed(request, e), "");
                return;
            }
            at += bytes;
        }
        out.clear();
        simple(request, 0);
    }
}
