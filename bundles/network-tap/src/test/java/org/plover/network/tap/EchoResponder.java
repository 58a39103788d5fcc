package org.plover.network.tap;

import java.nio.ByteBuffer;

/** The smallest guest there is: one IPv4 address that answers ARP, ICMP echo and UDP by turning the frame round. */
final class EchoResponder {
    private final long mac;
    private final int address;

    EchoResponder(long mac, int address) {
        this.mac = mac;
        this.address = address;
    }

    /** The answer to a frame, or null if it asks for none. */
    ByteBuffer answer(ByteBuffer frame) {
        ByteBuffer answer = ByteBuffer.allocateDirect(frame.remaining()).put(frame.duplicate()).flip();
        int type = answer.getShort(12) & 0xffff;
        if (type == 0x0806 && answer.getShort(20) == 1 && answer.getInt(38) == address) {
            turnArp(answer);
            return turnEthernet(answer);
        }
        if (type == 0x0800 && answer.getInt(30) == address && (isEchoRequest(answer) || answer.get(23) == 17)) {
            turnIpv4(answer);
            return turnEthernet(answer);
        }
        return null;
    }

    private static boolean isEchoRequest(ByteBuffer frame) {
        return frame.get(23) == 1 && frame.get(34) == 8;
    }

    private ByteBuffer turnEthernet(ByteBuffer frame) {
        frame.putInt(0, frame.getInt(6)).putShort(4, frame.getShort(10));
        return frame.putShort(6, (short) (mac >> 32)).putInt(8, (int) mac);
    }

    private void turnArp(ByteBuffer frame) {
        byte[] sender = new byte[10];
        frame.get(22, sender);
        frame.putShort(20, (short) 2).put(32, sender);
        frame.putShort(22, (short) (mac >> 32)).putInt(24, (int) mac).putInt(28, address);
    }

    /** Sums do not change when addresses or ports change places. */
    private static void turnIpv4(ByteBuffer frame) {
        int source = frame.getInt(26);
        frame.putInt(26, frame.getInt(30)).putInt(30, source);
        if (frame.get(23) == 17) {
            short port = frame.getShort(34);
            frame.putShort(34, frame.getShort(36)).putShort(36, port);
        } else {
            int sum = (frame.getShort(36) & 0xffff) + 0x0800;
            frame.put(34, (byte) 0).putShort(36, (short) ((sum & 0xffff) + (sum >>> 16)));
        }
    }
}
