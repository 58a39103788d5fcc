package org.plover.transport.tcp;

import org.plover.api.transport.Transport;

/**
 * Frames of an established lane, protocol version 1: four bytes, big endian, of which the upper 4 bits are the kind and the lower
 * 28 the length of what follows.
 */
final class Frames {
    /** A message of the user. */
    static final int MESSAGE = 0;
    /** A heartbeat: the sender's clock in nanoseconds. */
    static final int PING = 1;
    /** The answer to a heartbeat: the stamp as it came. */
    static final int PONG = 2;

    static final int HEADER_BYTES = 4;
    static final int STAMP_BYTES = 8;

    private static final int LENGTH_BITS = 28;
    private static final int LENGTH_MASK = (1 << LENGTH_BITS) - 1;

    private Frames() {
    }

    static int header(int kind, int bytes) {
        return kind << LENGTH_BITS | bytes;
    }

    static int kind(int header) {
        return header >>> LENGTH_BITS;
    }

    static int length(int header) {
        return header & LENGTH_MASK;
    }

    /** Why the header cannot be right, or null if it can. */
    static String fault(int header) {
        int length = length(header);
        return switch (kind(header)) {
            case MESSAGE -> length <= Transport.MESSAGE_BYTES_MAX ? null
                    : "the peer announced a message of " + length + " bytes, the limit is " + Transport.MESSAGE_BYTES_MAX;
            case PING, PONG -> length == STAMP_BYTES ? null
                    : "the peer sent a heartbeat of " + length + " bytes instead of " + STAMP_BYTES;
            default -> "the peer sent a frame of unknown kind " + kind(header);
        };
    }
}
