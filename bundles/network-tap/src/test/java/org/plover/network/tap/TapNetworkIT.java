package org.plover.network.tap;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.TreeSet;

import org.junit.After;
import org.junit.Before;
import org.junit.Test;

/** Taps on a bridge in network namespaces of their own. Needs root and iproute2. */
public class TapNetworkIT {
    private static final String MAC = "52:54:00:12:34:56";
    private static final String MAC_HEX = "525400123456";
    private static final String PEER = "52:54:00:65:43:21";
    private static final String PEER_HEX = "525400654321";
    private static final String GUEST_ADDRESS = "10.9.0.7";
    /** For local experiments (IEEE 802): nobody else sends these. */
    private static final String TYPE = "88b5";

    private Namespaces namespaces;
    private Namespaces.PortHost host;

    @Before
    public void setUp() throws Exception {
        namespaces = new Namespaces();
        host = namespaces.startPortHost();
    }

    @After
    public void tearDown() throws Exception {
        namespaces.close();
    }

    @Test
    public void shouldLetAnotherMachineTalkToTheGuestInFramesOfEverySize() throws Exception {
        open("guest", MAC);
        tell("guest", "guest", MAC, GUEST_ADDRESS);
        tell("activate", "guest");
        assertEquals("all answered\n", namespaces.javaInClient(UdpProbeMain.class, GUEST_ADDRESS, "18", "1472", "8972"));

        TreeSet<Integer> lengths = new TreeSet<>();
        for (int i = 0; i < 4; i++) {
            lengths.add(host.ask("next", "guest", "0800").length() / 2);
        }
        assertTrue(lengths.toString(), lengths.contains(60) && lengths.contains(1_514) && lengths.contains(9_014));
    }

    @Test
    public void shouldPassFramesUnchangedInBothDirections() throws Exception {
        openBothActive();
        for (int bytes : new int[] {14, 60, 1_514, 9_014}) {
            assertPasses(TYPE, random(MAC_HEX + PEER_HEX + TYPE, bytes), random(PEER_HEX + MAC_HEX + TYPE, bytes));
        }
        assertPasses("8100", random(MAC_HEX + PEER_HEX + "81006005" + TYPE, 9_018), random(PEER_HEX + MAC_HEX + "81006005" + TYPE, 9_018));
        assertPasses("8100", random(MAC_HEX + PEER_HEX + "81000000" + TYPE, 64), random(PEER_HEX + MAC_HEX + "81000000" + TYPE, 64));
        assertPasses("88a8", random(MAC_HEX + PEER_HEX + "88a80abc81000005" + TYPE, 1_522), random(PEER_HEX + MAC_HEX + "88a80abc81000005" + TYPE, 1_522));
        assertPasses(TYPE, random("ffffffffffff" + PEER_HEX + TYPE, 60), random("ffffffffffff" + MAC_HEX + TYPE, 60));
        assertPasses(TYPE, random("333300000001" + PEER_HEX + TYPE, 60), random("01005e0000fb" + MAC_HEX + TYPE, 60));
    }

    @Test
    public void shouldPassIpv6Multicast() throws Exception {
        openBothActive();
        String mdns = "86dd6000000000081101fe80000000000000505400fffe654321ff0200000000000000000000000000fb14e914e90008";
        assertEquals("ok", host.ask("send", "peer", "3333000000fb" + PEER_HEX + mdns + "beef"));
        for (String frame = host.ask("next", "guest", "86dd"); !frame.startsWith("3333000000fb" + PEER_HEX); frame = host.ask("next", "guest", "86dd")) {
            assertFalse(frame, frame.startsWith("error")); // the bridge of the host reports its own groups in between
        }
    }

    @Test
    public void shouldPassNothingToOrFromAnInactivePort() throws Exception {
        openBothActive();
        tell("deactivate", "guest");
        tell("send", "peer", random("ffffffffffff" + PEER_HEX + TYPE, 60));
        tell("send", "guest", random("ffffffffffff" + MAC_HEX + TYPE, 60));
        tell("announce", "guest");
        tell("activate", "guest");
        assertPasses(TYPE, random("ffffffffffff" + PEER_HEX + TYPE, 100), random("ffffffffffff" + MAC_HEX + TYPE, 100));
    }

