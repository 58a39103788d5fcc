package org.plover.transport.tcp;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/**
 * How bytes go into and come out of one socket: the place where TLS enters. Everything above it (handshake, frames, queues)
 * sees a byte stream only. Never blocks. Reading belongs to one thread; writes are serialised by the caller.
 */
interface Wire extends Closeable {
    /** What {@link #handshake} waits for. */
    enum Progress {
        /** Bytes can pass. */
        DONE,
        READABLE,
        WRITABLE,
        /** Arithmetic on another thread; the wire calls back. */
        BUSY
    }

    /**
     * Goes on with what has to be done before bytes can pass.
     *
     * @throws IOException if the other side may not be spoken to; says why, and the other side has been told as far as possible
     */
    Progress handshake() throws IOException;

    /** Fingerprint of the key by which the other side has proved who it is; null if it has not. */
    String peerKey();

    /** Bytes read into {@code into}, 0 if there are none now, -1 at the end of the stream. */
    int read(ByteBuffer into) throws IOException;

    /** Whether there is more to read although the socket may not be readable. */
    boolean hasMore();

    /** Bytes taken from {@code from}, possibly fewer than it has. */
    int write(ByteBuffer from) throws IOException;

    /** Bytes taken from the first {@code count} buffers in order, as one write. */
    long write(ByteBuffer[] from, int count) throws IOException;

    /** Bytes taken that the socket has not; any write, also of nothing, passes them on when the socket is writable. Any thread. */
    int unsentBytes();

    /** The socket itself, without anything added. */
    record Plain(SocketChannel channel) implements Wire {
        @Override
        public Progress handshake() {
            return Progress.DONE;
        }

        @Override
        public String peerKey() {
            return null;
        }

        @Override
        public int read(ByteBuffer into) throws IOException {
            return channel.read(into);
        }

        @Override
        public boolean hasMore() {
            return false;
        }

        @Override
        public int write(ByteBuffer from) throws IOException {
            return channel.write(from);
        }

        @Override
        public long write(ByteBuffer[] from, int count) throws IOException {
            return channel.write(from, 0, count);
        }

        @Override
        public int unsentBytes() {
            return 0;
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
