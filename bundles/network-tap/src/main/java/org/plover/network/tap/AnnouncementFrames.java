package org.plover.network.tap;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Consumer;

/** Builds the frames that tell a network where a guest is. Not thread-safe: every frame is built in the same direct buffer. */
final class AnnouncementFrames {
    private static final int ETHERNET_BYTES_MIN = 60;
    private static final long ALL_NODES_MAC = 0x3333_0000_0001L;
    private static final long ALL_NODES_HIGH = 0xff02_0000_0000_0000L;
    private static final long ALL_NODES_LOW = 1;

    private final ByteBuffer frame = ByteBuffer.allocateDirect(128).order(ByteOrder.BIG_ENDIAN);

    /** Builds what announces an address and hands frame after frame over; a buffer is valid during the call only. */
    void build(GuestAddresses.Kind kind, long mac, long tags, long high, long low, Consumer<ByteBuffer> out) {
        switch (kind) {
            case STATION -> out.accept(rarp(mac, tags));
            case IPV4 -> {
                out.accept(gratuitousArp(1, mac, tags, (int) low));
                out.accept(gratuitousArp(2, mac, tags, (int) low));
            }
            case IPV6 -> out.accept(neighbourAdvertisement(mac, tags, high, low, false));
            case IPV6_ROUTER -> out.accept(neighbourAdvertisement(mac, tags, high, low, true));
        }
    }

    /** A reverse ARP request for the MAC itself: every switch learns it, no host minds (as QEMU does after a migration). */
    private ByteBuffer rarp(long mac, long tags) {
        ethernet(MacAddress.BROADCAST, mac, tags, 0x8035);
        return arp(3, mac, 0, mac, 0);
    }

    /** An ARP announcement (RFC 5227, section 3), as a request, or as a reply for hosts that listen to these only. */
    private ByteBuffer gratuitousArp(int operation, long mac, long tags, int address) {
        ethernet(MacAddress.BROADCAST, mac, tags, 0x0806);
        return arp(operation, mac, address, operation == 1 ? 0 : mac, address);
    }

    private ByteBuffer arp(int operation, long senderMac, int senderAddress, long targetMac, int targetAddress) {
        frame.putShort((short) 1).putShort((short) 0x0800).putShort((short) 0x0604).putShort((short) operation);
        putMac(senderMac);
        frame.putInt(senderAddress);
        putMac(targetMac);
        frame.putInt(targetAddress);
        return finished();
    }

    /** An unsolicited neighbour advertisement with the override flag (RFC 4861, sections 4.4 and 7.2.6). */
    private ByteBuffer neighbourAdvertisement(long mac, long tags, long high, long low, boolean router) {
        ethernet(ALL_NODES_MAC, mac, tags, 0x86dd);
        int ip = frame.position();
        frame.putInt(0x6000_0000).putShort((short) 32).put((byte) 58).put((byte) 255);
        frame.putLong(high).putLong(low).putLong(ALL_NODES_HIGH).putLong(ALL_NODES_LOW);
        int icmp = frame.position();
        frame.put((byte) 136).put((byte) 0).putShort((short) 0).putInt(router ? 0xa000_0000 : 0x2000_0000);
        frame.putLong(high).putLong(low);
        frame.put((byte) 2).put((byte) 1);
        putMac(mac);
        frame.putShort(icmp + 2, icmpv6Checksum(ip, icmp, frame.position()));
        return finished();
    }

    private short icmpv6Checksum(int ip, int icmp, int end) {
        int sum = 58 + end - icmp;
        for (int at = ip + 8; at < end; at += 2) {
            sum += frame.getShort(at) & 0xffff;
        }
        while (sum >>> 16 != 0) {
            sum = (sum & 0xffff) + (sum >>> 16);
        }
        return (short) ~sum;
    }

    private void ethernet(long destination, long source, long tags, int type) {
        frame.clear();
        putMac(destination);
        putMac(source);
        for (long rest = tags; rest != 0; rest >>>= 32) {
            frame.putInt((int) rest);
        }
        frame.putShort((short) type);
    }

    private void putMac(long mac) {
        frame.putShort((short) (mac >> 32)).putInt((int) mac);
    }

    private ByteBuffer finished() {
        while (frame.position() < ETHERNET_BYTES_MIN) {
            frame.put((byte) 0);
        }
        return frame.flip();
    }
}
