package org.plover.machine.qemu;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.BeforeClass;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.plover.api.machine.MachineException;
import org.plover.api.machine.MachineSpec;
import org.plover.api.machine.StartMode;
import org.plover.api.memory.PageSet;
import org.plover.machine.qemu.Settings.MachineType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Real guests with a disk, which they write to all the time. */
public class QemuDiskIT {
    private static final Logger LOG = LoggerFactory.getLogger(QemuDiskIT.class);
    private static final Pattern COMPLAINT = Pattern.compile(DiskGuest.BAD + "|EXT4-fs error|I/O error|JBD2: |Buffer I/O|BUG|Oops");
    private static final int IMAGE_MIB = 48;

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    @BeforeClass
    public static void buildGuest() throws Exception {
        GuestImage.build();
    }

    private Path path(String name) {
        return folder.getRoot().toPath().resolve(name);
    }

    private static void run(int statusMax, String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes());
        int status = process.waitFor();
        assertTrue(String.join(" ", command) + " ended with " + status + ": " + said, status <= statusMax);
    }

    private Path newImage(String name) throws Exception {
        Path image = path(name).resolve("image");
        Files.createDirectories(image.getParent());
        run(0, "mkfs.ext4", "-q", "-b", "4096", image.toString(), IMAGE_MIB + "M");
        return image;
    }

    private MachineSpec spec(String name, DiskServer server, int sectorBytes) throws Exception {
        MachineSpec plain = TestGuest.spec(path(name), 1);
        Path initrd = path("initrd");
        if (!Files.exists(initrd)) {
            DiskGuest.initrd(initrd);
        }
        return new MachineSpec(plain.name(), plain.runtimeDir(), plain.memoryMiB(), plain.vcpus(), plain.kernel(), initrd,
                plain.kernelArguments() + " rdinit=" + DiskGuest.INIT, plain.nics(), List.of(server.attachment(sectorBytes)));
    }

    private static Path console(TestGuest guest) {
        return guest.spec.runtimeDir().resolve("console.log");
    }

    private static long rounds(TestGuest guest) throws Exception {
        return Files.readString(console(guest)).lines().filter(line -> line.contains(DiskGuest.GOOD)).count();
    }

    private static void awaitRounds(TestGuest guest, long more) throws Exception {
        long target = rounds(guest) + more;
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
        while (rounds(guest) < target) {
            assertTrue("the guest does not go on: " + Files.readString(console(guest)), System.nanoTime() < deadline);
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    private static void assertNoComplaint(TestGuest guest) throws Exception {
        String said = Files.readString(console(guest));
        assertFalse(said, COMPLAINT.matcher(said).find());
    }

    private static void copyContent(Path from, Path to) throws Exception {
        try (FileChannel in = FileChannel.open(from, StandardOpenOption.READ);
             FileChannel out = FileChannel.open(to, StandardOpenOption.WRITE)) {
            long bytes = in.size();
            for (long at = 0; at < bytes;) {
                at += in.transferTo(at, bytes - at, out.position(at));
            }
        }
    }

    @Test
    public void shouldKeepDiskAndMemoryTogetherOverManyEpochs() throws Exception {
        cycle(QemuMachineIT.settings(MachineType.Q35), 512, 60);
    }

    @Test
    public void shouldKeepDiskAndMemoryTogetherOnMicrovmWithLargeSectors() throws Exception {
        cycle(QemuMachineIT.settings(MachineType.MICROVM), 4096, 15);
    }

    @Test
    public void shouldKeepDiskAndMemoryTogetherWithModernVirtio() throws Exception {
        Settings d = Settings.DEFAULT;
        cycle(new Settings(d.qemu(), d.accelerator(), MachineType.Q35, d.cpuModel(), false, d.extraArguments(), 0, d.ramDirectory(),
                d.diskReconnectSeconds(), d.answerMillisMin()), 512, 10);
    }

    private void cycle(Settings settings, int sectorBytes, int cycles) throws Exception {
        Timings timings = new Timings();
        try (DiskServer one = new DiskServer(newImage("a"), path("a.nbd"));
             DiskServer two = new DiskServer(newImage("b"), path("b.nbd"));
             TestGuest primary = new TestGuest(settings, spec("a", one, sectorBytes));
             TestGuest backup = new TestGuest(settings, spec("b", two, sectorBytes))) {
            primary.boot();
            awaitRounds(primary, 1);
            backup.machine.start(StartMode.AWAIT_STATE);
            PageSet all = primary.emptySet();
            all.fill();
            // On a quick host a cycle takes less time than a slow guest's round: then there are more of them.
            for (int cycle = 0; cycle <= cycles || rounds(backup) <= cycles / 6; cycle++) {
                timings.measure("stop", () -> {
                    primary.machine.stop();
                    return null;
                });
                timings.measure("backup stop", () -> {
                    backup.machine.stop();
                    return null;
                });
                PageSet dirty = primary.fetchDirty();
                dirty.addAll(backup.fetchDirty());
                backup.copyFrom(primary, cycle == 0 ? all : dirty);
                copyContent(one.image, two.image);
                ByteBuffer state = timings.measure("save", primary.machine::saveDeviceState);
                if (cycle == 0) {
                    LOG.info("state of {} bytes", state.remaining());
                }
                timings.measure("load", () -> {
                    backup.machine.loadDeviceState(state);
                    return null;
                });
                assertEquals("cycle " + cycle + ": written to a disk of a stopped guest", -1, Files.mismatch(one.image, two.image));
                backup.assertSameMemoryAs(primary, "cycle " + cycle);
                primary.machine.resume();
                backup.machine.resume();
                // Both write on, each something else; not a whole round, so that the next stop meets requests in flight.
                TimeUnit.MILLISECONDS.sleep(30 + cycle * 37 % 120);
            }
            LOG.info("{}: {} cycles, {} and {} rounds {}", settings.machineType(), cycles, rounds(primary), rounds(backup), timings);
            awaitRounds(primary, 8);
            awaitRounds(backup, 8);
            for (TestGuest guest : List.of(primary, backup)) {
                guest.awaitAnswer(0, 20);
                guest.machine.stop();
                assertNoComplaint(guest);
                assertFalse(guest.exit.isDone());
            }
            assertSound(one.image);
            assertSound(two.image);
        }
    }

    /** As after a power cut: the journal is replayed, and then nothing is wrong. */
    private void assertSound(Path image) throws Exception {
        Path copy = Files.copy(image, path("copy"), StandardCopyOption.REPLACE_EXISTING);
        run(1, "e2fsck", "-E", "journal_only", "-p", copy.toString());
        run(0, "e2fsck", "-fn", copy.toString());
    }

    @Test
    public void shouldWaitForAServerThatComesBackAndReportAnErrorOtherwise() throws Exception {
        Settings d = Settings.DEFAULT;
        Settings settings = new Settings(d.qemu(), d.accelerator(), d.machineType(), d.cpuModel(), true, d.extraArguments(), 0,
                d.ramDirectory(), 2, d.answerMillisMin());
        try (DiskServer server = new DiskServer(newImage("a"), path("a.nbd"));
             TestGuest guest = new TestGuest(settings, spec("a", server, 512))) {
            guest.boot();
            awaitRounds(guest, 1);
            server.kill();
            TimeUnit.MILLISECONDS.sleep(300);
            server.start();
            awaitRounds(guest, 5);
            assertNoComplaint(guest);

            server.kill();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (!Files.readString(console(guest)).contains("I/O error")) {
                assertTrue("the guest is told", System.nanoTime() < deadline);
                TimeUnit.MILLISECONDS.sleep(20);
            }
            guest.awaitAnswer(0, 20);
            guest.machine.stop();
        }
    }

    @Test
    public void shouldTellTheRunningGuestThatItsDiskIsLonger() throws Exception {
        long longer = 2L * IMAGE_MIB << 20;
        try (DiskServer server = new DiskServer(newImage("a"), path("a.nbd"));
             TestGuest guest = new TestGuest(QemuMachineIT.settings(MachineType.Q35), spec("a", server, 512))) {
            guest.boot();
            awaitRounds(guest, 2);
            guest.machine.stop();
            String refusal = assertThrows(MachineException.class, () -> guest.machine.resizeDisk(0, longer)).getMessage();
            assertTrue(refusal, refusal.contains("grow"));
            server.kill();
            try (FileChannel image = FileChannel.open(server.image, StandardOpenOption.WRITE)) {
                image.write(ByteBuffer.allocate(1), longer - 1);
            }
            server.start();
            guest.machine.resizeDisk(0, longer);
            guest.machine.resume();
            awaitRounds(guest, 2);
            String said = Files.readString(console(guest));
            assertTrue(said, said.contains(DiskGuest.SECTORS + ((long) IMAGE_MIB << 20) / 512));
            assertTrue(said, said.contains(DiskGuest.SECTORS + longer / 512));
            assertNoComplaint(guest);
            guest.machine.stop();
            assertSound(server.image);
        }
    }
}
