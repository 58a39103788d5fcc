package org.plover.transport.tcp;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import java.util.ArrayDeque;

/**
 * The sending half of one lane. A message goes straight from the caller's thread to the socket while nothing waits, which is the
 * shortest way there is; what the socket does not take is copied into a queue of pooled chunks that the lane's loop drains.
 * The queue holds bytes, not messages: their order is the order of sending. Allocates nothing once the pool is warm.
 */
final class Outbox {
    /** Up to this size copying the parts behind the header and one plain write is cheaper than a gathering write. */
    private static final int COPY_BYTES_MAX = 16 << 10;
    private static final int GATHER_MAX = 16;

    private final Wire wire;
    private final ChunkPool pool;
    /** Filled chunks, ready to be read, oldest first; the last one may still have room at its end. */
    private final ArrayDeque<ByteBuffer> queue = new ArrayDeque<>();
    private final ByteBuffer[] gather = new ByteBuffer[GATHER_MAX];
    private ByteBuffer scratch;
    private SelectionKey key;
    private boolean closed;
    private volatile long queuedBytes;
    private volatile long lastSentNanos = System.nanoTime();

    Outbox(Wire wire, ChunkPool pool) {
        this.wire = wire;
        this.pool = pool;
        this.scratch = pool.take();
    }

    long queuedBytes() {
        return queuedBytes + wire.unsentBytes();
    }

    long lastSentNanos() {
        return lastSentNanos;
    }

    /**
     * Sends or queues one message.
     *
     * @return false if it would exceed {@code queueBytesMax}; then nothing of it was taken
     * @throws IOException if the connection is broken; the message may have been sent in part, so the link has to be closed
     */
    synchronized boolean send(ByteBuffer[] parts, int bytes, long queueBytesMax) throws IOException {
        if (closed) {
            return false;
        }
        if (queue.isEmpty()) {
            lastSentNanos = System.nanoTime();
            if (bytes <= COPY_BYTES_MAX) {
                sendCopied(parts, bytes);
            } else if (parts.length < GATHER_MAX && allDirect(parts)) {
                sendGathered(parts, bytes);
            } else {
                sendPiecewise(parts, bytes);
            }
            return true;
        }
        if (queuedBytes + Frames.HEADER_BYTES + bytes > queueBytesMax) {
            return false;
        }
        lastSentNanos = System.nanoTime();
        scratch.clear().putInt(Frames.header(Frames.MESSAGE, bytes)).flip();
        enqueue(scratch);
        for (ByteBuffer part : parts) {
            enqueue(part);
        }
        return true;
    }

    /** Sends or queues a heartbeat frame, under the same limit as a message. */
    synchronized boolean sendStamp(int kind, long stamp, long queueBytesMax) throws IOException {
        if (closed || queuedBytes + Frames.HEADER_BYTES + Frames.STAMP_BYTES > queueBytesMax) {
            return false;
        }
        lastSentNanos = System.nanoTime();
        scratch.clear().putInt(Frames.header(kind, Frames.STAMP_BYTES)).putLong(stamp).flip();
        writeOrEnqueue(scratch);
        return true;
    }

    /** Sends or queues bytes that are no frame: what ends the handshake. */
    synchronized void sendRaw(ByteBuffer bytes) throws IOException {
        writeOrEnqueue(bytes);
    }

    /** From now on the key is asked for write readiness while something waits. Called on the loop's thread. */
    synchronized void attach(SelectionKey writeKey) {
        key = writeKey;
        if (!queue.isEmpty() || wire.unsentBytes() > 0) {
            key.interestOpsOr(SelectionKey.OP_WRITE);
        }
    }

    /** Writes what waits, up to one gathering write. Called on the loop's thread when the socket is writable. */
    synchronized void drain() throws IOException {
        if (closed) {
            return;
        }
        int count = 0;
        for (ByteBuffer chunk : queue) {
            gather[count++] = chunk;
            if (count == GATHER_MAX) {
                break;
            }
        }
        queuedBytes = queuedBytes - wire.write(gather, count);
        while (!queue.isEmpty() && !queue.peekFirst().hasRemaining()) {
            pool.giveBack(queue.pollFirst());
        }
        if (queue.isEmpty() && wire.unsentBytes() == 0) {
            key.interestOpsAnd(~SelectionKey.OP_WRITE);
        }
    }

