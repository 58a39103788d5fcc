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
    /** Makes the wire of a connected, non-blocking channel. */
    interface Factory {
        /** @param calling whether this side opened the connection */
        Wire over(SocketChannel channel, boolean calling) throws IOException;
    }

    /** Bytes read into {@code into}, 0 if there are none now, -1 at the end of the stream. */
    int read(ByteBuffer into) throws IOException;

    /** Bytes taken from {@code from}, possibly fewer than it has. */
    int write(ByteBuffer from) throws IOException;

    /** Bytes taken from the first {@code count} buffers in order, as one write. */
    long write(ByteBuffer[] from, int count) throws IOException;

    /** The socket itself, without anything added. */
    record Plain(SocketChannel channel) implements Wire {
        @Override
        public int read(ByteBuffer into) throws IOException {
            return channel.read(into);
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
        public void close() throws IOException {
            channel.close();
        }
    }
}
