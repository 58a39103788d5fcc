package org.plover.disk.nbd;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.Timeout;

/** Clients that send nonsense; another one that does not must not notice. */
public class NbdFuzzTest {
    private static final int DISK_BYTES = 1 << 20;
    private static final int CLIENTS = 3000;
    /** The last part of the disk, to which no nonsense is written. */
    private static final int OWN = DISK_BYTES - 65536;

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();
    @Rule
    public final Timeout timeout = Timeout.seconds(300);

    private final Export disk = new Sheltered(new MemoryExport("d", DISK_BYTES, 512));
    private Path socket;
    private NbdServer server;
    private NbdClient good;

    @Before
    public void serve() throws IOException {
        socket = folder.getRoot().toPath().resolve("d.nbd");
        server = new NbdServer(socket, List.of(disk));
        good = NbdClient.connected(socket, "d", true);
    }

    @After
    public void end() throws IOException {
        good.close();
        server.close();
    }

    @Test
    public void shouldSurviveMutatedHandshakes() throws IOException {
        fuzz(1, this::handshake, false);
    }

    @Test
    public void shouldSurviveMutatedRequests() throws IOException {
        fuzz(2, this::requests, true);
    }

    private interface Generator {
        byte[] next(Random random) throws IOException;
    }

    private void fuzz(int seed, Generator generator, boolean negotiated) throws IOException {
        long heapBefore = heapBytes();
        for (int i = 0; i < CLIENTS; i++) {
            Random random = new Random(seed * 1_000_003L + i);
            try (NbdClient bad = negotiated ? NbdClient.connected(socket, "d", random.nextBoolean()) : new NbdClient(socket)) {
                byte[] nonsense = mutated(generator.next(random), random);
                bad.channel.configureBlocking(false);
                bad.channel.write(ByteBuffer.wrap(nonsense));
                if (random.nextInt(4) == 0) {
                    bad.channel.read(ByteBuffer.allocate(4096));
                }
                if (random.nextInt(4) == 0) {
                    bad.channel.shutdownOutput();
                }
            } catch (IOException e) {
                // The server may have hung up already, or be about to: that is its right here.
                assertTrue(String.valueOf(e), e.getMessage() == null || e.getMessage().matches("(?i).*(broken pipe|reset).*"));
            }
            if (i % 50 == 0) {
                byte[] content = new byte[4096];
                random.nextBytes(content);
                assertEquals("seed " + seed + ", client " + i, 0, good.write(OWN + 512L * random.nextInt(100), content));
                assertEquals(0, good.write(OWN, content));
                assertArrayEquals("seed " + seed + ", client " + i, content, good.read(OWN, 4096));
            }
        }
        long grown = heapBytes() - heapBefore;
        assertTrue("the heap grew by " + grown + " bytes", grown < 32 << 20);
        while (server.inFlight() > 0) {
            Thread.onSpinWait();
        }
    }

    private static long heapBytes() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private byte[] handshake(Random random) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(ByteBuffer.allocate(4).putInt(random.nextInt(4)).array());
        for (int i = random.nextInt(6); i >= 0; i--) {
            int option = 1 + random.nextInt(12);
            byte[] data = switch (random.nextInt(4)) {
                case 0 -> NbdClient.info("d", NbdWire.INFO_BLOCK_SIZE, random.nextInt(5));
                case 1 -> NbdClient.meta("d", "base:allocation", "x");
                case 2 -> new byte[random.nextInt(random.nextInt(20) == 0 ? 20_000 : 50)];
                default -> new byte[0];
            };
            all.writeBytes(ByteBuffer.allocate(16).putLong(NbdWire.OPTION_MAGIC).putInt(option).putInt(data.length).array());
            all.writeBytes(data);
        }
        return all.toByteArray();
    }

    private byte[] requests(Random random) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int i = random.nextInt(6); i >= 0; i--) {
            int type = random.nextInt(9);
            int length = 512 * random.nextInt(64);
            byte[] payload = type == NbdWire.CMD_WRITE ? new byte[length] : new byte[0];
            int flags = random.nextInt(3) == 0 ? 1 << random.nextInt(16) : 0;
            all.writeBytes(NbdClient.request(flags, type, random.nextLong(), 512L * random.nextInt(2100), length, payload).array());
        }
        return all.toByteArray();
    }

    private static byte[] mutated(byte[] bytes, Random random) {
        int changes = random.nextInt(4);
        for (int i = 0; i < changes; i++) {
            // Near the beginning there is more sense to be turned into nonsense.
            int at = random.nextInt(random.nextBoolean() ? Math.min(64, bytes.length) : bytes.length);
            bytes[at] = (byte) (random.nextInt(3) == 0 ? -1 : random.nextInt());
        }
        return random.nextInt(5) == 0 ? java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length + 1)) : bytes;
    }

    /** Keeps what others than the good client write out of a part of the disk. */
    private record Sheltered(Export disk) implements Export {
        @Override
        public String name() {
            return disk.name();
        }

        @Override
        public long bytes() {
            return disk.bytes();
        }

        @Override
        public int sectorBytes() {
            return disk.sectorBytes();
        }

        @Override
        public boolean readOnly() {
            return disk.readOnly();
        }

        @Override
        public void read(long offset, ByteBuffer to) throws IOException {
            disk.read(offset, to);
        }

        @Override
        public void write(long offset, ByteBuffer from, boolean forced) throws IOException {
            for (int i = from.position(); i < from.limit(); i++) {
                if (from.get(i) != 0) {
                    disk.write(offset, from, forced);
                    return;
                }
            }
        }

        @Override
        public void zero(long offset, long length, boolean forced) throws IOException {
            disk.extent(offset, length);
        }

        @Override
        public void trim(long offset, long length, boolean forced) throws IOException {
            disk.extent(offset, length);
        }

        @Override
        public void flush() throws IOException {
            disk.flush();
        }

        @Override
        public long extent(long offset, long length) throws IOException {
            return disk.extent(offset, length);
        }
    }
}
