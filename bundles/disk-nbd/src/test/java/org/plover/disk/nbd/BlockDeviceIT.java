package org.plover.disk.nbd;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.Timeout;
import org.plover.api.disk.DiskSpec;
import org.plover.api.disk.DisksSpec;
import org.plover.api.health.Finding;

/** Disks on real block devices: loop devices on files, with sectors of 512 and of 4096 bytes. Needs root and losetup. */
public class BlockDeviceIT {
    private static final long BYTES = 32 << 20;

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();
    @Rule
    public final Timeout timeout = Timeout.seconds(300);

    private final NbdDiskProvider provider = new NbdDiskProvider();
    private final BlockingQueue<String> failures = new LinkedBlockingQueue<>();
    private final List<Path> devices = new ArrayList<>();
    private final List<Path> mounts = new ArrayList<>();
    private Path small;
    private Path large;

    @Before
    public void attach() throws Exception {
        small = attach("small", 512);
        large = attach("large", 4096);
    }

    private Path backing(String name) {
        return folder.getRoot().toPath().resolve(name);
    }

    private Path attach(String name, int sectorBytes) throws Exception {
        try (RandomAccessFile file = new RandomAccessFile(backing(name).toFile(), "rw")) {
            file.setLength(BYTES);
        }
        Path device = Path.of(run("losetup", "--find", "--show", "--sector-size", Integer.toString(sectorBytes), backing(name).toString()).strip());
        devices.add(device);
        return device;
    }

    @After
    public void detach() throws Exception {
        provider.deactivate();
        for (Path device : devices) {
            run("losetup", "--detach", device.toString());
        }
        for (Path mount : mounts) {
            run("umount", "--lazy", mount.toString());
        }
    }

    private DisksSpec spec() {
        Path root = folder.getRoot().toPath();
        return new DisksSpec("vm", root.resolve("state"), root.resolve("sockets"), List.of(new DiskSpec(small, 512, false),
                new DiskSpec(large, 4096, false)));
    }

    private StoreDisks open() throws IOException {
        return (StoreDisks) provider.open(spec(), failures::add);
    }

    private static ByteBuffer filled(int bytes, int value) {
        byte[] content = new byte[bytes];
        Arrays.fill(content, (byte) value);
        return ByteBuffer.wrap(content);
    }

    private static void assertReads(Export export, long offset, int bytes, int value) throws IOException {
        ByteBuffer in = ByteBuffer.allocate(bytes);
        export.read(offset, in);
        assertEquals("at " + offset, filled(bytes, value), in.flip());
    }