    @Test
    public void shouldKeepTheHostsOwnAddressesOffTheWire() throws Exception {
        open("guest", MAC);
        tell("activate", "guest");
        assertEquals("", namespaces.inHost("ip", "-6", "address", "show", "dev", "guest"));
        String link = namespaces.inHost("ip", "-d", "link", "show", "dev", "guest");
        assertTrue(link, link.contains("fe:54:00:12:34:56") && link.contains("mtu 9000") && link.contains("qlen 1000"));
    }

    @Test
    public void shouldForgetAFormerPrimaryAtOnceAndMoveTheGuestByAnnouncing() throws Exception {
        openBothActive();
        open("backup", MAC);
        tell("send", "guest", random(PEER_HEX + MAC_HEX + TYPE, 60));
        awaitForwardingTo("guest");

        tell("deactivate", "guest");
        assertEquals("", forwardingOfTheGuest());
        tell("observe", "backup", "ffffffffffff" + MAC_HEX + "08060001080006040001" + MAC_HEX + "0a090007000000000000" + "0a090002");
        tell("activate", "backup");
        tell("announce", "backup");
        awaitForwardingTo("backup");

        assertTrue(host.ask("next", "peer", "8035").startsWith("ffffffffffff" + MAC_HEX));
        String request = host.ask("next", "peer", "0806");
        assertTrue(request, request.contains("0001" + MAC_HEX + "0a0900070000000000000a090007"));
        String reply = host.ask("next", "peer", "0806");
        assertTrue(reply, reply.contains("0002" + MAC_HEX + "0a090007" + MAC_HEX + "0a090007"));
        for (int round = 2; round <= TapSettings.DEFAULTS.announceCount(); round++) {
            assertTrue(host.ask("next", "peer", "8035").startsWith("ffffffffffff" + MAC_HEX));
        }
    }

    @Test
    public void shouldMoveTheGuestEvenIfTheFormerPrimaryIsStillThere() throws Exception {
        openBothActive();
        open("backup", MAC);
        tell("send", "guest", random(PEER_HEX + MAC_HEX + TYPE, 60));
        awaitForwardingTo("guest");
        tell("activate", "backup");
        tell("announce", "backup");
        awaitForwardingTo("backup");
    }

    @Test
    public void shouldTakeTheInterfaceOffTheHostWhenClosedAndWhenTheProcessDies() throws Exception {
        open("guest", MAC);
        open("peer", PEER);
        tell("close", "guest");
        tell("close", "guest");
        assertFalse(interfaces().contains("guest"));
        assertTrue(interfaces().contains("peer"));
        open("guest", MAC);
        host.kill();
        assertFalse(interfaces(), interfaces().contains("guest") || interfaces().contains("peer"));
    }

    @Test
    public void shouldSayWhatToDoAndLeaveNothingBehindWhenTheHostRefuses() throws Exception {
        String before = interfaces();
        assertRefused("create it with 'ip link add br7 type bridge'", "open", "guest", "br7", "9000", MAC);
        assertRefused("up0 is no bridge", "open", "guest", "up0", "9000", MAC);
        assertRefused("an interface of this name is there already", "open", "up0", "br0", "9000", MAC);
        assertEquals(before, interfaces());
        open("guest", MAC);
        assertRefused("an interface of this name is there already", "open", "guest", "br0", "9000", MAC);
    }

    @Test
    public void shouldSurviveThatSomebodyRemovesTheInterface() throws Exception {
        open("guest", MAC);
        tell("activate", "guest");
        namespaces.inHost("ip", "link", "delete", "guest");
        tell("send", "guest", random(PEER_HEX + MAC_HEX + TYPE, 60));
        tell("close", "guest");
        open("guest", MAC);
        tell("activate", "guest");
    }

    @Test
    public void shouldComeBackWithTheGuestAfterSomebodyRemovedTheInterface() throws Exception {
        openBothActive();
        tell("observe", "guest", "ffffffffffff" + MAC_HEX + "08060001080006040001" + MAC_HEX + "0a090007000000000000" + "0a090002");
        assertEquals("trouble: ", host.ask("trouble", "guest"));
        // Somebody's interface of the same name is in the way first.
        namespaces.inHost("ip", "link", "delete", "guest");
        namespaces.inHost("ip", "link", "add", "guest", "type", "veth", "peer", "name", "other");
        awaitTrouble("guest", "an interface of this name is there already");
        tell("send", "guest", random(PEER_HEX + MAC_HEX + TYPE, 60));
        namespaces.inHost("ip", "link", "delete", "guest");
        awaitTrouble("guest", "");
        assertTrue("announced", host.ask("next", "peer", "8035").startsWith("ffffffffffff" + MAC_HEX));
        awaitForwardingTo("guest");
        assertPasses(TYPE, random(MAC_HEX + PEER_HEX + TYPE, 100), random(PEER_HEX + MAC_HEX + TYPE, 100));
    }