    /** Forgets what waits and refuses what comes. Idempotent; the wire is closed by the caller. */
    synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        queuedBytes = 0;
        pool.giveBack(scratch);
        scratch = null;
        for (ByteBuffer chunk : queue) {
            pool.giveBack(chunk);
        }
        queue.clear();
    }

    private void sendCopied(ByteBuffer[] parts, int bytes) throws IOException {
        scratch.clear().putInt(Frames.header(Frames.MESSAGE, bytes));
        for (ByteBuffer part : parts) {
            scratch.put(part);
        }
        writeOrEnqueue(scratch.flip());
    }

    private void sendGathered(ByteBuffer[] parts, int bytes) throws IOException {
        gather[0] = scratch.clear().putInt(Frames.header(Frames.MESSAGE, bytes)).flip();
        System.arraycopy(parts, 0, gather, 1, parts.length);
        int count = parts.length + 1;
        wire.write(gather, count);
        awaitWritable();
        for (int i = 0; i < count; i++) {
            enqueue(gather[i]);
            gather[i] = null;
        }
    }

    /** Heap memory goes through the scratch chunk: the JDK would allocate and keep a direct copy of the whole message. */
    private void sendPiecewise(ByteBuffer[] parts, int bytes) throws IOException {
        scratch.clear().putInt(Frames.header(Frames.MESSAGE, bytes));
        for (ByteBuffer part : parts) {
            while (part.hasRemaining() && queue.isEmpty()) {
                int piece = Math.min(part.remaining(), scratch.remaining());
                int limit = part.limit();
                scratch.put(part.limit(part.position() + piece));
                part.limit(limit);
                if (!scratch.hasRemaining()) {
                    writeOrEnqueue(scratch.flip());
                    scratch.clear();
                }
            }
            enqueue(part);
        }
        if (queue.isEmpty()) {
            writeOrEnqueue(scratch.flip());
        }
    }

    private void writeOrEnqueue(ByteBuffer bytes) throws IOException {
        if (queue.isEmpty()) {
            wire.write(bytes);
            awaitWritable();
        }
        enqueue(bytes);
    }

    private void enqueue(ByteBuffer bytes) throws IOException {
        int count = bytes.remaining();
        if (count == 0) {
            return;
        }
        boolean wasEmpty = queue.isEmpty();
        while (bytes.hasRemaining()) {
            ByteBuffer tail = queue.peekLast();
            if (tail == null || tail.limit() == tail.capacity()) {
                tail = emptyChunk();
                queue.addLast(tail);
            }
            int piece = Math.min(bytes.remaining(), tail.capacity() - tail.limit());
            int at = tail.limit();
            tail.limit(at + piece);
            tail.put(at, bytes, bytes.position(), piece);
            bytes.position(bytes.position() + piece);
        }
        queuedBytes = queuedBytes + count;
        if (wasEmpty) {
            wakeWriter();
        }
    }

    /** The wire may hold back what it has taken; it has to be asked again when the socket is writable. */
    private void awaitWritable() throws IOException {
        if (wire.unsentBytes() > 0) {
            wakeWriter();
        }
    }

    private void wakeWriter() throws IOException {
        if (key == null) {
            return;
        }
        try {
            if ((key.interestOpsOr(SelectionKey.OP_WRITE) & SelectionKey.OP_WRITE) == 0) {
                key.selector().wakeup();
            }
        } catch (CancelledKeyException e) {
            throw new IOException("the connection was closed while sending", e);
        }
    }

    private ByteBuffer emptyChunk() throws IOException {
        try {
            return pool.take().limit(0);
        } catch (OutOfMemoryError e) {
            throw new IOException("no direct memory left for the send queue (" + queuedBytes
                    + " bytes wait); raise -XX:MaxDirectMemorySize or lower bulkQueueBytesMax", e);
        }
    }

    private static boolean allDirect(ByteBuffer[] parts) {
        for (ByteBuffer part : parts) {
            if (!part.isDirect()) {
                return false;
            }
        }
        return true;
    }
}
