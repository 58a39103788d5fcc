package org.plover.network.tap;

import static org.junit.Assert.assertEquals;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

import org.junit.Test;
import org.plover.network.tap.GuestAddresses.Kind;

public class AnnouncementFramesTest {
    private static final long MAC = 0x5254_0012_3456L;
    private static final String HOST_CHECKSUM = "cb68";
    private static final String ROUTER_CHECKSUM = "4b68";

    @Test
    public void shouldAnnounceAMacByReverseArpAsQemuDoes() {
        assertFrames(Kind.STATION, 0, 0, 0,
                "ffffffffffff 525400123456 8035 0001 0800 06 04 0003 525400123456 00000000 525400123456 00000000" + "00".repeat(18));
    }

    @Test
    public void shouldAnnounceAnIpv4AddressByArpRequestAndReply() {
        assertFrames(Kind.IPV4, 0, 0, 0xc0a8_0102L,
                "ffffffffffff 525400123456 0806 0001 0800 06 04 0001 525400123456 c0a80102 000000000000 c0a80102" + "00".repeat(18),
                "ffffffffffff 525400123456 0806 0001 0800 06 04 0002 525400123456 c0a80102 525400123456 c0a80102" + "00".repeat(18));
    }

    /** The checksums (RFC 4443, section 2.3) were computed by another program. */
    @Test
    public void shouldAnnounceAnIpv6AddressByNeighbourAdvertisement() {
        String head = "333300000001 525400123456 86dd 60000000 0020 3a ff fe80000000000000505400fffe123456 ff020000000000000000000000000001";
        String tail = "fe80000000000000505400fffe123456 02 01 525400123456";
        assertFrames(Kind.IPV6, 0, 0xfe80_0000_0000_0000L, 0x5054_00ff_fe12_3456L, head + "88 00 " + HOST_CHECKSUM + "20000000" + tail);
        assertFrames(Kind.IPV6_ROUTER, 0, 0xfe80_0000_0000_0000L, 0x5054_00ff_fe12_3456L, head + "88 00 " + ROUTER_CHECKSUM + "a0000000" + tail);
    }

    @Test
    public void shouldTagAnnouncementsWithTheVlansInWhichTheGuestSpoke() {
        assertFrames(Kind.STATION, 0x8100_0005L, 0, 0,
                "ffffffffffff 525400123456 8100 0005 8035 0001 0800 06 04 0003 525400123456 00000000 525400123456 00000000" + "00".repeat(14));
        assertFrames(Kind.STATION, 0x8100_0005_88a8_0abcL, 0, 0,
                "ffffffffffff 525400123456 88a8 0abc 8100 0005 8035 0001 0800 06 04 0003 525400123456 00000000 525400123456 00000000"
                        + "00".repeat(10));
    }

    private static void assertFrames(Kind kind, long tags, long high, long low, String... expected) {
        List<String> built = new ArrayList<>();
        new AnnouncementFrames().build(kind, MAC, tags, high, low, frame -> built.add(TestFrames.hex(frame)));
        List<String> wanted = new ArrayList<>();
        for (String frame : expected) {
            ByteBuffer bytes = TestFrames.hex(frame);
            wanted.add(TestFrames.hex(bytes));
        }
        assertEquals(wanted, built);
    }
}
