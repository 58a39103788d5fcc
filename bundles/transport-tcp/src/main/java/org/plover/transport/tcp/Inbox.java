package org.plover.transport.tcp;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.plover.api.transport.Lane;
import org.plover.api.transport.Transport;

/**
 * The receiving half of one lane: one direct buffer that is read into and from which messages are handed out where they lie.
 * It grows when a longer message is announced, stays that size, and outlives the connection, so that neither messages nor
 * reconnects allocate. Belongs to the lane's thread.
 */
final class Inbox {
    /** Takes the frames of the buffer, in order. */
    interface Sink {
        /** A message; {@code bytes} is valid during the call. Its mark is its beginning; its position need not be 0. */
        void onMessage(ByteBuffer bytes);

        void onStamp(int kind, long stamp);

        /** Whether to go on with the frames already read. */
        boolean isOpen();
    }

    private static final int CONTROL_BYTES = 64 << 10;
    private static final int BULK_BYTES = 512 << 10;

    private ByteBuffer buffer;
    /** The same memory as {@link #buffer}, lent to the listener: a slice per message would be an object per message. */
    private ByteBuffer lent;
    private int readIndex;
    private int writeIndex;

    Inbox(Lane lane) {
        use(ByteBuffer.allocateDirect(lane == Lane.CONTROL ? CONTROL_BYTES : BULK_BYTES));
    }

    /** Forgets a half-received message of a former connection. */
    void reset() {
        readIndex = 0;
        writeIndex = 0;
    }

    /**
     * Reads once from the wire and hands out what is whole.
     *
     * @return bytes read, or -1 at the end of the stream
     * @throws IOException if the wire fails or the peer does not keep the frame rules; the message says which
     */
    int receive(Wire wire, Sink sink) throws IOException {
        buffer.limit(buffer.capacity()).position(writeIndex);
        int count = wire.read(buffer);
        if (count <= 0) {
            return count;
        }
        writeIndex += count;
        handOut(sink);
        if (readIndex == writeIndex) {
            reset();
        } else if (sink.isOpen()) {
            makeRoom();
        }
        return count;
    }

    private void handOut(Sink sink) throws IOException {
        while (writeIndex - readIndex >= Frames.HEADER_BYTES && sink.isOpen()) {
            int header = buffer.getInt(readIndex);
            String fault = Frames.fault(header);
            if (fault != null) {
                throw new IOException(fault);
            }
            int start = readIndex + Frames.HEADER_BYTES;
            int length = Frames.length(header);
            if (writeIndex - start < length) {
                return;
            }
            readIndex = start + length;
            if (Frames.kind(header) == Frames.MESSAGE) {
                sink.onMessage(lent.clear().limit(readIndex).position(start).mark().order(ByteOrder.BIG_ENDIAN));
            } else {
                sink.onStamp(Frames.kind(header), buffer.getLong(start));
            }
        }
    }

    /** After this the frame that has begun fits behind {@link #readIndex}, and the next read has room. */
    private void makeRoom() throws IOException {
        int held = writeIndex - readIndex;
        int needed = Frames.HEADER_BYTES + (held < Frames.HEADER_BYTES ? 0 : Frames.length(buffer.getInt(readIndex)));
        int roomMin = Math.max(needed, held + 1);
        boolean fits = buffer.capacity() - readIndex >= roomMin;
        boolean cheapToMove = readIndex > buffer.capacity() / 2 && buffer.capacity() - writeIndex < buffer.capacity() / 4;
        if (fits && !cheapToMove) {
            return;
        }
        buffer.limit(writeIndex).position(readIndex);
        if (buffer.capacity() >= roomMin) {
            buffer.compact();
        } else {
            ByteBuffer larger = larger(needed);
            larger.put(buffer);
            use(larger);
        }
        readIndex = 0;
        writeIndex = held;
    }

    private ByteBuffer larger(int needed) throws IOException {
        int limit = Frames.HEADER_BYTES + Transport.MESSAGE_BYTES_MAX;
        int bytes = Math.max(needed, (int) Math.min(limit, Integer.highestOneBit(needed) * 2L));
        try {
            return ByteBuffer.allocateDirect(bytes);
        } catch (OutOfMemoryError e) {
            throw new IOException("no direct memory left to receive a message of " + needed
                    + " bytes; raise -XX:MaxDirectMemorySize", e);
        }
    }

    private void use(ByteBuffer memory) {
        buffer = memory.order(ByteOrder.BIG_ENDIAN);
        lent = memory.duplicate();
    }
}
