package org.plover.transport.tcp;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.plover.api.transport.Lane;

/** Who may speak, and what becomes of those who may not. */
public class TlsTest {
    private static final int STRANGERS_KEY = 3;
    private static final int NEW_KEY = 4;

    private final Recorder a = new Recorder();
    private final Recorder b = new Recorder();
    private Trio trio;

    @Before
    public void open() throws IOException {
        trio = new Trio(Trio.Security.TLS);
    }

    @After
    public void close() throws IOException {
        trio.close();
    }

    private static List<String> pins(String... more) throws IOException {
        List<String> pins = new ArrayList<>(List.of(more));
        for (int i = 0; i < Keys.MEMBERS.size(); i++) {
            pins.add(Keys.pin(i, i));
        }
        return pins;
    }

    private void pin(int member, List<String> pins) {
        trio.peers(member).modified(Keys.config(PeersConfig.TLS, pins));
    }

    /** Gives a member another key and waits until it is in force. */
    private void use(int member, int key) throws IOException {
        trio.keys().use(member, key);
        String expected = Keys.pin(member, key).split("=")[1];
        Recorder.awaitTrue("the key is taken up", () -> expected.equals(trio.peers(member).fingerprint()));
    }

    private static void awaitSaid(TcpTransport transport, String about, String... words) {
        Recorder.awaitTrue(about + ": " + String.join(", ", words), () -> {
            String text = transport.problems().last(about);
            return text != null && List.of(words).stream().allMatch(text::contains);
        });
    }

    private void assertNobodyConnected() {
        assertEquals(List.of(), a.events());
        assertEquals(List.of(), b.events());
    }

    @Test
    public void shouldRefuseACallerWhoseKeyIsNotPinnedAndTellBothSides() throws Exception {
        use(0, STRANGERS_KEY);
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        TcpTransport tb = trio.open(1, b, Trio.QUICK);
        String key = trio.peers(0).fingerprint();
        awaitSaid(tb, "caller 127.0.0.1", "its key " + key + " is not pinned for any of the members ann, wit", "add it to pins in org.plover.peers");
        awaitSaid(ta, "member 1", "does not accept this member's key " + key, "add it to pins in org.plover.peers there");
        assertNobodyConnected();
    }

    @Test
    public void shouldNotTalkToACalledMemberWhoseKeyIsNotPinnedAndTellBothSides() throws Exception {
        use(1, STRANGERS_KEY);
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        TcpTransport tb = trio.open(1, b, Trio.QUICK);
        String key = trio.peers(1).fingerprint();
        awaitSaid(ta, "member 1", "its key " + key + " is not pinned for member 'bob'");
        awaitSaid(tb, "caller 127.0.0.1", "does not accept this member's key " + key);
        assertNobodyConnected();
    }

    @Test
    public void shouldRefuseAMemberThatSaysItIsAnother() throws Exception {
        use(0, 2);
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        TcpTransport tb = trio.open(1, b, Trio.QUICK);
        awaitSaid(tb, "caller 127.0.0.1 OTHER", "whoever says it is member 'ann' has the key " + trio.peers(0).fingerprint());
        awaitSaid(ta, "member 1", "whoever says it is member 'ann'", "not pinned for that name in org.plover.peers of member 'bob'");
        assertNobodyConnected();
    }

    @Test
    public void shouldNotTakeAnotherMembersKeyForThatOfTheOneItCalls() throws Exception {
        use(1, 2);
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        trio.open(1, b, Trio.QUICK);
        awaitSaid(ta, "member 1", "the address of member 'bob' leads to another member, 'wit' by its key");
        assertNobodyConnected();
    }

    @Test
    public void shouldSayThatOneSideSpeaksTlsAndTheOtherDoesNot() throws Exception {
        trio.peers(0).modified(Keys.config(PeersConfig.NONE, List.of()));
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        TcpTransport tb = trio.open(1, b, Trio.QUICK);
        TcpTransport tw = trio.open(2, new Recorder(), Trio.QUICK);
        awaitSaid(tb, "caller 127.0.0.1", "the other side does not speak TLS and this one does; configure both alike");
        assertTrue(ta.notes().toString(), ta.notes().get(0).contains("security=none"));
        Recorder.awaitTrue("bob and wit are connected", () -> tb.isConnected(2) && tw.isConnected(1));
        assertNobodyConnectedTo(0);
    }

    private void assertNobodyConnectedTo(int member) {
        assertEquals(List.of(), b.events("connected", member));
    }

    @Test
    public void shouldStartWithoutPinsButTalkToNobodyAndConnectAsSoonAsTheyAreThere() throws Exception {
        pin(0, List.of());
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        trio.open(1, b, Trio.QUICK);
        awaitSaid(ta, "member 1", "no key of it is pinned", "plover identity");
        assertTrue(ta.notes().toString(), ta.notes().get(0).contains("no key is pinned for bob and wit"));
        assertNobodyConnected();

        pin(0, pins());
        a.awaitConnected(1, 1);
        assertEquals(List.of(), ta.notes());
    }

