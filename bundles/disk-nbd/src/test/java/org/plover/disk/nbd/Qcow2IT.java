package org.plover.disk.nbd;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.Timeout;
import org.plover.api.disk.DiskFormat;
import org.plover.api.disk.DiskSpec;
import org.plover.api.disk.Disks;
import org.plover.api.disk.DisksSpec;

/** Disks in qcow2 images, by a real qemu-storage-daemon; what is in the images afterwards is QEMU's own word. Needs /dev/fuse. */
public class Qcow2IT {
    private static final int BYTES = 64 << 20;
    private static final int CLUSTER = 64 << 10;

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();
    @Rule
    public final Timeout timeout = Timeout.seconds(300);

    private final NbdDiskProvider provider = new NbdDiskProvider();
    private final BlockingQueue<String> failures = new LinkedBlockingQueue<>();
    private Path image;
    private Path mount;

    @Before
    public void create() throws Exception {
        image = folder.getRoot().toPath().resolve("image.qcow2");
        mount = Store.mount(folder.getRoot().toPath().resolve("state"), 0);
        run("qemu-img", "create", "-q", "-f", "qcow2", image.toString(), Integer.toString(BYTES));
    }

    @After
    public void leaveNothing() throws Exception {
        provider.deactivate();
        assertFalse("still mounted", StorageDaemon.isMounted(mount));
        String found = run("qemu-img", "check", "-f", "qcow2", image.toString());
        assertTrue(found, found.contains("No errors were found"));
    }

    private StoreDisks open() throws IOException {
        return open(false);
    }

    private StoreDisks open(boolean readOnly) throws IOException {
        return (StoreDisks) provider.open(spec(readOnly), failures::add);
    }

