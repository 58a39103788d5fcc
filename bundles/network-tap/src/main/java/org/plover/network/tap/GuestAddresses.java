package org.plover.network.tap;

import java.nio.ByteBuffer;
import java.util.function.LongSupplier;

/**
 * What the guest is known by on the network: MAC addresses it sends from, per VLAN, and the IP addresses it has claimed for them.
 * Thread-safe. Frames that teach nothing new allocate nothing.
 *
 * <p>An IP address is believed only where the guest itself claims it: as the sender of ARP, and in neighbour discovery. Sources of
 * ordinary packets are not looked at, since a guest that routes or proxies sends from addresses of others, and to announce those would
 * take their traffic away. For the same reason ARP probes and duplicate address detection (RFC 5227, RFC 4862) teach nothing: the
 * guest only asks then whether it may have the address.
 *
 * <p>VLAN tags are kept as 64 bits, the outer tag's ethertype and VLAN in the lower half, an inner one's in the upper half; 0 is none.
 */
final class GuestAddresses {
    /** What is learned beyond this replaces what has been silent for longest: a guest may not fill our memory. */
    static final int ENTRIES_MAX = 128;

    /** Kind of an entry. */
    enum Kind {
        /** A MAC address alone. */
        STATION,
        IPV4,
        /** An IPv6 address of a host. */
        IPV6,
        /** An IPv6 address of a guest that is a router: to call it a host would make its neighbours forget their route. */
        IPV6_ROUTER
    }

    /** Takes what is known. */
    @FunctionalInterface
    interface Visitor {
        /** For IPv4, {@code high} is 0 and the address stands in the lower half of {@code low}. */
        void address(Kind kind, long mac, long tags, long high, long low);
    }

    private static final int ETHERNET_BYTES = 14;
    private static final int ARP_BYTES = 28;
    private static final int IPV6_BYTES = 40;
    private static final int TYPE_ARP = 0x0806;
    private static final int TYPE_IPV6 = 0x86dd;
    private static final int TYPE_VLAN = 0x8100;
    private static final int TYPE_VLAN_SERVICE = 0x88a8;
    private static final int PROTOCOL_ICMPV6 = 58;
    private static final int ROUTER_SOLICITATION = 133;
    private static final int ROUTER_ADVERTISEMENT = 134;
    private static final int NEIGHBOUR_SOLICITATION = 135;
    private static final int NEIGHBOUR_ADVERTISEMENT = 136;
    private static final int FLAG_ROUTER = 0x80;
    private static final int FLAG_OVERRIDE = 0x20;

    private final long ownMac;
    private final LongSupplier nanoTime;

    private final Kind[] kinds = new Kind[ENTRIES_MAX];
    private final long[] macs = new long[ENTRIES_MAX];
    private final long[] tags = new long[ENTRIES_MAX];
    private final long[] highs = new long[ENTRIES_MAX];
    private final long[] lows = new long[ENTRIES_MAX];
    private final long[] seenNanos = new long[ENTRIES_MAX];
    private int entries;

    GuestAddresses(long ownMac, LongSupplier nanoTime) {
        this.ownMac = ownMac;
        this.nanoTime = nanoTime;
    }

    /** Learns from a frame that the guest emitted; its position stays. */
    void observe(ByteBuffer frame) {
        int start = frame.position();
        int end = frame.limit();
        if (end - start < ETHERNET_BYTES) {
            return;
        }
        long mac = mac(frame, start + 6);
        if (MacAddress.isGroup(mac) || mac == 0) {
            return;
        }
        long frameTags = 0;
        int typeAt = start + 12;
        int type = unsignedShort(frame, typeAt);
        for (int shift = 0; shift < 64 && (type == TYPE_VLAN || type == TYPE_VLAN_SERVICE) && typeAt + 6 <= end; shift += 32) {
            frameTags |= ((long) type << 16 | unsignedShort(frame, typeAt + 2) & 0x0fff) << shift;
            typeAt += 4;
            type = unsignedShort(frame, typeAt);
        }
        if (mac != ownMac || frameTags != 0) {
            learn(Kind.STATION, mac, frameTags, 0, 0);
        }
        int payload = typeAt + 2;
        if (type == TYPE_ARP && end - payload >= ARP_BYTES) {
            observeArp(frame, payload, mac, frameTags);
        } else if (type == TYPE_IPV6 && end - payload >= IPV6_BYTES + 8 && frame.get(payload + 6) == PROTOCOL_ICMPV6
                && frame.get(payload + 7) == (byte) 255) {
            observeNeighbourDiscovery(frame, payload, end, mac, frameTags);
        }
    }

