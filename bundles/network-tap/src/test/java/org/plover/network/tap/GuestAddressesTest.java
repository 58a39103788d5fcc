package org.plover.network.tap;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.junit.Test;

public class GuestAddressesTest {
    private static final String OWN = "525400123456";
    private static final String OTHER = "525400aaaaaa";
    private static final String ALL = "ffffffffffff";
    private static final String ARP = "0001 0800 06 04";
    private static final String GLOBAL = "20010db8000000000000000000000007";
    private static final String LINK_LOCAL = "fe80000000000000505400fffe123456";
    private static final String NOBODY = "00000000000000000000000000000000";
    private static final String ALL_NODES = "ff020000000000000000000000000001";
    private static final long AGE_NANOS = TimeUnit.SECONDS.toNanos(300);

    private long now = -5;
    private final GuestAddresses addresses = new GuestAddresses(0x5254_0012_3456L, () -> now);

    @Test
    public void shouldKnowTheGuestsOwnMacBeforeAnythingIsLearned() {
        assertKnown("STATION " + OWN);
    }

    @Test
    public void shouldLearnIpv4FromTheSenderOfArp() {
        observe(ALL, OWN, "0806", ARP, "0001", OWN, "c0a80102 000000000000 c0a80101");
        observe(ALL, OWN, "0806", ARP, "0002", OWN, "0a000001", OTHER, "0a000002");
        assertKnown("STATION " + OWN, "IPV4 " + OWN + " c0a80102", "IPV4 " + OWN + " a000001");
    }

    @Test
    public void shouldNotBelieveArpThatIsAProbeOrSpeaksForAnother() {
        observe(ALL, OWN, "0806", ARP, "0001", OWN, "00000000 000000000000 c0a80102");
        observe(ALL, OWN, "0806", ARP, "0001", OTHER, "c0a80102 000000000000 c0a80101");
        observe(ALL, OWN, "0806", ARP, "0003", OWN, "c0a80102 000000000000 c0a80101");
        observe(ALL, OWN, "0806", ARP, "0001", OWN, "e0000001 000000000000 c0a80101");
        observe(ALL, OWN, "0806", "0001 86dd 06 04", "0001", OWN, "c0a80102 000000000000 c0a80101");
        assertKnown("STATION " + OWN);
    }

    @Test
    public void shouldNotClaimTheSourcesOfOrdinaryPackets() {
        observe(OTHER, OWN, "0800 45000014 00000000 40110000 08080808 c0a80102");
        observe(OTHER, OWN, "86dd 60000000 0008 11 40", GLOBAL, ALL_NODES, "0000000000000000");
        assertKnown("STATION " + OWN);
    }

    @Test
    public void shouldLearnIpv6FromNeighbourDiscovery() {
        observe(OTHER, OWN, icmpv6(LINK_LOCAL, "87", "00000000" + GLOBAL));
        observe(OTHER, OWN, icmpv6(LINK_LOCAL, "88", "60000000" + GLOBAL));
        assertKnown("STATION " + OWN, "IPV6 " + OWN + " fe80000000000000:505400fffe123456", "IPV6 " + OWN + " 20010db800000000:7");
    }

    @Test
    public void shouldRememberThatTheGuestIsARouter() {
        observe(OTHER, OWN, icmpv6(LINK_LOCAL, "86", "4000070800000000 00000000"));
        observe(OTHER, OWN, icmpv6(LINK_LOCAL, "87", "00000000" + GLOBAL));
        observe(OTHER, OWN, icmpv6(GLOBAL, "87", "00000000" + LINK_LOCAL));
        observe(OTHER, OWN, icmpv6(LINK_LOCAL, "88", "e0000000" + GLOBAL));
        assertKnown("STATION " + OWN, "IPV6_ROUTER " + OWN + " fe80000000000000:505400fffe123456", "IPV6_ROUTER " + OWN + " 20010db800000000:7");
    }

    @Test
    public void shouldNotBelieveNeighbourDiscoveryThatOnlyAsksOrSpeaksForAnother() {
        observe(OTHER, OWN, icmpv6(NOBODY, "87", "00000000" + GLOBAL));
        observe(OTHER, OWN, icmpv6(LINK_LOCAL, "88", "40000000" + GLOBAL));
        observe(OTHER, OWN, icmpv6(LINK_LOCAL, "88", "60000000" + ALL_NODES));
        observe(OTHER, OWN, icmpv6(LINK_LOCAL, "80", "00000000" + GLOBAL));
        observe(OTHER, OWN, icmpv6(GLOBAL, "87", "00000000" + LINK_LOCAL).replace("3a ff", "3a 40"));
        assertKnown("STATION " + OWN);
    }

