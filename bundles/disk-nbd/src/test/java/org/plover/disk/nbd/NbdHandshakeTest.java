package org.plover.disk.nbd;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.Timeout;

public class NbdHandshakeTest {
    private static final int BOTH = NbdWire.FIXED_NEWSTYLE | NbdWire.NO_ZEROES;
    private static final int DISK_BYTES = 1 << 20;

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();
    @Rule
    public final Timeout timeout = Timeout.seconds(60);

    private Path socket;
    private NbdServer server;
    private NbdClient client;

    @Before
    public void serve() throws IOException {
        socket = folder.getRoot().toPath().resolve("d.nbd");
        server = new NbdServer(socket, List.of(new MemoryExport("disk0", DISK_BYTES, 512), new MemoryExport("big", DISK_BYTES, 4096)));
        client = new NbdClient(socket);
    }

    @After
    public void end() throws IOException {
        client.close();
        server.close();
    }

    @Test
    public void shouldDescribeAnExportAndServeIt() throws IOException {
        assertEquals(BOTH, client.greet(BOTH));
        client.option(NbdWire.OPT_GO, NbdClient.info("disk0", NbdWire.INFO_BLOCK_SIZE, NbdWire.INFO_NAME));
        List<NbdClient.Reply> replies = client.optionReplies(NbdWire.OPT_GO);
        assertEquals(4, replies.size());
        ByteBuffer export = replies.get(0).data();
        assertEquals(NbdWire.INFO_EXPORT, export.getShort());
        assertEquals(DISK_BYTES, export.getLong());
        assertEquals(NbdWire.HAS_FLAGS | NbdWire.SEND_FLUSH | NbdWire.SEND_FUA | NbdWire.SEND_TRIM | NbdWire.SEND_WRITE_ZEROES
                | NbdWire.CAN_MULTI_CONN | NbdWire.SEND_CACHE, export.getShort());
        ByteBuffer sizes = replies.get(2).data();
        assertEquals(NbdWire.INFO_BLOCK_SIZE, sizes.getShort());
        assertEquals(512, sizes.getInt());
        assertEquals(4096, sizes.getInt());
        assertEquals(32 << 20, sizes.getInt());
        assertEquals(0, client.read(0, 512)[0]);
    }

    @Test
    public void shouldServeAnExportThatIsNamedInTheOldWay() throws IOException {
        client.greet(BOTH);
        client.option(NbdWire.OPT_EXPORT_NAME, "disk0".getBytes(StandardCharsets.UTF_8));
        assertEquals(DISK_BYTES, client.receive(10).getLong());
        assertEquals(0, client.write(0, new byte[512]));
    }

    @Test
    public void shouldPadTheOldAnswerWithZeroesUnlessToldOtherwise() throws IOException {
        client.greet(NbdWire.FIXED_NEWSTYLE);
        client.option(NbdWire.OPT_EXPORT_NAME, "disk0".getBytes(StandardCharsets.UTF_8));
        assertEquals(DISK_BYTES, client.receive(134).getLong());
        assertEquals(0, client.write(0, new byte[512]));
    }

    @Test
    public void shouldListItsExports() throws IOException {
        client.greet(BOTH);
        client.option(NbdWire.OPT_LIST, new byte[0]);
        List<NbdClient.Reply> replies = client.optionReplies(NbdWire.OPT_LIST);
        assertEquals(3, replies.size());
        byte[] name = new byte[replies.get(0).data().getInt()];
        replies.get(0).data().get(name);
        assertEquals("disk0", new String(name, StandardCharsets.UTF_8));
        client.option(NbdWire.OPT_LIST, new byte[1]);
        client.expect(NbdWire.OPT_LIST, NbdWire.REP_ERR_INVALID);
    }