    private void observeArp(ByteBuffer frame, int arp, long mac, long frameTags) {
        int operation = unsignedShort(frame, arp + 6);
        boolean ethernetAndIpv4 = unsignedShort(frame, arp) == 1 && unsignedShort(frame, arp + 2) == 0x0800
                && unsignedShort(frame, arp + 4) == 0x0604;
        int sender = int32(frame, arp + 14);
        if (ethernetAndIpv4 && (operation == 1 || operation == 2) && mac(frame, arp + 8) == mac && isIpv4OfAHost(sender)) {
            learn(Kind.IPV4, mac, frameTags, 0, sender & 0xffff_ffffL);
        }
    }

    private static boolean isIpv4OfAHost(int address) {
        int firstByte = address >>> 24;
        return firstByte != 0 && firstByte != 127 && firstByte < 224;
    }

    private void observeNeighbourDiscovery(ByteBuffer frame, int ip, int end, long mac, long frameTags) {
        int icmp = ip + IPV6_BYTES;
        switch (Byte.toUnsignedInt(frame.get(icmp))) {
            case ROUTER_SOLICITATION, NEIGHBOUR_SOLICITATION -> learnIpv6(Kind.IPV6, frame, ip + 8, mac, frameTags);
            case ROUTER_ADVERTISEMENT -> learnIpv6(Kind.IPV6_ROUTER, frame, ip + 8, mac, frameTags);
            case NEIGHBOUR_ADVERTISEMENT -> {
                int flags = frame.get(icmp + 4);
                // Without the override flag it speaks for somebody else, or for an address that others have too (RFC 4861, 7.2.4).
                if ((flags & FLAG_OVERRIDE) != 0 && end - icmp >= 24) {
                    learnIpv6((flags & FLAG_ROUTER) != 0 ? Kind.IPV6_ROUTER : Kind.IPV6, frame, icmp + 8, mac, frameTags);
                }
            }
            default -> { }
        }
    }

    private void learnIpv6(Kind kind, ByteBuffer frame, int at, long mac, long frameTags) {
        long high = (long) int32(frame, at) << 32 | int32(frame, at + 4) & 0xffff_ffffL;
        long low = (long) int32(frame, at + 8) << 32 | int32(frame, at + 12) & 0xffff_ffffL;
        boolean unspecifiedOrLoopback = high == 0 && (low == 0 || low == 1);
        boolean multicast = high >>> 56 == 0xff;
        if (!unspecifiedOrLoopback && !multicast) {
            learn(kind, mac, frameTags, high, low);
        }
    }

    private synchronized void learn(Kind kind, long mac, long frameTags, long high, long low) {
        int entry = find(kind, mac, frameTags, high, low);
        if (entry < 0) {
            entry = entries < ENTRIES_MAX ? entries++ : longestSilent();
            macs[entry] = mac;
            tags[entry] = frameTags;
            highs[entry] = high;
            lows[entry] = low;
            kinds[entry] = kind;
        } else if (kind == Kind.IPV6_ROUTER || kinds[entry] != Kind.IPV6_ROUTER) {
            kinds[entry] = kind; // solicitations do not tell a router from a host: once a router, always a router
        }
        seenNanos[entry] = nanoTime.getAsLong();
    }

    private int find(Kind kind, long mac, long frameTags, long high, long low) {
        for (int i = 0; i < entries; i++) {
            if (lows[i] == low && macs[i] == mac && highs[i] == high && tags[i] == frameTags && isSameFamily(kinds[i], kind)) {
                return i;
            }
        }
        return -1;
    }

    private static boolean isSameFamily(Kind a, Kind b) {
        return a == b || a.compareTo(Kind.IPV6) >= 0 && b.compareTo(Kind.IPV6) >= 0;
    }

    private int longestSilent() {
        int oldest = 0;
        for (int i = 1; i < entries; i++) {
            if (seenNanos[i] - seenNanos[oldest] < 0) {
                oldest = i;
            }
        }
        return oldest;
    }

    /**
     * Shows what the guest is known by: its own MAC first, then what it has used or claimed within the given time. With {@code ageNanos}
     * 0, stations only.
     */
    synchronized void visit(long ageNanos, Visitor visitor) {
        visitor.address(Kind.STATION, ownMac, 0, 0, 0);
        long now = nanoTime.getAsLong();
        for (int i = 0; i < entries; i++) {
            if (kinds[i] == Kind.STATION || ageNanos > 0 && now - seenNanos[i] <= ageNanos) {
                visitor.address(kinds[i], macs[i], tags[i], highs[i], lows[i]);
            }
        }
    }

    // Byte by byte, so that the buffer's byte order does not matter.

    private static int unsignedShort(ByteBuffer frame, int at) {
        return (frame.get(at) & 0xff) << 8 | frame.get(at + 1) & 0xff;
    }

    private static int int32(ByteBuffer frame, int at) {
        return unsignedShort(frame, at) << 16 | unsignedShort(frame, at + 2);
    }

    private static long mac(ByteBuffer frame, int at) {
        return (long) unsignedShort(frame, at) << 32 | int32(frame, at + 2) & 0xffff_ffffL;
    }
}
