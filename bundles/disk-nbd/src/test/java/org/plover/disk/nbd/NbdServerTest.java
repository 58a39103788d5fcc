package org.plover.disk.nbd;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.Timeout;

public class NbdServerTest {
    private static final int DISK_BYTES = 40 << 20;
    private static final byte[] NOTHING = new byte[0];

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();
    @Rule
    public final Timeout timeout = Timeout.seconds(60);

    private final MemoryExport disk = new MemoryExport("d", DISK_BYTES, 512);
    private Path socket;
    private NbdServer server;
    private NbdClient client;

    @Before
    public void serve() throws IOException {
        socket = folder.getRoot().toPath().resolve("d.nbd");
        server = new NbdServer(socket, List.of(disk));
        client = NbdClient.connected(socket, "d", true);
    }

    @After
    public void end() throws IOException {
        disk.flushGate.countDown();
        disk.writeGate.countDown();
        client.close();
        server.close();
    }

    @Test
    public void shouldReadBackWhatWasWrittenWhateverItsSize() throws IOException {
        for (boolean structured : new boolean[] {true, false}) {
            try (NbdClient other = NbdClient.connected(socket, "d", structured)) {
                for (int bytes : new int[] {512, 4096, 65536, 262144, 262656, 1 << 20, 5_000_192, 32 << 20}) {
                    byte[] content = random(bytes, bytes);
                    assertEquals(0, other.write(1536, content));
                    assertArrayEquals(content, other.read(1536, bytes));
                }
            }
        }
    }

