package org.plover.demo.chaos;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Reads a capture as it is written, in the file format of libpcap.
 *
 * @see <a href="https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/">PCAP Capture File Format</a>
 */
final class Pcap {
    private static final int MAGIC_MICROS = 0xa1b2c3d4;
    private static final int FILE_HEADER_BYTES = 24;
    private static final int RECORD_HEADER_BYTES = 16;
    private static final int RECORD_BYTES_MAX = 1 << 18;

    /** When a frame passed, and the beginning of it. */
    record Frame(long epochMicros, byte[] bytes) { }

    private final DataInputStream in;
    private final ByteOrder order;

    /** Blocks until the capture has begun. */
    Pcap(InputStream stream) throws IOException {
        in = new DataInputStream(stream);
        byte[] header = new byte[FILE_HEADER_BYTES];
        in.readFully(header);
        if (ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).getInt() == MAGIC_MICROS) {
            order = ByteOrder.LITTLE_ENDIAN;
        } else if (ByteBuffer.wrap(header).getInt() == MAGIC_MICROS) {
            order = ByteOrder.BIG_ENDIAN;
        } else {
            throw new IOException("not a capture with microseconds");
        }
    }

    /** The next frame; blocks for it. Null at the end. */
    Frame next() throws IOException {
        byte[] header = new byte[RECORD_HEADER_BYTES];
        try {
            in.readFully(header);
            ByteBuffer h = ByteBuffer.wrap(header).order(order);
            long micros = (h.getInt() & 0xffffffffL) * 1_000_000 + h.getInt();
            int length = h.getInt();
            if (length < 0 || length > RECORD_BYTES_MAX) {
                throw new IOException("a frame of " + length + " bytes in the capture");
            }
            byte[] bytes = new byte[length];
            in.readFully(bytes);
            return new Frame(micros, bytes);
        } catch (EOFException e) {
            return null;
        }
    }
}