    /** What the file under the device holds. */
    private byte[] under(String name, long offset, int bytes) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(backing(name).toFile(), "r")) {
            byte[] content = new byte[bytes];
            file.seek(offset);
            file.readFully(content);
            return content;
        }
    }

    @Test
    public void shouldServeDevicesWithSmallAndLargeSectors() throws Exception {
        for (Finding finding : provider.preflight(spec())) {
            assertEquals(finding.toString(), Finding.Level.OK, finding.level());
        }
        try (StoreDisks disks = open()) {
            for (int d = 0; d < 2; d++) {
                Export export = disks.exports().get(d);
                assertEquals(BYTES, disks.bytes(d));
                export.write(0, filled(1 << 20, 1), true);
                export.zero(64 << 10, 64 << 10, true);
                export.write(BYTES - 4096, filled(4096, 2), true);
                disks.seal(d + 1);
                disks.commit(d + 1).get();
            }
            disks.exports().get(0).write(8 << 20, filled(512, 3), true);
            disks.alone();
            assertReads(disks.exports().get(0), 8 << 20, 512, 3);
        }
        for (String name : List.of("small", "large")) {
            assertTrue(Arrays.equals(filled(64 << 10, 1).array(), under(name, 0, 64 << 10)));
            assertTrue(Arrays.equals(new byte[64 << 10], under(name, 64 << 10, 64 << 10)));
            assertTrue(Arrays.equals(filled(4096, 2).array(), under(name, BYTES - 4096, 4096)));
        }
        try (StoreDisks disks = open()) {
            assertReads(disks.exports().get(1), 0, 64 << 10, 1);
            Path copy = folder.getRoot().toPath().resolve("copy0");
            disks.copyTo(List.of(copy, copy.resolveSibling("copy1"))).get();
            assertEquals(-1, Files.mismatch(copy, backing("small")));
        }
    }

    @Test
    public void shouldRecoverWhatWasFlushedBeforeACrash() throws Exception {
        StoreDisks disks = open();
        disks.exports().get(1).write(1 << 20, filled(64 << 10, 7), true);
        disks.exports().get(0).write(1 << 20, filled(4096, 8), true);
        disks.close(false);
        try (StoreDisks again = open()) {
            assertReads(again.exports().get(1), 1 << 20, 64 << 10, 7);
            assertReads(again.exports().get(0), 1 << 20, 4096, 8);
        }
    }

    @Test
    public void shouldGrowWithItsDeviceAndNotWithoutIt() throws Exception {
        try (StoreDisks disks = open()) {
            String refusal = disks.makeRoom(1, 2 * BYTES).get();
            assertTrue(refusal, refusal.contains("enlarge the block device first"));
            // As when the device was used for something else before.
            try (RandomAccessFile file = new RandomAccessFile(backing("large").toFile(), "rw")) {
                file.setLength(2 * BYTES);
                file.seek(BYTES);
                file.write(filled((int) BYTES, 9).array());
            }
            run("losetup", "--set-capacity", large.toString());
            assertEquals("", disks.makeRoom(1, 2 * BYTES).get());
            disks.resize(1, 2 * BYTES);
            Export export = disks.exports().get(1);
            assertReads(export, BYTES, (int) BYTES, 0);
            export.write(2 * BYTES - 4096, filled(4096, 4), true);
            assertEquals(BYTES, disks.bytes(0));
        }
        assertTrue(Arrays.equals(filled(4096, 4).array(), under("large", 2 * BYTES - 4096, 4096)));
        assertTrue(Arrays.equals(new byte[4096], under("large", BYTES, 4096)));
        assertEquals(0, failures.size());
    }

    /** A device whose own medium is full, as one of a thin pool: it takes writes and fails when they are to be made durable. */
    @Test
    public void shouldReportADeviceThatFailsOnlyWhenItIsSynced() throws Exception {
        Path medium = folder.newFolder("medium").toPath();
        run("mount", "-t", "tmpfs", "-o", "size=8m", "plover-test", medium.toString());
        mounts.add(medium);
        Path device = attach("medium/disk", 512);
        Path root = folder.getRoot().toPath();
        try (StoreDisks disks = (StoreDisks) provider.open(new DisksSpec("failing", root.resolve("f"), root.resolve("fs"),
                List.of(new DiskSpec(device, 512, false))), failures::add)) {
            Export export = disks.exports().get(0);
            disks.seal(1);
            disks.commit(1).get();
            export.write(0, filled(16 << 20, 1), true);
            disks.seal(2);
            disks.commit(2).get();
            assertThrows(ExecutionException.class, () -> disks.copyTo(List.of(root.resolve("copy"))).get());
            String failure = failures.poll(60, TimeUnit.SECONDS);
            assertTrue(failure, failure.contains("disk image " + device) && failure.contains("EIO"));
            String refusal = assertThrows(IOException.class, () -> export.write(0, filled(4096, 2), true)).getMessage();
            assertTrue(refusal, refusal.contains("EIO"));
            assertReads(export, 15 << 20, 4096, 1);
            assertFalse(provider.check().stream().allMatch(finding -> finding.level() == Finding.Level.OK));
        }
    }

    private String run(String... command) throws Exception {
        File output = folder.newFile();
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output).start();
        int status = process.waitFor();
        String text = Files.readString(output.toPath());
        assertEquals(String.join(" ", command) + "\n" + text, 0, status);
        return text;
    }

    @Test
    public void shouldNotShareADevice() throws Exception {
        try (StoreDisks disks = open()) {
            Path root = folder.getRoot().toPath();
            String refusal = assertThrows(IOException.class, () -> provider.open(new DisksSpec("other", root.resolve("other"),
                    root.resolve("other-sockets"), List.of(new DiskSpec(large, 4096, false))), failures::add)).getMessage();
            assertTrue(refusal, refusal.contains("in use"));
            assertEquals(2, disks.count());
        }
    }
}
