package org.plover.disk.nbd;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.plover.disk.nbd.NbdWire.ProtocolException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client. Its thread reads requests and executes them in place as long as they do not wait for anything ({@link Pace}); the
 * answers to all requests that have arrived together leave together. The others go to {@link Workers}. Whatever the client does
 * wrong ends this connection and is one line in the log.
 */
final class NbdConnection implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(NbdConnection.class);
    /** Longer ranges may take their time even where nothing else does. */
    private static final int ZERO_BYTES_IN_PLACE_MAX = 1 << 20;

    private final NbdServer server;
    private final SocketChannel channel;
    private final Workers workers;
    private final ReentrantLock sending = new ReentrantLock();
    private final AtomicInteger inFlight = new AtomicInteger();
    private final AtomicBoolean failureLogged = new AtomicBoolean();
    private final Request request = new Request();
    private volatile boolean negotiating = true;

    // Of the connection's thread, once negotiated.
    private NbdHandshake.Session session;
    private volatile Export export;
    private ByteBuffer in;
    private Replies replies;

    // Guarded by this.
    private int tasks;

    NbdConnection(NbdServer server, SocketChannel channel, Workers workers) {
        this.server = server;
        this.channel = channel;
        this.workers = workers;
    }

    int inFlight() {
        return inFlight.get();
    }

    boolean negotiating() {
        return negotiating;
    }

    /** What it is connected to; null while that is being negotiated. */
    Export export() {
        return export;
    }

    /** Lets requests that have been read be answered and reads no more. */
    void drain() {
        try {
            channel.shutdownInput();
        } catch (ClosedChannelException e) {
            LOG.trace("already closed", e);
        } catch (IOException e) {
            LOG.debug("{}: a connection could not be shut down and is closed", server, e);
            abort();
        }
    }

    /** Ends the connection at once; whoever is blocked in the socket returns. */
    void abort() {
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("{}: closing a connection", server, e);
        }
    }

    @Override
    public void run() {
        ByteBuffer out = null;
        try {
            session = new NbdHandshake(channel, server.exports(), server::closing).run();
            negotiating = false;
            if (session != null) {
                export = session.export();
                in = workers.take();
                out = workers.take();
                if (in == null || out == null) {
                    throw new IOException("no buffer is free: too many requests are under way");
                }
                in.limit(0);
                replies = new Replies(this, channel, sending, session, out);
                serve();
                replies.flush();
            }
        } catch (ClosedChannelException e) {
            LOG.debug("{}: connection closed", server);
        } catch (ProtocolException e) {
            LOG.warn("{}: a client broke the protocol and is disconnected: {}", server, e.getMessage());
        } catch (IOException e) {
            LOG.warn("{}: a connection ends: {}", server, e instanceof EOFException ? "the client went away within a message" : e.getMessage());
        } catch (RuntimeException e) {
            LOG.error("{}: a connection ends by a fault of the server", server, e);
        } finally {
            negotiating = false;
            awaitTasks();
            abort();
            server.ended(this);
            give(in);
            give(out);
        }
    }

    private void give(ByteBuffer buffer) {
        if (buffer != null) {
            workers.give(buffer);
        }
    }

    /** Until the client ends it. */
    private void serve() throws IOException {
        while (true) {
            if (in.remaining() < NbdWire.REQUEST_BYTES && !fill(NbdWire.REQUEST_BYTES, true)) {
                if (in.hasRemaining()) {
                    throw new EOFException();
                }
                return;
            }
            if (in.getInt() != NbdWire.REQUEST_MAGIC) {
                throw new ProtocolException("a request without its magic number");
            }
            request.parse(in);
            if (request.type == NbdWire.CMD_DISC) {
                return;
            }
            inFlight.incrementAndGet();
            if (request.type != NbdWire.CMD_FLUSH) {
                server.countOperation();
            }
            int error = request.error(export, session.structured(), session.allocation());
            if (error == 0 && server.closing()) {
                error = NbdWire.ESHUTDOWN;
            }
            if (request.type == NbdWire.CMD_WRITE) {
                if (request.length > NbdWire.PAYLOAD_BYTES_MAX) {
                    throw new ProtocolException("a write of " + request.length + " bytes; " + NbdWire.PAYLOAD_BYTES_MAX + " are allowed");
                }
                write(error);
            } else if (error != 0) {
                replies.error(request, error, "");
            } else if (!mayWait() || !offload(request.copy())) {
                perform(request, replies);
            }
        }
    }

    private boolean mayWait() {
        switch (request.type) {
            case NbdWire.CMD_READ:
                return server.reads.waits();
            case NbdWire.CMD_FLUSH:
                return server.flushes.waits();
            case NbdWire.CMD_WRITE:
                return server.writes.waits() || request.forced() && server.flushes.waits();
            case NbdWire.CMD_TRIM:
            case NbdWire.CMD_WRITE_ZEROES:
                return server.writes.waits() || request.length > ZERO_BYTES_IN_PLACE_MAX || request.forced() && server.flushes.waits();
            default:
                return true;
        }
    }

    /** Executes all but writes, and answers. */
    private Replies perform(Request request, Replies replies) throws IOException {
        switch (request.type) {
            case NbdWire.CMD_READ:
                replies.read(request, server.reads);
                server.countRead(request.length);
                break;
            case NbdWire.CMD_BLOCK_STATUS:
                replies.blockStatus(request);
                break;
            case NbdWire.CMD_CACHE:
                replies.cache(request);
                break;
            default:
                replies.simple(request, change(request, null));
        }
        return replies;
    }

    /** Executes what changes the disk or makes it durable; returns an error number. */
    private int change(Request request, ByteBuffer payload) {
        Pace pace = request.type == NbdWire.CMD_FLUSH || request.forced() ? server.flushes : server.writes;
        long began = System.nanoTime();
        try {
            switch (request.type) {
                case NbdWire.CMD_WRITE:
                    export.write(request.offset, payload, request.forced());
                    server.countWritten(request.length);
                    break;
                case NbdWire.CMD_TRIM:
                    export.trim(request.offset, request.length, request.forced());
                    break;
                case NbdWire.CMD_WRITE_ZEROES:
                    export.zero(request.offset, request.length, request.forced());
                    break;
                default:
                    export.flush();
            }
            return 0;
        } catch (IOException | RuntimeException e) {
            return failed(request, e);
        } finally {
            // How long a range of zeros takes says little of writes.
            if (request.type == NbdWire.CMD_WRITE || pace == server.flushes) {
                pace.took(System.nanoTime() - began, request.type == NbdWire.CMD_WRITE ? request.length : 0);
            }
        }
    }

    // --- writes -------------------------------------------------------------------------------------------------------

    /** Takes a write's payload and executes it, or only takes it if the error is not 0. */
    private void write(int error) throws IOException {
        if (error != 0) {
            for (long left = request.length; left > 0; ) {
                int bytes = (int) Math.min(left, Replies.PIECE_BYTES);
                payload(bytes, bytes == left);
                in.position(in.position() + bytes);
                left -= bytes;
            }
            replies.error(request, error, "");
        } else if (request.length > Replies.PIECE_BYTES) {
            writePieces();
        } else {
            int bytes = (int) request.length;
            payload(bytes, true);
            int end = in.position() + bytes;
            int limit = in.limit();
            in.limit(end);
            if (!mayWait() || !offloadWrite(request.copy(), null)) {
                replies.simple(request, change(request, in));
            }
            in.limit(limit).position(end);
        }
    }

    /** Executes a long write while it arrives. */
    private void writePieces() throws IOException {
        LongWrite whole = new LongWrite(request.copy());
        long at = request.offset;
        long end = at + request.length;
        Request piece = request.copy();
        piece.flags &= ~NbdWire.FUA;
        while (at < end) {
            // Pieces end where blocks do, so that no block is written twice.
            int bytes = (int) Math.min(end - at, Replies.PIECE_BYTES - (at & NbdWire.BLOCK_BYTES_PREFERRED - 1));
            payload(bytes, at + bytes == end);
            int limit = in.limit();
            int pieceEnd = in.position() + bytes;
            in.limit(pieceEnd);
            piece.offset = at;
            piece.length = bytes;
            if (!server.writes.waits() || !offloadWrite(piece.copy(), whole)) {
                whole.fail(change(piece, in));
            }
            in.limit(limit).position(pieceEnd);
            at += bytes;
        }
        if (whole.pieceDone() && !(whole.request.forced() && server.flushes.waits() && offload(buffer -> finish(whole, replies(buffer))))) {
            finish(whole, replies);
        }
    }

    /** All pieces are written. */
    private Replies finish(LongWrite whole, Replies replies) throws IOException {
        if (whole.error == 0 && whole.request.forced()) {
            Request flush = whole.request.copy();
            flush.type = NbdWire.CMD_FLUSH;
            whole.fail(change(flush, null));
        }
        replies.simple(whole.request, whole.error);
        return replies;
    }

    /** A write that is executed in pieces, perhaps by several threads. */
    private static final class LongWrite {
        final Request request;
        volatile int error;
        /** The reader counts as one piece until it has them all. */
        private final AtomicInteger pieces = new AtomicInteger(1);

        LongWrite(Request request) {
            this.request = request;
        }

        void fail(int pieceError) {
            if (pieceError != 0) {
                error = pieceError;
            }
        }

        /** @return whether it was the last one */
        boolean pieceDone() {
            return pieces.decrementAndGet() == 0;
        }
    }

    /** Reads on until {@code bytes} of payload are there. */
    private void payload(int bytes, boolean last) throws IOException {
        if (in.remaining() < bytes && !fill(bytes, last)) {
            throw new EOFException();
        }
    }

    /** @param beyond whether more than {@code bytes} may be taken; else what follows would have to be moved soon */
    private boolean fill(int bytes, boolean beyond) throws IOException {
        replies.flush();
        in.compact();
        if (!beyond) {
            in.limit(bytes);
        }
        try {
            while (in.position() < bytes) {
                if (channel.read(in) < 0) {
                    return false;
                }
            }
            return true;
        } finally {
            in.flip();
        }
    }

    // --- tasks --------------------------------------------------------------------------------------------------------

    /** What another thread does, with a buffer of its own; returns answers that are to be sent, or null. */
    private interface Task {
        Replies run(ByteBuffer buffer) throws IOException;
    }

    private Replies replies(ByteBuffer buffer) {
        return new Replies(this, channel, sending, session, buffer);
    }

    private boolean offload(Request request) {
        return offload(buffer -> perform(request, replies(buffer)));
    }

    /**
     * Hands over a write, or a piece of one, whose payload is what remains in {@link #in}.
     *
     * @param whole null if it is not a piece
     */
    private boolean offloadWrite(Request request, LongWrite whole) {
        int start = in.position();
        if (whole != null) {
            whole.pieces.incrementAndGet();
        }
        ByteBuffer payload = workers.take();
        boolean taken = payload != null;
        if (taken) {
            payload.clear().put(in).flip();
            in.position(start);
            taken = offload(payload, buffer -> {
                int error = change(request, buffer);
                if (whole != null) {
                    whole.fail(error);
                    return whole.pieceDone() ? finish(whole, replies(buffer)) : null;
                }
                Replies mine = replies(buffer);
                mine.simple(request, error);
                return mine;
            });
        }
        if (!taken && whole != null) {
            whole.pieces.decrementAndGet();
        }
        return taken;
    }

    private boolean offload(Task task) {
        ByteBuffer buffer = workers.take();
        return buffer != null && offload(buffer, task);
    }

    private boolean offload(ByteBuffer buffer, Task task) {
        synchronized (this) {
            tasks++;
        }
        boolean taken = workers.execute(() -> run(buffer, task));
        if (!taken) {
            taskEnded(buffer);
        }
        return taken;
    }

    private void run(ByteBuffer buffer, Task task) {
        try {
            Replies mine = task.run(buffer);
            if (mine != null) {
                mine.flush();
            }
        } catch (IOException e) {
            LOG.debug("{}: an answer could not be sent", server, e);
            abort();
        } catch (RuntimeException e) {
            LOG.error("{}: a connection ends by a fault of the server", server, e);
            abort();
        } finally {
            taskEnded(buffer);
        }
    }

    private void taskEnded(ByteBuffer buffer) {
        workers.give(buffer);
        synchronized (this) {
            tasks--;
            notifyAll();
        }
    }

    private synchronized void awaitTasks() {
        boolean interrupted = false;
        while (tasks > 0) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    // --- for Replies --------------------------------------------------------------------------------------------------

    void answered(int requests) {
        inFlight.addAndGet(-requests);
    }

    /** Notes that the export failed; returns what the client is told. */
    int failed(Request request, Exception e) {
        if (server.closing()) {
            return NbdWire.ESHUTDOWN;
        }
        if (failureLogged.compareAndSet(false, true)) {
            LOG.warn("{}: {} failed, the guest is told so; further failures of this connection are logged at level debug", server, request, e);
        } else {
            LOG.debug("{}: {} failed", server, request, e);
        }
        return e instanceof Export.NoSpaceException ? NbdWire.ENOSPC : NbdWire.EIO;
    }
}