    @Test
    public void shouldRefuseWhatItDoesNotKnowAndGoOn() throws IOException {
        client.greet(BOTH);
        client.option(NbdWire.OPT_GO, NbdClient.info("no such"));
        client.expect(NbdWire.OPT_GO, NbdWire.REP_ERR_UNKNOWN);
        client.option(NbdWire.OPT_GO, NbdClient.info(""));
        client.expect(NbdWire.OPT_GO, NbdWire.REP_ERR_UNKNOWN);
        client.option(5, new byte[0]);
        client.expect(5, NbdWire.REP_ERR_UNSUP);
        client.option(77, new byte[1000]);
        client.expect(77, NbdWire.REP_ERR_UNSUP);
        client.option(NbdWire.OPT_STRUCTURED_REPLY, new byte[1]);
        client.expect(NbdWire.OPT_STRUCTURED_REPLY, NbdWire.REP_ERR_INVALID);
        client.option(NbdWire.OPT_INFO, NbdClient.info("disk0"));
        assertEquals(3, client.optionReplies(NbdWire.OPT_INFO).size());
    }

    @Test
    public void shouldTakeTheEmptyNameForTheOnlyExport() throws IOException {
        Path alone = socket.resolveSibling("alone.nbd");
        try (NbdServer one = new NbdServer(alone, List.of(new MemoryExport("x", DISK_BYTES, 512)));
                NbdClient other = NbdClient.connected(alone, "", false)) {
            assertEquals(0, other.read(0, 512)[0]);
            assertEquals(1, one.operations());
        }
    }

    @Test
    public void shouldSkipAnOptionThatIsTooLongAndDisconnectAtAnAbsurdOne() throws IOException {
        client.greet(BOTH);
        client.option(NbdWire.OPT_GO, new byte[NbdWire.OPTION_BYTES_MAX + 1]);
        client.expect(NbdWire.OPT_GO, NbdWire.REP_ERR_TOO_BIG);
        client.send(ByteBuffer.allocate(16).putLong(NbdWire.OPTION_MAGIC).putInt(NbdWire.OPT_GO).putInt(-1));
        assertDisconnected();
    }

    @Test
    public void shouldFindStringsThatAreLongerThanTheirOptionMalformed() throws IOException {
        client.greet(BOTH);
        for (byte[] data : new byte[][] {{}, {0, 0}, {0, 0, 0, 9, 'x'}, {-1, -1, -1, -1, 0, 0}, {0, 0, 0, 1, 'x', 0, 7}}) {
            client.option(NbdWire.OPT_GO, data);
            client.expect(NbdWire.OPT_GO, NbdWire.REP_ERR_INVALID);
        }
    }

    @Test
    public void shouldWantStructuredRepliesBeforeContexts() throws IOException {
        client.greet(BOTH);
        client.option(NbdWire.OPT_SET_META_CONTEXT, NbdClient.meta("disk0", NbdWire.BASE_ALLOCATION));
        client.expect(NbdWire.OPT_SET_META_CONTEXT, NbdWire.REP_ERR_INVALID);
    }

    @Test
    public void shouldOfferBaseAllocationOnly() throws IOException {
        client.greet(BOTH);
        client.option(NbdWire.OPT_STRUCTURED_REPLY, new byte[0]);
        client.expect(NbdWire.OPT_STRUCTURED_REPLY, NbdWire.REP_ACK);
        for (byte[] data : List.of(NbdClient.meta("disk0"), NbdClient.meta("disk0", "base:"), NbdClient.meta("disk0", "x:y", "base:allocation"))) {
            client.option(NbdWire.OPT_LIST_META_CONTEXT, data);
            client.expect(NbdWire.OPT_LIST_META_CONTEXT, NbdWire.REP_META_CONTEXT);
            client.expect(NbdWire.OPT_LIST_META_CONTEXT, NbdWire.REP_ACK);
        }
        for (byte[] data : List.of(NbdClient.meta("disk0"), NbdClient.meta("disk0", "qemu:dirty-bitmap:x"))) {
            client.option(NbdWire.OPT_SET_META_CONTEXT, data);
            client.expect(NbdWire.OPT_SET_META_CONTEXT, NbdWire.REP_ACK);
        }
        byte[] lie = NbdClient.meta("disk0", "base:allocation");
        ByteBuffer.wrap(lie).putInt(9, Integer.MAX_VALUE);
        client.option(NbdWire.OPT_SET_META_CONTEXT, lie);
        client.expect(NbdWire.OPT_SET_META_CONTEXT, NbdWire.REP_ERR_INVALID);
    }

