package org.plover.transport.tcp;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.plover.api.group.Group;
import org.plover.api.group.Member;
import org.plover.api.group.MemberKind;
import org.plover.api.transport.Lane;
import org.plover.api.transport.Transport;

@RunWith(Parameterized.class)
public class HandshakeTest {
    @Parameterized.Parameters(name = "{0}")
    public static Object[] over() {
        return Trio.Security.values();
    }

    @Parameterized.Parameter
    public Trio.Security security;

    private Trio trio;
    private final Recorder a = new Recorder();
    private final Recorder b = new Recorder();
    /** A version that this build does not speak yet. */
    private static final int NEXT = TcpTransport.Versions.CURRENT.max() + 1;

    @Before
    public void open() throws IOException {
        trio = new Trio(security);
    }

    @After
    public void close() throws IOException {
        trio.close();
    }

    /** Waits until both sides have logged the refusal, and checks that both logs carry the words. */
    private void assertBothSay(TcpTransport caller, TcpTransport called, Refusal.Code code, String... words) {
        String callers = "member 1";
        String calleds = "caller 127.0.0.1 " + code;
        Recorder.awaitTrue("both sides complain", () -> says(caller, callers, words[0]) && says(called, calleds, words[0]));
        for (String word : words) {
            assertTrue(caller.problems().last(callers), caller.problems().last(callers).contains(word));
            assertTrue(called.problems().last(calleds), called.problems().last(calleds).contains(word));
        }
        assertEquals(List.of(), a.events());
        assertEquals(List.of(), b.events());
    }

    private static boolean says(TcpTransport transport, String about, String words) {
        String text = transport.problems().last(about);
        return text != null && text.contains(words);
    }

    @Test
    public void shouldRefuseAPeerWithoutACommonVersionAndTellBothSides() throws Exception {
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        TcpTransport tb = trio.open(trio.group(1), b, Trio.QUICK, new TcpTransport.Versions(NEXT, NEXT + 1));
        assertBothSay(ta, tb, Refusal.Code.VERSION, "speaks transport protocol " + (NEXT - 1), NEXT + " to " + (NEXT + 1), "update Plover on member 'ann'");
    }

    @Test
    public void shouldSpeakTheOlderVersionWithAnOlderPeer() throws Exception {
        trio.open(0, a, Trio.QUICK);
        trio.open(trio.group(1), b, Trio.QUICK, new TcpTransport.Versions(NEXT - 1, NEXT + 1));
        a.awaitConnected(1, 1);
        b.awaitConnected(0, 1);
    }

    @Test
    public void shouldRefuseAPeerOfAnotherGroupAndTellBothSides() throws Exception {
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        TcpTransport tb = trio.open(new Group("other", 1, trio.group(1).members()), b, Trio.QUICK, TcpTransport.Versions.CURRENT);
        assertBothSay(ta, tb, Refusal.Code.GROUP, "group 'trio'", "group 'other'", "correct the addresses");
    }

    @Test
    public void shouldRefuseAPeerWithAnotherMemberListAndTellBothSides() throws Exception {
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        TcpTransport tb = trio.open(withWitness(1, "judge", trio.host(2)), b, Trio.QUICK, TcpTransport.Versions.CURRENT);
        assertBothSay(ta, tb, Refusal.Code.MEMBERS, "another member list", "wit=WITNESS@" + trio.host(2) + ":" + Trio.PORT,
                "judge=WITNESS@" + trio.host(2) + ":" + Trio.PORT);
    }

    @Test
    public void shouldRefuseAPeerThatIsMeantToBeElsewhere() throws Exception {
        TcpTransport ta = trio.open(withWitness(0, "wit", trio.host(5)), a, Trio.QUICK, TcpTransport.Versions.CURRENT);
        TcpTransport tw = trio.open(2, b, Trio.QUICK);
        ta.readdress(withWitness(0, "wit", trio.host(2)));
        b.awaitConnected(0, 1);
        ta.readdress(withWitness(0, "wit", trio.host(5)));
        b.awaitDisconnected(0, 1);
        Recorder.awaitTrue("it is called no more", () -> !tw.isConnected(0) && says(ta, "member 2", "no connection"));
    }

    @Test
    public void shouldSpeakWithAPeerThatKnowsTheThirdMemberAtAnotherAddress() throws Exception {
        trio.open(0, a, Trio.QUICK);
        trio.open(withWitness(1, "wit", trio.host(5)), b, Trio.QUICK, TcpTransport.Versions.CURRENT);
        a.awaitConnected(1, 1);
        b.awaitConnected(0, 1);
    }