    @Test
    public void shouldNotStartWithoutAnIdentity() throws Exception {
        Path empty = Files.createTempDirectory("plover-empty");
        Peers nobody = new Peers(Keys.config(PeersConfig.TLS, pins()), empty);
        IOException e = assertThrows(IOException.class, () -> new TcpTransport(trio.group(0), 1, a, () -> Trio.QUICK, nobody,
                TcpTransport.Versions.CURRENT, closed -> { }));
        assertTrue(e.getMessage(), e.getMessage().contains("this appliance has no identity") && e.getMessage().contains("plover init"));
        nobody.deactivate();
        Files.delete(empty);
    }

    @Test
    public void shouldGoOnSendingWhileAKeyIsChanged() throws Exception {
        FaultyLink link = trio.faultyLinkTo(1);
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        TcpTransport tb = trio.open(1, b, Trio.at(Trio.QUICK, trio.hiddenHost(1)));
        a.awaitConnected(1, 1);
        b.awaitConnected(0, 1);
        AtomicBoolean enough = new AtomicBoolean();
        AtomicInteger sent = new AtomicInteger();
        Thread sender = new Thread(() -> {
            while (!enough.get()) {
                if (ta.send(1, Lane.CONTROL, ByteBuffer.allocate(100)) && ta.send(1, Lane.BULK, ByteBuffer.allocate(10_000))) {
                    sent.incrementAndGet();
                }
                LockSupport.parkNanos(1_000_000);
            }
        });
        sender.start();
        try {
            for (int member = 0; member < 3; member++) {
                pin(member, pins(Keys.pin(1, NEW_KEY)));
            }
            use(1, NEW_KEY);
            List<String> onlyNew = pins(Keys.pin(1, NEW_KEY));
            onlyNew.remove(Keys.pin(1, 1));
            int soFar = sent.get();
            Recorder.awaitTrue("it goes on with the new key in place", () -> sent.get() > soFar + 20);
            for (int member = 0; member < 3; member++) {
                pin(member, onlyNew);
            }
            int later = sent.get();
            Recorder.awaitTrue("it goes on without the old pin", () -> sent.get() > later + 20);
            assertEquals("nothing was lost", List.of(), a.events("disconnected", 1));

            link.cut();
            a.awaitConnected(1, 2);
            b.awaitConnected(0, 2);
            int anew = b.events("message", 0).size();
            b.awaitMessages(0, anew + 20);
            assertTrue(tb.notes().toString(), tb.notes().isEmpty());
        } finally {
            enough.set(true);
            sender.join();
        }
    }

    @Test
    public void shouldLeaveAMemberAtOnceWhenItsLastPinIsRemoved() throws Exception {
        TcpTransport ta = trio.open(0, a, Trio.QUICK);
        trio.open(1, b, Trio.QUICK);
        a.awaitConnected(1, 1);
        List<String> without = pins();
        without.remove(Keys.pin(1, 1));
        pin(0, without);
        assertTrue(a.awaitDisconnected(1, 1).contains("no key of it is pinned any more"));
        b.awaitDisconnected(0, 1);
        assertFalse(ta.isConnected(1));
        pin(0, pins());
        a.awaitConnected(1, 2);
    }

    @Test
    public void shouldLetMembersInWhileStrangersHoldConnectionsOpen() throws Exception {
        trio.open(1, b, Trio.QUICK);
        List<Socket> strangers = new ArrayList<>();
        try {
            for (int i = 0; i < 50; i++) {
                strangers.add(new Socket(trio.host(1), Trio.PORT));
            }
            trio.open(0, a, Trio.QUICK);
            b.awaitConnected(0, 1);
            int open = 0;
            for (Socket stranger : strangers) {
                stranger.setSoTimeout(1);
                try {
                    open += stranger.getInputStream().read() < 0 ? 0 : 1;
                } catch (java.net.SocketTimeoutException e) {
                    open++;
                }
            }
            assertTrue(open + " strangers are borne", open <= 16);
        } finally {
            for (Socket stranger : strangers) {
                stranger.close();
            }
        }
    }

    @Test
    public void shouldKeepTheFormerPinsWhenTheNewOnesCannotBe() throws Exception {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> Pins.of(Keys.config("tls", List.of("ann=sha256:12"))));
        assertTrue(e.getMessage(), e.getMessage().contains("'ann=sha256:12' is not MEMBER=sha256:FINGERPRINT"));
        assertThrows(IllegalArgumentException.class, () -> Pins.of(Keys.config("ssl", List.of())));
        pin(0, List.of("nonsense"));
        assertTrue(trio.peers(0).pins().knows("bob"));
    }
}
