package org.plover.consensus.paxos;

import java.nio.ByteBuffer;
import org.plover.api.consensus.EntryType;
import org.plover.api.consensus.Membership;

/** Encoding of messages into one buffer that is reused: a message is sent before the next one is begun. */
final class Wire {
    /** Kind, flags, view. */
    static final int HEADER = 1 + 1 + 8;
    /** View, type and length before each payload. */
    static final int ENTRY_OVERHEAD = 8 + 1 + 4;
    /** Largest payload of one entry. */
    static final int PAYLOAD_BYTES_MAX = 8 << 20;

    private static final EntryType[] TYPES = EntryType.values();

    private ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16);

    /** Begins a message with room for {@code body} more bytes. */
    ByteBuffer begin(MessageType type, int flags, long view, int body) {
        if (buffer.capacity() < HEADER + body) {
            buffer = ByteBuffer.allocateDirect(Math.max(HEADER + body, buffer.capacity() * 2));
        }
        return buffer.clear().put((byte) type.ordinal()).put((byte) flags).putLong(view);
    }

    static void putMembership(ByteBuffer to, Membership m) {
        to.put((byte) (m == null ? 0 : 1));
        if (m != null) {
            m.encode(to);
        }
    }

    static Membership getMembership(ByteBuffer from) {
        return from.get() == 0 ? null : Membership.decode(from);
    }

    /** Number of entries from {@code first} on that fit a batch; at least one if there is one. */
    static int countFor(EntryLog log, long first, int bytesMax) {
        int count = 0;
        long bytes = 0;
        for (long i = first; i <= log.last(); i++) {
            bytes += log.lengthAt(i) + ENTRY_OVERHEAD;
            if (count > 0 && bytes > bytesMax) {
                break;
            }
            count++;
        }
        return count;
    }

    static void putEntries(ByteBuffer to, EntryLog log, long first, int count) {
        for (long i = first; i < first + count; i++) {
            to.putLong(log.viewAt(i)).put((byte) log.typeAt(i).ordinal()).putInt(log.lengthAt(i)).put(log.payloadAt(i));
        }
    }

    static EntryType type(byte code) {
        return TYPES[code];
    }
}
