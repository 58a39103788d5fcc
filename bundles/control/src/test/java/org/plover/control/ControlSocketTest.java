package org.plover.control;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

public class ControlSocketTest {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private Path path;

    @Before
    public void findPath() throws IOException {
        path = folder.getRoot().toPath().toRealPath().resolve("plover.sock");
    }

    @Test
    public void shouldBeOpenToItsOwnerOnly() throws IOException {
        try (ControlSocket socket = ControlSocket.claim(path)) {
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
            assertTrue(canConnect());
            assertEquals(path, socket.path());
        }
    }

    @Test
    public void shouldLeaveOnlyItsLockFileBehind() throws IOException {
        ControlSocket.claim(path).close();
        assertEquals("[plover.sock.lock]", Arrays.toString(folder.getRoot().list()));
    }

    @Test
    public void shouldMakeItsDirectory() throws IOException {
        Path deeper = path.resolveSibling("new/data/plover.sock");
        try (ControlSocket socket = ControlSocket.claim(deeper)) {
            assertTrue(Files.exists(socket.path()));
        }
    }

    @Test
    public void shouldReplaceASocketWithoutAProcess() throws IOException {
        ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path));
        dead.close();
        assertTrue(Files.exists(path));
        try (ControlSocket socket = ControlSocket.claim(path)) {
            assertTrue(socket.channel().isOpen());
            assertTrue(canConnect());
        }
    }

    @Test
    public void shouldSayWhichProcessHasItAndTakeOverWhenThatIsKilled() throws Exception {
        Process other = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin/java").toString(), "-XX:TieredStopAtLevel=1",
                "-cp", System.getProperty("java.class.path"), SocketHolder.class.getName(), path.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try {
            assertEquals("has " + path, other.inputReader().readLine());
            IOException refusal = assertThrows(IOException.class, () -> ControlSocket.claim(path));
            assertTrue(refusal.getMessage(), refusal.getMessage().contains("process " + other.pid()));
            assertTrue("a refused claim must not disturb the owner", canConnect());
        } finally {
            other.destroyForcibly().waitFor();
        }
        assertTrue("a killed process leaves its socket file", Files.exists(path));
        try (ControlSocket socket = ControlSocket.claim(path)) {
            assertTrue(canConnect());
        }
    }

    @Test
    public void shouldRefuseASecondClaimOfTheSameProcessAndKeepTheFirst() throws Exception {
        try (ControlSocket first = ControlSocket.claim(path)) {
            IOException refusal = assertThrows(IOException.class, () -> ControlSocket.claim(path));
            assertTrue(refusal.getMessage(), refusal.getMessage().contains("this process"));
            assertTrue(first.channel().isOpen());
            assertTrue(canConnect());
        }
    }

    @Test
    public void shouldNotTakeASocketFromAProgramThatKnowsNoLock() throws IOException {
        try (var foreign = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path))) {
            IOException refusal = assertThrows(IOException.class, () -> ControlSocket.claim(path));
            assertTrue(refusal.getMessage(), refusal.getMessage().contains("user " + Files.getOwner(path)));
            assertTrue(foreign.isOpen());
            assertTrue(canConnect());
        }
        // The refused claim must have let go of everything.
        ControlSocket.claim(path).close();
    }

    @Test
    public void shouldNotReplaceAFileThatIsNoSocket() throws IOException {
        Files.writeString(path, "precious");
        IOException refusal = assertThrows(IOException.class, () -> ControlSocket.claim(path));
        assertTrue(refusal.getMessage(), refusal.getMessage().contains("not a socket"));
        assertEquals("precious", Files.readString(path));
    }

    @Test
    public void shouldSayThatANameIsTooLong() {
        Path tooLong = path.resolveSibling("x".repeat(108));
        IOException refusal = assertThrows(IOException.class, () -> ControlSocket.claim(tooLong));
        assertTrue(refusal.getMessage(), refusal.getMessage().contains("the kernel takes 107"));
        assertFalse(Files.exists(tooLong));
    }

    private boolean canConnect() throws IOException {
        try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            return client.isConnected();
        }
    }
}