    private DisksSpec spec(boolean readOnly) {
        Path root = folder.getRoot().toPath();
        return new DisksSpec("vm", root.resolve("state"), root.resolve("sockets"), List.of(new DiskSpec(image, 512, readOnly, DiskFormat.QCOW2)));
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

    @Test
    public void shouldBeTheDiskThatQemuSeesInTheImage() throws Exception {
        try (StoreDisks disks = open()) {
            assertEquals(BYTES, disks.bytes(0));
            assertEquals(-1, disks.nextData(0));
            Export export = disks.exports().get(0);
            export.write(0, filled(3 * CLUSTER, 1), true);
            export.write(BYTES - 512, filled(512, 7), true);
            export.write(16 << 20, filled(8 << 20, 2), true);
        }
        io("read -P 1 0 192k", "read -P 0 192k 1M", "read -P 2 16M 8M", "read -P 7 67108352 512");
        try (StoreDisks disks = open()) {
            Export export = disks.exports().get(0);
            // Less than a cluster, and more than one: the daemon takes a punched hole for a hint.
            export.zero(4096, 8192, true);
            export.zero(CLUSTER - 4096, CLUSTER + 8192, true);
            export.zero(17 << 20, 4 << 20, true);
            assertReads(export, 0, 4096, 1);
            assertReads(export, 4096, 8192, 0);
            assertReads(export, 17 << 20, 4 << 20, 0);
        }
        io("read -P 1 0 4k", "read -P 0 4k 8k", "read -P 1 12k 48k", "read -P 0 60k 72k", "read -P 1 132k 60k", "read -P 2 16M 1M",
                "read -P 0 17M 4M", "read -P 2 21M 3M");
        try (StoreDisks disks = open()) {
            assertEquals("zeros are holes", Disks.id(0, 21 << 8), disks.nextData(Disks.id(0, 17 << 8)));
        }
    }

    @Test
    public void shouldTellTheMemberWhenTheDaemonDiesAndLoseNothingThatWasFlushed() throws Exception {
        StoreDisks disks = open();
        Export export = disks.exports().get(0);
        export.write(0, filled(1 << 20, 1), true);
        Path copy = folder.getRoot().toPath().resolve("copy");
        disks.copyTo(List.of(copy)).get();
        export.write(0, filled(4096, 2), true);
        kill(daemon());
        String failure = failures.poll(60, TimeUnit.SECONDS);
        assertTrue(failure, failure.contains("disk image " + image + ": its qemu-storage-daemon has ended"));
        String refusal = assertThrows(IOException.class, () -> export.write(8192, filled(4096, 3), true)).getMessage();
        assertTrue(refusal, refusal.contains("qemu-storage-daemon has ended"));
        disks.close();
        try (StoreDisks again = open()) {
            assertReads(again.exports().get(0), 0, 4096, 2);
            assertReads(again.exports().get(0), 4096, 1 << 19, 1);
            assertEquals(List.of(), List.copyOf(failures));
        }
        io("read -P 2 0 4k", "read -P 1 4k 1020k", "read -P 0 1M 1M");
    }

    @Test
    public void shouldLeaveNothingMountedWhenTheApplianceIsKilled() throws Exception {
        Process doomed = doomed();
        kill(doomed.toHandle());
        doomed.waitFor();
        // The daemon is not waited for: the next appliance has to.
        try (StoreDisks disks = open()) {
            ByteBuffer in = ByteBuffer.allocate(21);
            disks.exports().get(0).read(1 << 20, in);
            assertEquals("written by the doomed", new String(in.array()));
        }
    }

    @Test
    public void shouldCleanUpAfterALossOfEveryProcess() throws Exception {
        Process doomed = doomed();
        ProcessHandle daemon = daemon();
        ProcessHandle supervisor = doomed.children().findFirst().orElseThrow();
        // First the daemon: it would end in good order if it heard of the supervisor's death.
        kill(daemon);
        kill(supervisor);
        kill(doomed.toHandle());
        doomed.waitFor();
        daemon.onExit().get();
        assertTrue("a mount without a daemon is left", StorageDaemon.isMounted(mount));
        open().close();
        assertFalse(StorageDaemon.isMounted(mount));
    }

    @Test
    public void shouldNotShareAnImage() throws Exception {
        try (StoreDisks disks = open()) {
            Path root = folder.getRoot().toPath();
            for (DiskFormat format : List.of(DiskFormat.QCOW2, DiskFormat.RAW)) {
                String refusal = assertThrows(IOException.class, () -> provider.open(new DisksSpec("other", root.resolve("other"),
                        root.resolve("other-sockets"), List.of(new DiskSpec(image, 512, false, format))), failures::add)).getMessage();
                assertTrue(refusal, refusal.startsWith("disk image " + image) && refusal.contains("lock") || refusal.contains("in use"));
            }
            assertEquals(1, disks.count());
        }
    }

    @Test
    public void shouldKeepSnapshotsInTheImageAsTheyAre() throws Exception {
        io("write -P 9 0 1M");
        run("qemu-img", "snapshot", "-c", "before", image.toString());
        try (StoreDisks disks = open()) {
            assertReads(disks.exports().get(0), 0, 4096, 9);
            disks.exports().get(0).write(0, filled(1 << 20, 4), true);
        }
        io("read -P 4 0 1M");
        run("qemu-img", "snapshot", "-a", "before", image.toString());
        io("read -P 9 0 1M");
    }

    @Test
    public void shouldBeReadOnlyIfItIsConfiguredSo() throws Exception {
        io("write -P 9 0 1M");
        byte[] before = Files.readAllBytes(image);
        try (StoreDisks disks = open(true)) {
            assertReads(disks.exports().get(0), 0, 4096, 9);
            assertThrows(IOException.class, () -> disks.exports().get(0).write(0, filled(4096, 1), true));
        }
        assertTrue(Arrays.equals(before, Files.readAllBytes(image)));
    }

    @Test
    public void shouldBeBroughtUpToDateWithoutAnAppliance() throws Exception {
        StoreDisks disks = open();
        disks.exports().get(0).write(0, filled(4096, 5), true);
        disks.close(false);
        io("read -P 0 0 4k");
        String report = new OfflineDisks().recover(folder.getRoot().toPath().resolve("state"));
        assertTrue(report, report.contains(image + ": up to date"));
        io("read -P 5 0 4k");
    }

    @Test
    public void shouldSayWhatStandsInTheWay() throws Exception {
        Files.write(image, new byte[1 << 20], java.nio.file.StandardOpenOption.WRITE);
        assertThrows(IOException.class, this::open);
        run("qemu-img", "create", "-q", "-f", "qcow2", image.toString(), "1M");
        Path elsewhere = folder.newFolder("a b,c").toPath().resolve("an image");
        Files.move(image, elsewhere);
        DisksSpec odd = new DisksSpec("odd", elsewhere.resolveSibling("st ate"), folder.getRoot().toPath().resolve("s"),
                List.of(new DiskSpec(elsewhere, 512, false, DiskFormat.QCOW2)));
        provider.open(odd, failures::add).close();
        Files.move(elsewhere, image);
        String missing = assertThrows(IOException.class, () -> StorageDaemon.start("/nowhere/qsd", image, false, mount)).getMessage();
        assertTrue(missing, missing.contains("needs /nowhere/qsd"));
    }

    // ---- processes ----

    private Process doomed() throws IOException {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                System.getProperty("java.class.path"), DoomedDisks.class.getName(), folder.getRoot().toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        BufferedReader out = new BufferedReader(new InputStreamReader(process.getInputStream()));
        for (String line; (line = out.readLine()) != null; ) {
            if (line.equals("ready")) {
                return process;
            }
        }
        throw new IOException("it ended too soon");
    }

    /** The one that has the image. */
    private ProcessHandle daemon() {
        return ProcessHandle.allProcesses().filter(this::hasImage).findFirst().orElseThrow();
    }

    private boolean hasImage(ProcessHandle process) {
        try {
            String line = Files.readString(Path.of("/proc", Long.toString(process.pid()), "cmdline"));
            return line.contains(image.toString()) && line.split("\0")[0].endsWith(StorageDaemon.PROGRAM);
        } catch (IOException gone) {
            return false;
        }
    }

    private static void kill(ProcessHandle process) {
        assertTrue(process.destroyForcibly());
    }

    /** Commands of qemu-io on the image; a pattern that does not fit is a failure. */
    private void io(String... commands) throws Exception {
        String[] line = new String[4 + 2 * commands.length];
        line[0] = "qemu-io";
        line[1] = "-f";
        line[2] = "qcow2";
        for (int i = 0; i < commands.length; i++) {
            line[3 + 2 * i] = "-c";
            line[4 + 2 * i] = commands[i];
        }
        line[line.length - 1] = image.toString();
        String output = run(line);
        assertFalse(output, output.contains("failed") || output.contains("error"));
    }

    private String run(String... command) throws Exception {
        File output = folder.newFile();
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output).start();
        int status = process.waitFor();
        String text = Files.readString(output.toPath());
        assertEquals(String.join(" ", command) + "\n" + text, 0, status);
        return text;
    }
}