    @Test
    public void shouldFindAMemberAtItsNewAddressAndKeepTheLinkToTheOther() throws Exception {
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        trio.open(1, b, Trio.QUICK);
        a.awaitConnected(1, 1);
        Recorder moved = new Recorder();
        trio.open(withWitness(2, "wit", trio.host(5)), moved, Trio.QUICK, TcpTransport.Versions.CURRENT);
        ta.readdress(withWitness(0, "wit", trio.host(5)));
        a.awaitConnected(2, 1);
        moved.awaitConnected(0, 1);
        assertTrue("the link to the member that stays was never lost", a.events().stream().noneMatch(e -> e.toString().contains("disconnected")));
    }

    @Test
    public void shouldNotChangeMoreThanAddressesOfOtherMembers() throws Exception {
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        assertThrows(IllegalArgumentException.class, () -> ta.readdress(trio.group(1)));
        assertThrows(IllegalArgumentException.class, () -> ta.readdress(withWitness(0, "judge", trio.host(2))));
        List<Member> members = new ArrayList<>(trio.group(0).members());
        members.set(0, new Member(0, "ann", MemberKind.REPLICA, trio.host(5), Trio.PORT));
        assertThrows(IllegalArgumentException.class, () -> ta.readdress(new Group(trio.name, 0, members)));
    }

    private Group withWitness(int self, String witness, String host) {
        List<Member> members = new ArrayList<>(trio.group(self).members());
        members.set(2, new Member(2, witness, MemberKind.WITNESS, host, Trio.PORT));
        return new Group(trio.name, self, members);
    }

    @Test
    public void shouldRefuseACallMeantForAnotherMember() throws Exception {
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        TcpTransport wrong = trio.open(2, b, Trio.at(Trio.QUICK, trio.host(1)));
        String words = "the address of member 'bob' leads to another member";
        if (security == Trio.Security.TLS) {
            Recorder.awaitTrue("the caller complains", () -> says(ta, "member 1", words));
            Recorder.awaitTrue("the called one complains", () -> says(wrong, "caller 127.0.0.1", "does not accept this member's key"));
            assertEquals(List.of(), a.events());
        } else {
            assertBothSay(ta, wrong, Refusal.Code.ADDRESS, words);
        }
    }

    @Test
    public void shouldRefuseASecondProcessThatSaysItIsTheSameMember() throws Exception {
        TcpTransport tb = trio.open(1, b, Trio.QUICK);
        trio.open(0, a, Trio.QUICK);
        b.awaitConnected(0, 1);
        Recorder second = new Recorder();
        TcpTransport twin = trio.open(0, second, Trio.at(Trio.QUICK, trio.hiddenHost(0)));
        Recorder.awaitTrue("both complain", () -> says(twin, "member 1", "two processes say they are member 'ann'")
                && says(tb, "twice 0", "two processes say they are member 'ann'"));
        assertEquals(List.of(), second.events());
        assertEquals(1, b.events().size());
    }

    @Test
    public void shouldLetARestartedMemberInWithItsNewIncarnation() throws Exception {
        trio.open(1, b, Trio.QUICK);
        TcpTransport first = trio.open(0, a, Trio.QUICK);
        b.awaitConnected(0, 1);
        first.close();
        b.awaitDisconnected(0, 1);
        try (TcpTransport again = new TcpTransport(trio.group(0), 77, new Recorder(), () -> Trio.QUICK, trio.peers(0),
                TcpTransport.Versions.CURRENT, closed -> { })) {
            b.awaitConnected(0, 2);
            assertEquals(77, b.events("connected", 0).get(1).incarnation());
        }
    }