    @Test
    public void shouldForgetTheContextsOfAnotherExport() throws IOException {
        client.greet(BOTH);
        client.option(NbdWire.OPT_STRUCTURED_REPLY, new byte[0]);
        client.optionReplies(NbdWire.OPT_STRUCTURED_REPLY);
        client.option(NbdWire.OPT_SET_META_CONTEXT, NbdClient.meta("big", "base:allocation"));
        client.optionReplies(NbdWire.OPT_SET_META_CONTEXT);
        client.option(NbdWire.OPT_GO, NbdClient.info("disk0", NbdWire.INFO_BLOCK_SIZE));
        client.optionReplies(NbdWire.OPT_GO);
        client.ask(NbdWire.CMD_BLOCK_STATUS, 0, 0, 4096, new byte[0]);
        assertEquals(NbdWire.EINVAL, client.reply(0).error());
    }

    @Test
    public void shouldNotServeLargeSectorsToAClientThatDoesNotAskForThem() throws IOException {
        client.greet(BOTH);
        client.option(NbdWire.OPT_GO, NbdClient.info("big"));
        client.expect(NbdWire.OPT_GO, NbdWire.REP_ERR_BLOCK_SIZE_REQD);
        client.option(NbdWire.OPT_GO, NbdClient.info("big", NbdWire.INFO_BLOCK_SIZE));
        client.optionReplies(NbdWire.OPT_GO);
        assertEquals(NbdWire.EINVAL, client.write(512, new byte[4096]));
        assertEquals(NbdWire.EINVAL, client.write(4096, new byte[512]));
        assertEquals(0, client.write(4096, new byte[4096]));
    }

    @Test
    public void shouldAcknowledgeAbort() throws IOException {
        client.greet(BOTH);
        client.option(NbdWire.OPT_ABORT, new byte[0]);
        client.expect(NbdWire.OPT_ABORT, NbdWire.REP_ACK);
        assertDisconnected();
    }

    @Test
    public void shouldDisconnectAtUnknownClientFlags() throws IOException {
        client.greet(1 << 20);
        assertDisconnected();
    }

    @Test
    public void shouldDisconnectAtAnUnknownNameThatIsGivenInTheOldWay() throws IOException {
        client.greet(BOTH);
        client.option(NbdWire.OPT_EXPORT_NAME, "no such".getBytes(StandardCharsets.UTF_8));
        assertDisconnected();
    }

    @Test
    public void shouldDisconnectAtAnOptionWithoutMagic() throws IOException {
        client.greet(BOTH);
        client.send(ByteBuffer.allocate(16));
        assertDisconnected();
    }

    @Test
    public void shouldNotLetSilentClientsKeepOthersOut() throws IOException {
        NbdClient[] silent = new NbdClient[NbdServer.CONNECTIONS_MAX];
        try {
            for (int i = 0; i < silent.length; i++) {
                silent[i] = new NbdClient(socket);
                silent[i].receive(18);
            }
            try (NbdClient other = NbdClient.connected(socket, "disk0", true)) {
                assertEquals(0, other.read(0, 512)[0]);
            }
        } finally {
            for (NbdClient one : silent) {
                one.close();
            }
        }
    }

    private void assertDisconnected() throws IOException {
        assertThrows(EOFException.class, () -> client.receive(1));
        // And nobody else is.
        try (NbdClient other = NbdClient.connected(socket, "disk0", true)) {
            assertEquals(0, other.read(0, 512)[0]);
        }
        assertTrue(server.operations() > 0);
        assertFalse(server.closing());
    }
}
