package org.plover.disk.nbd;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.Timeout;

/** Programs that others have written use a disk of this server. */
public class NbdProgramsIT {
    private static final int DISK_BYTES = 64 << 20;

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();
    @Rule
    public final Timeout timeout = Timeout.seconds(300);

    private final MemoryExport disk = new MemoryExport("disk0", DISK_BYTES, 512);
    private final MemoryExport largeSectors = new MemoryExport("disk1", DISK_BYTES, 4096);
    private NbdServer server;
    private NbdServer other;
    private String uri;
    private String otherUri;

    @Before
    public void serve() throws IOException {
        Path socket = folder.getRoot().toPath().resolve("d.nbd");
        server = new NbdServer(socket, List.of(disk));
        other = new NbdServer(socket.resolveSibling("e.nbd"), List.of(largeSectors));
        uri = "nbd+unix:///disk0?socket=" + socket;
        otherUri = "nbd+unix:///disk1?socket=" + socket.resolveSibling("e.nbd");
    }

    @After
    public void end() {
        server.close();
        other.close();
    }

    @Test
    public void shouldTellQemuAndLibnbdWhatItIs() throws Exception {
        assertContains(run("qemu-img", "info", uri), "virtual size: 64 MiB");
        assertContains(run("qemu-img", "info", "nbd:unix:" + folder.getRoot() + "/d.nbd:exportname=disk0"), "virtual size: 64 MiB");
        String info = run("nbdinfo", uri);
        for (String line : List.of("export-size: 67108864", "base:allocation", "can_multi_conn: true", "can_flush: true", "can_fua: true",
                "can_trim: true", "can_zero: true", "can_df: true", "can_cache: true", "is_read_only: false", "block_size_minimum: 512",
                "block_size_preferred: 4096", "block_size_maximum: 33554432")) {
            assertContains(info, line);
        }
        assertContains(run("nbdinfo", otherUri), "block_size_minimum: 4096");
        assertContains(run("nbdinfo", "--list", uri), "export=\"disk0\"");
    }

    @Test
    public void shouldHoldAnImageThatWasConvertedToIt() throws Exception {
        Path image = sparseImage();
        for (String to : List.of(uri, otherUri)) {
            run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", image.toString(), to);
            assertContains(run("qemu-img", "compare", "-f", "raw", "-F", "raw", image.toString(), to), "Images are identical");
            Path back = folder.getRoot().toPath().resolve("back.raw");
            run("qemu-img", "convert", "-f", "raw", "-O", "raw", to, back.toString());
            assertEquals(-1, Files.mismatch(image, back));
            Files.delete(back);
        }
    }

    @Test
    public void shouldHoldAnImageThatLibnbdCopiesOverSeveralConnections() throws Exception {
        Path image = sparseImage();
        Path back = folder.getRoot().toPath().resolve("back.raw");
        for (String to : List.of(uri, otherUri)) {
            run("nbdcopy", "--connections=4", "--requests=16", image.toString(), to);
            run("nbdcopy", "--connections=4", "--requests=16", to, back.toString());
            assertEquals(-1, Files.mismatch(image, back));
        }
    }

    @Test
    public void shouldTellWhereItsHolesAre() throws Exception {
        io(uri, "write -P 7 1M 64k", "write -P 7 8M 1M", "discard 8M 512k", "flush");
        String map = run("qemu-img", "map", "--output=json", "-f", "raw", uri);
        assertEquals(map, 2, map.split("\"zero\": false", -1).length - 1);
        assertContains(map, "\"start\": 1048576, \"length\": 65536, \"depth\": 0, \"present\": true, \"zero\": false");
        assertContains(map, "\"start\": 8912896, \"length\": 524288, \"depth\": 0, \"present\": true, \"zero\": false");
        assertContains(run("nbdinfo", "--map", uri), "8912896      524288    0  data");
    }

    @Test
    public void shouldDoWhatQemuIoAsks() throws Exception {
        for (String to : List.of(uri, otherUri)) {
            io(to, "write -P 1 0 4k", "write -f -P 2 4k 64k", "write -P 3 1M 8M", "write -P 9 16M 32M", "flush",
                    "read -P 1 0 4k", "read -P 2 4k 64k", "read -P 3 1M 8M", "read -P 9 16M 32M", "read -P 0 9M 7M",
                    "write -z 2M 1M", "write -z -u 4M 1M", "discard 6M 1M", "write -z -f 7M 64k", "flush",
                    "read -P 0 2M 1M", "read -P 0 4M 1M", "read -P 0 6M 1M", "read -P 0 7M 64k", "read -P 3 3M 1M", "read -P 3 5M 1M");
            io(to, "aio_write -P 5 0 1M", "aio_write -P 6 1M 1M", "aio_write -P 7 2M 4k", "aio_flush", "read -P 5 0 1M", "read -P 6 1M 1M",
                    "aio_read -P 7 2M 4k", "aio_read -P 5 512k 4k", "aio_flush");
        }
        assertTrue(disk.flushes.get() > 0);
        assertTrue(disk.forcedWrites.get() > 0);
    }

    @Test
    public void shouldNotBeWrittenToIfItMayOnlyBeRead() throws Exception {
        disk.readOnly = true;
        assertContains(run("nbdinfo", uri), "is_read_only: true");
        run("qemu-io", "-r", "-f", "raw", "-c", "read -P 0 0 1M", uri);
    }

    /** Runs commands of qemu-io; a pattern that does not fit is a failure of the program. */
    private void io(String to, String... commands) throws Exception {
        String[] line = new String[4 + 2 * commands.length];
        line[0] = "qemu-io";
        line[1] = "-f";
        line[2] = "raw";
        for (int i = 0; i < commands.length; i++) {
            line[3 + 2 * i] = "-c";
            line[4 + 2 * i] = commands[i];
        }
        line[line.length - 1] = to;
        String output = run(line);
        assertTrue(output, !output.contains("failed") && !output.contains("error"));
    }

    private Path sparseImage() throws IOException {
        Path image = folder.getRoot().toPath().resolve("image.raw");
        Random random = new Random(1);
        byte[] piece = new byte[300_000];
        try (java.io.RandomAccessFile file = new java.io.RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(DISK_BYTES);
            for (int i = 0; i < 40; i++) {
                random.nextBytes(piece);
                file.seek(random.nextInt(DISK_BYTES - piece.length));
                file.write(piece, 0, 1 + random.nextInt(piece.length));
            }
        }
        return image;
    }

    private String run(String... command) throws Exception {
        File output = folder.newFile();
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output).start();
        int status = process.waitFor();
        String text = Files.readString(output.toPath());
        assertEquals(String.join(" ", command) + "\n" + text, 0, status);
        return text;
    }

    private static void assertContains(String text, String part) {
        assertTrue("no \"" + part + "\" in\n" + text, text.contains(part));
    }
}