    @Test
    public void shouldLearnMacAddressesAndVlansThatTheGuestSpeaksFrom() {
        observe(ALL, OTHER, "0800 00");
        observe(ALL, OWN, "8100 6005 0806", ARP, "0001", OWN, "c0a80102 000000000000 c0a80101");
        observe(ALL, OWN, "88a8 0abc 8100 0005 0800 00");
        assertKnown("STATION " + OWN, "STATION " + OTHER, "STATION " + OWN + "/81000005", "IPV4 " + OWN + "/81000005 c0a80102",
                "STATION " + OWN + "/8100000588a80abc");
    }

    @Test
    public void shouldIgnoreWhatIsNoFrame() {
        addresses.observe(ByteBuffer.allocate(0));
        observe(ALL, OWN, "08");
        observe(ALL, OWN, "0806", ARP, "0001");
        observe(ALL, OWN, "8100 0005");
        observe(ALL, "010000000001", "0800 00");
        observe(ALL, "000000000000", "0800 00");
        observe(OTHER, OWN, icmpv6(LINK_LOCAL, "88", "60000000"));
        observe(OTHER, OWN, "86dd 6000");
        assertKnown("STATION " + OWN);
    }

    @Test
    public void shouldForgetAddressesThatHaveNotBeenClaimedForLong() {
        String[] claim = {ALL, OWN, "0806", ARP, "0001", OWN, "c0a80102 000000000000 c0a80101"};
        observe(claim);
        now += AGE_NANOS;
        assertKnown("STATION " + OWN, "IPV4 " + OWN + " c0a80102");
        now++;
        assertKnown("STATION " + OWN);
        observe(claim);
        assertKnown("STATION " + OWN, "IPV4 " + OWN + " c0a80102");
    }

    @Test
    public void shouldShowStationsOnlyWhenAddressesAreNotWanted() {
        observe(ALL, OWN, "0806", ARP, "0001", OWN, "c0a80102 000000000000 c0a80101");
        assertEquals(List.of("STATION " + OWN), known(0));
    }

    @Test
    public void shouldReplaceWhatHasBeenSilentForLongestWhenFull() {
        for (int i = 0; i < GuestAddresses.ENTRIES_MAX; i++) {
            now++;
            observe(ALL, String.format("5254000001%02x", i), "0800 00");
        }
        now++;
        observe(ALL, "525400000100", "0800 00");
        observe(ALL, OTHER, "0800 00");
        List<String> known = known(AGE_NANOS);
        assertEquals(GuestAddresses.ENTRIES_MAX + 1, known.size());
        assertTrue(known.contains("STATION 525400000100"));
        assertTrue(known.contains("STATION " + OTHER));
        assertEquals(0, Collections.frequency(known, "STATION 525400000101"));
    }

    @Test
    public void shouldLeaveTheFramesPositionAndNotDependOnItsByteOrder() {
        ByteBuffer frame = TestFrames.hex("eeee", ALL, OWN, "0806", ARP, "0001", OWN, "c0a80102 000000000000 c0a80101");
        frame.position(2).order(ByteOrder.LITTLE_ENDIAN);
        addresses.observe(frame);
        assertEquals(2, frame.position());
        assertKnown("STATION " + OWN, "IPV4 " + OWN + " c0a80102");
    }

    @Test
    public void shouldAllocateNothingForWhatItKnows() {
        ByteBuffer arp = TestFrames.hex(ALL, OWN, "8100 0005 0806", ARP, "0001", OWN, "c0a80102 000000000000 c0a80101");
        ByteBuffer advertisement = TestFrames.hex(OTHER, OWN, icmpv6(LINK_LOCAL, "88", "60000000" + GLOBAL));
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long thread = Thread.currentThread().getId();
        int frames = 50_000;
        observeMany(arp, advertisement, 1_000);
        long before = threads.getThreadAllocatedBytes(thread);
        observeMany(arp, advertisement, frames);
        long bytes = threads.getThreadAllocatedBytes(thread) - before;
        assertTrue(bytes + " bytes for " + frames + " frames", bytes < frames);
    }

    private void observeMany(ByteBuffer arp, ByteBuffer advertisement, int frames) {
        for (int i = 0; i < frames; i++) {
            addresses.observe(arp);
            addresses.observe(advertisement);
        }
    }

    private static String icmpv6(String source, String type, String rest) {
        return "86dd 60000000 0018 3a ff" + source + ALL_NODES + type + "000000" + rest;
    }

    private void observe(String... parts) {
        addresses.observe(TestFrames.hex(parts));
    }

    private void assertKnown(String... expected) {
        assertEquals(List.of(expected), known(AGE_NANOS));
    }

    private List<String> known(long ageNanos) {
        List<String> known = new ArrayList<>();
        addresses.visit(ageNanos, (kind, mac, tags, high, low) -> known.add(kind + " " + MacAddress.format(mac).replace(":", "")
                + (tags == 0 ? "" : "/" + Long.toHexString(tags)) + switch (kind) {
                    case STATION -> "";
                    case IPV4 -> " " + Long.toHexString(low);
                    default -> " " + Long.toHexString(high) + ":" + Long.toHexString(low);
                }));
        return known;
    }
}
