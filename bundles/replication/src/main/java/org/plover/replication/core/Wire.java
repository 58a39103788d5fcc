package org.plover.replication.core;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Encoding of the replication messages on the control lane and of SYNC entries. Every message begins with its type and the
 * view it belongs to, so that what comes from an older view can be refused (safety rule S7). Pages travel on the bulk lane
 * and are encoded by the guest's edge.
 */
final class Wire {
    /** First byte of a control message that belongs to this core and not to consensus. */
    static final byte JOIN = 1;
    static final byte JOIN_ANEW = 2;
    static final byte STAGED = 3;
    static final byte APPLIED = 4;
    static final byte ACTIVITY = 5;
    static final byte BACKUP_FAILED = 6;
    static final byte VERIFIED = 7;
    static final byte DISKS_VERIFIED = 8;
    /** To the backup: a disk shall have this length. */
    static final byte GROW = 9;
    static final byte GROWN = 10;
    /** To a learner: the lengths that the primary's disks have. */
    static final byte LENGTHS = 11;

    private Wire() {
    }

    static ByteBuffer message(byte type, long view, int extraBytes) {
        return ByteBuffer.allocate(9 + extraBytes).put(type).putLong(view);
    }

    static void putString(ByteBuffer to, String s) {
        byte[] bytes = s.getBytes(StandardCharsets.UTF_8);
        to.putShort((short) bytes.length).put(bytes);
    }

    static String getString(ByteBuffer from) {
        byte[] bytes = new byte[Short.toUnsignedInt(from.getShort())];
        from.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** That many bytes, if they are there: memory is not taken on a peer's word. */
    static byte[] getBytes(ByteBuffer from, int length) {
        if (length < 0 || length > from.remaining()) {
            throw new IllegalArgumentException(length + " bytes announced, there are " + from.remaining());
        }
        byte[] bytes = new byte[length];
        from.get(bytes);
        return bytes;
    }

    /** Payload of a SYNC entry. */
    record Sync(long view, long epoch, boolean verify, boolean handOver, String hasher) {
        ByteBuffer encode() {
            byte[] id = hasher.getBytes(StandardCharsets.UTF_8);
            return ByteBuffer.allocate(8 + 8 + 1 + 2 + id.length).putLong(view).putLong(epoch)
                    .put((byte) ((verify ? 1 : 0) | (handOver ? 2 : 0))).putShort((short) id.length).put(id).flip();
        }

        static Sync decode(ByteBuffer from) {
            long view = from.getLong();
            long epoch = from.getLong();
            byte flags = from.get();
            return new Sync(view, epoch, (flags & 1) != 0, (flags & 2) != 0, getString(from));
        }
    }

    static List<Long> getLongs(ByteBuffer from) {
        int n = from.getInt();
        List<Long> longs = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            longs.add(from.getLong());
        }
        return longs;
    }

    static List<Integer> getInts(ByteBuffer from) {
        int n = from.getInt();
        List<Integer> ints = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            ints.add(from.getInt());
        }
        return ints;
    }
}