    @Test
    public void shouldDropGarbageOnThePortAndGoOnServing() throws Exception {
        TcpTransport tb = trio.open(1, b, Trio.QUICK);
        assertDropped("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes());
        awaitComplaint(tb, security == Trio.Security.TLS ? "does not speak TLS and this one does" : "does not speak the Plover transport protocol");
        assertDropped(new byte[] {0x16, 3, 1, 2, 0, 1, 0, 1, 0xf, 3, 3, 0});
        awaitComplaint(tb, security == Trio.Security.TLS ? "hung up while TLS was set up" : "speaks TLS");

        trio.open(0, a, Trio.QUICK);
        b.awaitConnected(0, 1);
    }

    @Test
    public void shouldDropAMemberWhoseHandshakeCannotBeAndGoOnServing() throws Exception {
        TcpTransport tb = trio.open(1, b, Trio.QUICK);
        assertDroppedAsMember(ByteBuffer.allocate(Hello.PREFIX_BYTES).putInt(Hello.MAGIC).putInt(0x01010100).putInt(1 << 30).array());
        awaitComplaint(tb, "announced a handshake of 1073741824 bytes");
        assertDroppedAsMember(ByteBuffer.allocate(Hello.PREFIX_BYTES + 3).putInt(Hello.MAGIC).putInt(0x01010100).putInt(3).array());
        awaitComplaint(tb, "cut short");

        trio.open(0, a, Trio.QUICK);
        b.awaitConnected(0, 1);
    }

    private static void awaitComplaint(TcpTransport transport, String words) {
        Recorder.awaitTrue("the log says: " + words, () -> says(transport, "caller 127.0.0.1", words));
    }

    private void assertDroppedAsMember(byte[] garbage) throws IOException {
        try (Socket socket = trio.socket(0, 1)) {
            socket.getOutputStream().write(garbage);
            assertHungUp(socket);
        }
    }

    /** Half of a handshake is given up when its sender stops; all else at once. */
    private void assertDropped(byte[] garbage) throws IOException {
        try (Socket socket = new Socket(trio.host(1), Trio.PORT)) {
            socket.getOutputStream().write(garbage);
            if (security == Trio.Security.TLS && garbage[0] == 0x16) {
                socket.shutdownOutput();
            }
            assertHungUp(socket);
        }
    }

    private static void assertHungUp(Socket socket) throws IOException {
        socket.setSoTimeout(10_000);
        try {
            InputStream in = socket.getInputStream();
            while (in.read() >= 0) {
                continue; // a reason, in TLS's own words
            }
        } catch (java.net.SocketException | javax.net.ssl.SSLException reset) {
            assertTrue(reset.getMessage(), reset.getMessage() != null);
        }
    }

    /** A member in a few lines: shakes hands on both lanes and then sends what the test wants. */
    private final class RawCaller implements AutoCloseable {
        private final Socket[] lanes = new Socket[2];

        RawCaller(TcpTransport likeness) throws IOException {
            for (Lane lane : Lane.values()) {
                Socket socket = trio.socket(0, 1);
                lanes[lane.ordinal()] = socket;
                send(lane, likeness.hello(lane, 1, 42).encode(Hello.HELLO));
                DataInputStream in = new DataInputStream(socket.getInputStream());
                byte[] prefix = new byte[Hello.PREFIX_BYTES];
                in.readFully(prefix);
                Hello.Prefix p = Hello.Prefix.decode(ByteBuffer.wrap(prefix));
                assertEquals(Hello.WELCOME, p.type());
                in.readFully(new byte[p.bodyBytes()]);
            }
            for (Lane lane : Lane.values()) {
                send(lane, likeness.hello(lane, 1, 42).encodeReady());
            }
        }

        void send(Lane lane, ByteBuffer bytes) throws IOException {
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            OutputStream out = lanes[lane.ordinal()].getOutputStream();
            out.write(copy);
        }

        @Override
        public void close() throws IOException {
            for (Socket socket : lanes) {
                socket.close();
            }
        }
    }

    /** A transport whose identity {@link RawCaller} borrows; its own calls go nowhere. */
    private TcpTransport likenessOfAnn() throws IOException {
        Trio elsewhere = new Trio(Trio.Security.PLAIN);
        TcpTransport likeness = new TcpTransport(trio.group(0), 1, a, () -> Trio.at(Trio.QUICK, elsewhere.host(0)), trio.peers(0),
                TcpTransport.Versions.CURRENT, closed -> { });
        likeness.close();
        return likeness;
    }

    @Test
    public void shouldCloseTheLinkWithAReasonWhenAMessageIsAnnouncedThatIsTooLong() throws Exception {
        TcpTransport likeness = likenessOfAnn();
        trio.open(1, b, Trio.QUICK);
        try (RawCaller caller = new RawCaller(likeness)) {
            caller.send(Lane.BULK, ByteBuffer.allocate(4).putInt(0, Transport.MESSAGE_BYTES_MAX + 1));
            String reason = b.awaitDisconnected(0, 1);
            assertTrue(reason, reason.contains("announced a message of 16777217 bytes, the limit is 16777216"));
        }
        assertEquals(0, b.events("message", 0).size());
    }

    @Test
    public void shouldCloseTheLinkWithAReasonWhenAFrameIsOfUnknownKind() throws Exception {
        TcpTransport likeness = likenessOfAnn();
        trio.open(1, b, Trio.QUICK);
        try (RawCaller caller = new RawCaller(likeness)) {
            caller.send(Lane.CONTROL, ByteBuffer.allocate(8).putInt(0, Frames.header(Frames.MESSAGE, 0)).putInt(4, 0x70000001));
            String reason = b.awaitDisconnected(0, 1);
            assertTrue(reason, reason.contains("unknown kind 7"));
        }
        assertEquals("what came before the fault was whole", 1, b.events("message", 0).size());
    }
}
