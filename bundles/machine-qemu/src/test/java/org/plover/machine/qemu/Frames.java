package org.plover.machine.qemu;

import java.nio.ByteBuffer;

/** The simplest clients there are: ARP and ping, by hand. */
final class Frames {
    static final byte[] CLIENT_MAC = {2, 0, 0, 0, 0, 1};
    private static final int ARP = 0x0806;
    private static final int IPV4 = 0x0800;

    private Frames() {
    }

    /** Who has 10.0.{net}.2? Asked by 10.0.{net}.1. */
    static ByteBuffer arpRequest(int net) {
        ByteBuffer f = ByteBuffer.allocate(60);
        f.put(new byte[] {-1, -1, -1, -1, -1, -1}).put(CLIENT_MAC).putShort((short) ARP);
        f.putShort((short) 1).putShort((short) IPV4).put((byte) 6).put((byte) 4).putShort((short) 1);
        f.put(CLIENT_MAC).put(new byte[] {10, 0, (byte) net, 1}).put(new byte[6]).put(new byte[] {10, 0, (byte) net, 2});
        return f.clear();
    }

    static boolean isArpReply(ByteBuffer frame, int net) {
        int at = frame.position();
        return frame.remaining() >= 42 && frame.getShort(at + 12) == ARP && frame.getShort(at + 20) == 2
                && frame.get(at + 30) == net && frame.get(at + 31) == 2;
    }

    /** An echo request of the given size to 10.0.0.2, whose MAC has to be {@code mac}. */
    static ByteBuffer ping(byte[] mac, int sequence, int payloadBytes) {
        int icmpBytes = 8 + payloadBytes;
        ByteBuffer f = ByteBuffer.allocate(14 + 20 + icmpBytes);
        f.put(mac).put(CLIENT_MAC).putShort((short) IPV4);
        f.put((byte) 0x45).put((byte) 0).putShort((short) (20 + icmpBytes)).putShort((short) sequence).putShort((short) 0);
        f.put((byte) 64).put((byte) 1).putShort((short) 0).put(new byte[] {10, 0, 0, 1}).put(new byte[] {10, 0, 0, 2});
        f.putShort(24, checksum(f, 14, 20));
        f.put((byte) 8).put((byte) 0).putShort((short) 0).putShort((short) 77).putShort((short) sequence);
        for (int i = 0; i < payloadBytes; i++) {
            f.put((byte) (i * 31 + sequence));
        }
        f.putShort(36, checksum(f, 34, icmpBytes));
        return f.clear();
    }

    /** Sequence number of an echo reply, or -1. */
    static int pingReply(ByteBuffer frame) {
        int at = frame.position();
        if (frame.remaining() < 42 || frame.getShort(at + 12) != IPV4 || frame.get(at + 23) != 1 || frame.get(at + 34) != 0) {
            return -1;
        }
        return frame.getShort(at + 40) & 0xffff;
    }

    private static short checksum(ByteBuffer f, int from, int bytes) {
        int sum = 0;
        for (int i = 0; i < bytes; i++) {
            sum += (f.get(from + i) & 0xff) << ((i & 1) == 0 ? 8 : 0);
        }
        while (sum >>> 16 != 0) {
            sum = (sum & 0xffff) + (sum >>> 16);
        }
        return (short) ~sum;
    }
}