    @Test
    public void shouldComeBackWhenTheBridgeIsThereAgain() throws Exception {
        openBothActive();
        namespaces.inHost("ip", "link", "delete", "br0");
        awaitTrouble("guest", "bridge br0 does not exist");
        awaitTrouble("peer", "bridge br0 does not exist");
        tell("send", "guest", random(PEER_HEX + MAC_HEX + TYPE, 60));
        namespaces.inHost("ip", "link", "add", "br0", "mtu", "9000", "type", "bridge");
        namespaces.inHost("ip", "link", "set", "br0", "up");
        awaitTrouble("guest", "");
        awaitTrouble("peer", "");
        awaitForwardingTo("guest");
        tell("send", "peer", random(MAC_HEX + PEER_HEX + TYPE, 120));
        assertTrue(host.ask("next", "guest", TYPE).startsWith(MAC_HEX));
    }

    @Test
    public void shouldSwitchAnInterfaceThatIsGoneAsSoonAsItIsBack() throws Exception {
        open("guest", MAC);
        open("peer", PEER);
        tell("activate", "peer");
        namespaces.inHost("ip", "link", "delete", "guest");
        tell("activate", "guest");
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (interfaces().lines().noneMatch(line -> line.startsWith("guest ") && line.contains("LOWER_UP"))) {
            assertTrue(interfaces(), System.nanoTime() < deadline);
        }
        assertPasses(TYPE, random("ffffffffffff" + PEER_HEX + TYPE, 80), random("ffffffffffff" + MAC_HEX + TYPE, 80));
    }

    private void awaitTrouble(String tap, String words) throws IOException {
        long deadline = System.nanoTime() + 10_000_000_000L;
        for (String answer = host.ask("trouble", tap); words.isEmpty() ? !answer.equals("trouble: ") : !answer.contains(words);
                answer = host.ask("trouble", tap)) {
            assertTrue("still " + answer, System.nanoTime() < deadline);
        }
    }

    private void openBothActive() throws IOException {
        open("guest", MAC);
        open("peer", PEER);
        tell("activate", "guest");
        tell("activate", "peer");
    }

    private void open(String tap, String mac) throws IOException {
        tell("open", tap, "br0", "9000", mac);
    }

    private void tell(String... words) throws IOException {
        assertEquals("ok", host.ask(words));
    }

    private void assertRefused(String remedy, String... words) throws IOException {
        String answer = host.ask(words);
        assertTrue(answer, answer.startsWith("error tap ") && answer.contains(remedy));
    }

    private void assertPasses(String type, String toGuest, String toPeer) throws IOException {
        tell("send", "peer", toGuest);
        assertEquals(toGuest, host.ask("next", "guest", type));
        tell("send", "guest", toPeer);
        assertEquals(toPeer, host.ask("next", "peer", type));
    }

    private static String random(String head, int bytes) {
        byte[] tail = new byte[bytes - head.length() / 2];
        new Random(bytes).nextBytes(tail);
        return head + TestFrames.hex(ByteBuffer.wrap(tail));
    }

    private String interfaces() throws IOException, InterruptedException {
        return namespaces.inHost("ip", "-brief", "link", "show");
    }

    private String forwardingOfTheGuest() throws IOException, InterruptedException {
        StringBuilder found = new StringBuilder();
        namespaces.inHost("bridge", "fdb", "show", "br", "br0").lines().filter(line -> line.startsWith(MAC)).forEach(found::append);
        return found.toString();
    }

    /** The bridge learns when it has looked at the frame, which may be a moment after it was sent. */
    private void awaitForwardingTo(String tap) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (!forwardingOfTheGuest().contains("dev " + tap + " ")) {
            assertTrue("still " + forwardingOfTheGuest(), System.nanoTime() < deadline);
        }
    }
}