    @Test
    public void shouldAnswerManyRequestsThatArriveTogether() throws IOException {
        ByteBuffer all = ByteBuffer.allocate(200 * (28 + 4096));
        for (int i = 0; i < 200; i++) {
            all.put(NbdClient.request(0, NbdWire.CMD_WRITE, i, i * 4096L, 4096, random(i, 4096)).rewind());
        }
        Thread sender = new Thread(() -> {
            try {
                client.send(all);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        sender.start();
        Set<Long> answered = new HashSet<>();
        for (int i = 0; i < 200; i++) {
            NbdClient.Reply reply = client.reply(0);
            assertEquals(0, reply.error());
            answered.add(reply.cookie());
        }
        assertEquals(200, answered.size());
        assertArrayEquals(random(77, 4096), client.read(77 * 4096, 4096));
        assertEquals(201, server.operations());
        assertEquals(200 * 4096, server.bytesWritten());
        assertEquals(4096, server.bytesRead());
    }

    @Test
    public void shouldAnswerReadsWhileAFlushWaits() throws IOException {
        disk.flushGate = new CountDownLatch(1);
        long flush = client.ask(NbdWire.CMD_FLUSH, 0, 0, 0, NOTHING);
        client.write(0, random(1, 512));
        assertArrayEquals(random(1, 512), client.read(0, 512));
        awaitInFlight(1);
        assertEquals("a flush is no operation", 2, server.operations());
        disk.flushGate.countDown();
        NbdClient.Reply reply = client.reply(0);
        assertEquals(flush, reply.cookie());
        assertEquals(0, reply.error());
        awaitInFlight(0);
        assertEquals(1, disk.flushes.get());
    }

    @Test
    public void shouldShowAllConnectionsOneDisk() throws IOException {
        try (NbdClient other = NbdClient.connected(socket, "d", false)) {
            for (int i = 0; i < 50; i++) {
                client.write(i * 512L, random(i, 512));
                assertArrayEquals(random(i, 512), other.read(i * 512L, 512));
            }
        }
    }

    @Test
    public void shouldForceWhatIsToBeForced() throws IOException {
        assertEquals(0, client.execute(NbdWire.CMD_WRITE, NbdWire.FUA, 0, 512, random(1, 512)));
        assertEquals(1, disk.forcedWrites.get());
        assertEquals(0, client.execute(NbdWire.CMD_WRITE, NbdWire.FUA, 0, 1 << 20, random(2, 1 << 20)));
        assertTrue(disk.flushes.get() > 0);
        assertArrayEquals(random(2, 1 << 20), client.read(0, 1 << 20));
    }

    @Test
    public void shouldZeroAndTrim() throws IOException {
        for (int command : new int[] {NbdWire.CMD_TRIM, NbdWire.CMD_WRITE_ZEROES}) {
            for (int flags : new int[] {0, NbdWire.FUA}) {
                client.write(0, random(1, 3 << 20));
                assertEquals(0, client.execute(command, flags, 512, 2 << 20));
                byte[] expected = random(1, 3 << 20);
                Arrays.fill(expected, 512, 512 + (2 << 20), (byte) 0);
                assertArrayEquals(expected, client.read(0, 3 << 20));
            }
        }
        assertEquals(0, client.execute(NbdWire.CMD_WRITE_ZEROES, NbdWire.NO_HOLE, 0, 512));
        assertEquals(NbdWire.ENOTSUP, client.execute(NbdWire.CMD_WRITE_ZEROES, NbdWire.FAST_ZERO, 0, 512));
    }

    @Test
    public void shouldSendHolesAsHoles() throws IOException {
        client.write(1 << 20, random(1, 4096));
        client.ask(NbdWire.CMD_READ, 0, 0, 2 << 20, NOTHING);
        Map<Integer, Long> bytes = new HashMap<>();
        NbdClient.Reply reply;
        do {
            reply = client.reply(0);
            long length = reply.type() == NbdWire.CHUNK_OFFSET_HOLE ? reply.data().getInt(8) : reply.data().remaining() - 8;
            bytes.merge(reply.type(), length, Long::sum);
        } while ((reply.flags() & NbdWire.CHUNK_DONE) == 0);
        assertEquals(2 << 20, bytes.get(NbdWire.CHUNK_OFFSET_HOLE) + bytes.get(NbdWire.CHUNK_OFFSET_DATA));
        assertTrue(bytes.get(NbdWire.CHUNK_OFFSET_DATA) <= 128 << 10);
        byte[] expected = new byte[2 << 20];
        System.arraycopy(random(1, 4096), 0, expected, 1 << 20, 4096);
        assertArrayEquals(expected, client.read(0, 2 << 20));
    }

    @Test
    public void shouldNotCutAnAnswerThatMustNotBeCut() throws IOException {
        client.write(1 << 20, random(1, 4096));
        client.ask(NbdWire.CMD_READ, NbdWire.DF, 0, 2 << 20, NOTHING);
        NbdClient.Reply reply = client.reply(0);
        assertEquals(NbdWire.CHUNK_OFFSET_DATA, reply.type());
        assertEquals(NbdWire.CHUNK_DONE, reply.flags());
        assertEquals(8 + (2 << 20), reply.data().remaining());
        client.ask(NbdWire.CMD_READ, NbdWire.DF, 0, (32 << 20) + 512, NOTHING);
        assertEquals(NbdWire.EOVERFLOW, client.reply(0).error());
    }

    @Test
    public void shouldTellWhatIsAllocated() throws IOException {
        client.write(1 << 20, random(1, 8192));
        assertExtents(0, "hole 1048576 data 8192 hole 1040384");
        assertExtents(NbdWire.REQ_ONE, "hole 1048576");
    }

    private void assertExtents(int flags, String expected) throws IOException {
        client.ask(NbdWire.CMD_BLOCK_STATUS, flags, 0, 2 << 20, NOTHING);
        NbdClient.Reply reply = client.reply(0);
        assertEquals(NbdWire.CHUNK_BLOCK_STATUS, reply.type());
        assertEquals(NbdWire.BASE_ALLOCATION_ID, reply.data().getInt());
        StringBuilder extents = new StringBuilder();
        while (reply.data().hasRemaining()) {
            int bytes = reply.data().getInt();
            extents.append(reply.data().getInt() == 0 ? " data " : " hole ").append(bytes);
        }
        assertEquals(expected, extents.substring(1));
    }

    @Test
    public void shouldRefuseWhatIsOutOfRangeOrMalformed() throws IOException {
        assertEquals(NbdWire.ENOSPC, client.write(DISK_BYTES, new byte[512]));
        assertEquals(NbdWire.ENOSPC, client.write(Long.MAX_VALUE - 511, new byte[512]));
        assertEquals(NbdWire.ENOSPC, client.write(Long.MIN_VALUE, new byte[512]));
        assertEquals(NbdWire.ENOSPC, client.execute(NbdWire.CMD_WRITE_ZEROES, 0, DISK_BYTES - 512, 1024));
        assertEquals(NbdWire.EINVAL, client.execute(NbdWire.CMD_TRIM, 0, DISK_BYTES - 512, 1024));
        assertEquals(NbdWire.EINVAL, client.write(1, new byte[512]));
        assertEquals(NbdWire.EINVAL, client.write(0, new byte[511]));
        assertEquals(NbdWire.EINVAL, client.execute(NbdWire.CMD_WRITE, 1 << 9, 0, 512, new byte[512]));
        assertEquals(NbdWire.EINVAL, client.execute(NbdWire.CMD_TRIM, 0, 0, 0));
        assertEquals(NbdWire.EINVAL, client.execute(99, 0, 0, 512));
        for (long offset : new long[] {DISK_BYTES, -512, 1}) {
            client.ask(NbdWire.CMD_READ, 0, offset, 512, NOTHING);
            NbdClient.Reply reply = client.reply(0);
            assertEquals(NbdWire.CHUNK_ERROR, reply.type());
            assertEquals(NbdWire.EINVAL, reply.error());
        }
        assertEquals(0, client.write(0, new byte[512]));
        assertEquals("the other reads have not reached the disk", 512, disk.rangeBytesMax);
    }

    @Test
    public void shouldNotWriteToADiskThatMayOnlyBeRead() throws IOException {
        disk.readOnly = true;
        try (NbdClient other = NbdClient.connected(socket, "d", false)) {
            assertEquals(NbdWire.EPERM, other.write(0, new byte[512]));
            assertEquals(NbdWire.EPERM, other.execute(NbdWire.CMD_TRIM, 0, 0, 512));
            assertEquals(NbdWire.EPERM, other.execute(NbdWire.CMD_WRITE_ZEROES, 0, 0, 512));
            assertEquals(0, other.read(0, 512)[0]);
        }
    }

    @Test
    public void shouldTellTheClientWhatFailedAndGoOn() throws IOException {
        client.write(0, random(1, 4096));
        disk.failure = new IOException("no such luck");
        assertEquals(NbdWire.EIO, client.write(0, new byte[512]));
        assertEquals(NbdWire.EIO, client.execute(NbdWire.CMD_FLUSH, 0, 0, 0));
        client.ask(NbdWire.CMD_READ, 0, 0, 1 << 20, NOTHING);
        NbdClient.Reply reply = client.reply(0);
        assertEquals(NbdWire.EIO, reply.error());
        disk.failure = new Export.NoSpaceException("full");
        assertEquals(NbdWire.ENOSPC, client.write(0, new byte[512]));
        assertEquals(NbdWire.ENOSPC, client.write(0, new byte[1 << 20]));
        disk.failure = null;
        assertArrayEquals(random(1, 4096), client.read(0, 4096));
    }

    @Test
    public void shouldDisconnectAClientThatLostTheFraming() throws IOException {
        client.send(ByteBuffer.allocate(28));
        assertThrows(EOFException.class, () -> client.receive(1));
    }

    @Test
    public void shouldDisconnectAClientThatWritesMoreThanAllowed() throws IOException {
        client.ask(NbdWire.CMD_WRITE, 0, 0, (32 << 20) + 512, NOTHING);
        assertThrows(EOFException.class, () -> client.receive(1));
    }

    @Test
    public void shouldGoOnWritingInOtherThreadsOnceWritesWait() throws Exception {
        for (int i = 0; i < 40; i++) {
            server.writes.took(1_000_000, 0);
        }
        assertTrue(server.writes.waits());
        disk.writeGate = new CountDownLatch(1);
        Map<Long, Integer> asked = new HashMap<>();
        for (int i = 0; i < 3; i++) {
            asked.put(client.ask(NbdWire.CMD_WRITE, i == 1 ? NbdWire.FUA : 0, i * (1L << 20), 700_416, random(i, 700_416)), i);
            asked.put(client.ask(NbdWire.CMD_WRITE, 0, (i + 10) * (1L << 20), 4096, random(i + 10, 4096)), i);
        }
        assertEquals("reads are not held up", 0, client.read(30 << 20, 512)[0]);
        awaitInFlight(6);
        disk.writeGate.countDown();
        for (int i = 0; i < 6; i++) {
            NbdClient.Reply reply = client.reply(0);
            assertEquals(0, reply.error());
            assertTrue(asked.remove(reply.cookie()) != null);
        }
        for (int i = 0; i < 3; i++) {
            assertArrayEquals(random(i, 700_416), client.read(i * (1L << 20), 700_416));
            assertArrayEquals(random(i + 10, 4096), client.read((i + 10) * (1L << 20), 4096));
        }
        assertEquals(1, disk.flushes.get());
    }

    @Test
    public void shouldExecuteInPlaceAgainWhatNoLongerWaits() {
        for (int i = 0; i < 40; i++) {
            server.reads.took(1_000_000, 0);
        }
        assertTrue(server.reads.waits());
        for (int i = 0; i < 200; i++) {
            server.reads.took(5000, 4096);
        }
        assertFalse(server.reads.waits());
    }

    @Test
    public void shouldReadInOtherThreadsOnceReadsWait() throws IOException {
        byte[] content = random(5, 2 << 20);
        client.write(0, content);
        for (int i = 0; i < 40; i++) {
            server.reads.took(1_000_000, 0);
        }
        assertArrayEquals(content, client.read(0, 2 << 20));
        assertArrayEquals(Arrays.copyOf(content, 4096), client.read(0, 4096));
        assertEquals(0, client.execute(NbdWire.CMD_CACHE, 0, 0, 8 << 20));
    }

    @Test
    public void shouldLetRequestsEndBeforeItCloses() throws Exception {
        disk.flushGate = new CountDownLatch(1);
        client.ask(NbdWire.CMD_FLUSH, 0, 0, 0, NOTHING);
        awaitInFlight(1);
        Thread closer = new Thread(server::close);
        closer.start();
        while (!server.closing() || Files.exists(socket)) {
            Thread.onSpinWait();
        }
        disk.flushGate.countDown();
        assertEquals(0, client.reply(0).error());
        closer.join();
        assertThrows(EOFException.class, () -> client.receive(1));
        assertThrows(IOException.class, () -> new NbdClient(socket).close());
    }

    @Test
    public void shouldCloseThoughAClientTakesNoAnswers() throws IOException {
        client.write(0, random(1, 4 << 20));
        for (int i = 0; i < 10; i++) {
            client.ask(NbdWire.CMD_READ, 0, 0, 4 << 20, NOTHING);
        }
        server.close();
        assertEquals(0, server.inFlight());
        assertFalse(Files.exists(socket));
    }

    @Test
    public void shouldReplaceASocketOfAnEarlierRunButNoOther() throws IOException {
        Path stale = socket.resolveSibling("stale.nbd");
        java.nio.channels.ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)
                .bind(java.net.UnixDomainSocketAddress.of(stale)).close();
        assertTrue(Files.exists(stale));
        new NbdServer(stale, List.of(disk)).close();
        assertThrows(IOException.class, () -> new NbdServer(socket, List.of(disk)));
        Path file = Files.writeString(socket.resolveSibling("file"), "dear");
        assertThrows(IOException.class, () -> new NbdServer(file, List.of(disk)));
        assertEquals("dear", Files.readString(file));
        assertEquals(0, client.read(0, 512)[0]);
    }

    @Test
    public void shouldSayWhatToShortenIfThePathIsTooLong() {
        Path path = folder.getRoot().toPath().resolve("x".repeat(120));
        IOException refused = assertThrows(IOException.class, () -> new NbdServer(path, List.of(disk)));
        assertTrue(refused.getMessage(), refused.getMessage().contains("choose a directory for sockets whose path is"));
    }

    @Test
    public void shouldLetOnlyThisUserConnect() throws IOException {
        assertEquals("rw-------", java.nio.file.attribute.PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)));
    }

    /** A client may have an answer before the server has noted that it is sent. */
    private void awaitInFlight(int requests) {
        while (server.inFlight() != requests) {
            Thread.onSpinWait();
        }
    }

    private static byte[] random(int seed, int bytes) {
        byte[] content = new byte[bytes];
        new Random(seed).nextBytes(content);
        return content;
    }
}
