package org.plover.machine.qemu;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.BufferedReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.BeforeClass;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.plover.api.machine.MachineException;
import org.plover.api.machine.MachineSpec;
import org.plover.api.machine.StartMode;
import org.plover.api.memory.GuestMemory;
import org.plover.api.memory.PageSet;
import org.plover.linux.Linux;
import org.plover.linux.Memory;
import org.plover.linux.PollSet;
import org.plover.machine.qemu.Settings.MachineType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Real guests in real QEMU. */
public class QemuMachineIT {
    private static final Logger LOG = LoggerFactory.getLogger(QemuMachineIT.class);

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    @BeforeClass
    public static void buildGuest() throws Exception {
        GuestImage.build();
    }

    private Path directory(String name) {
        return folder.getRoot().toPath().resolve(name);
    }

    static Settings settings(MachineType type) {
        Settings d = Settings.DEFAULT;
        return new Settings(d.qemu(), d.accelerator(), type, d.cpuModel(), d.legacyVirtio(), d.extraArguments(), d.nice(),
                d.ramDirectory(), d.diskReconnectSeconds(), d.answerMillisMin());
    }

    @Test
    public void shouldKeepMemoryEqualAndBackupAliveOverManyEpochs() throws Exception {
        cycle(settings(MachineType.Q35), 2, 60);
    }

    @Test
    public void shouldCycleOnMicrovm() throws Exception {
        cycle(settings(MachineType.MICROVM), 2, 20);
    }

    @Test
    public void shouldCycleOnPcWithOneVcpuAndModernVirtio() throws Exception {
        Settings d = Settings.DEFAULT;
        cycle(new Settings(d.qemu(), d.accelerator(), MachineType.PC, d.cpuModel(), false, d.extraArguments(), 5,
                d.ramDirectory(), d.diskReconnectSeconds(), d.answerMillisMin()), 1, 20);
    }

    private void cycle(Settings settings, int vcpus, int cycles) throws Exception {
        try (TestGuest primary = new TestGuest(settings, directory("a"), vcpus).boot();
             TestGuest backup = new TestGuest(settings, directory("b"), vcpus)) {
            EpochCycle cycle = new EpochCycle(primary, backup);
            cycle.synchronise();
            for (int i = 0; i < cycles; i++) {
                cycle.run(true);
            }
            primary.awaitAnswer(0, 20);
            LOG.info("{}: {}", settings.machineType(), cycle);
            assertFalse("primary", primary.exit.isDone());
            assertFalse("backup", backup.exit.isDone());
            assertTrue(primary.pingReplies.get() > 0 && backup.pingReplies.get() > 0);
        }
    }

    @Test
    public void shouldChangeRolesBetweenMachinesThatHaveBothRun() throws Exception {
        try (TestGuest one = new TestGuest(Settings.DEFAULT, directory("a"), 1).boot();
             TestGuest two = new TestGuest(Settings.DEFAULT, directory("b"), 1)) {
            EpochCycle forth = new EpochCycle(one, two);
            forth.synchronise();
            forth.run(true);
            EpochCycle back = new EpochCycle(two, one);
            back.copyEverything();
            for (int i = 0; i < 5; i++) {
                back.run(true);
            }
        }
    }

    @Test
    public void shouldNeverMissAPageThatTheGuestWrote() throws Exception {
        try (TestGuest guest = new TestGuest(Settings.DEFAULT, directory("a"), 2).boot()) {
            int pages = guest.machine.memory().pageCount();
            long bytes = (long) pages * GuestMemory.PAGE_BYTES;
            long ram = guest.machine.memory().address();
            long shadow = Linux.mapAnonymous(bytes);
            try {
                int written = 0;
                for (int round = 0; round < 15; round++) {
                    guest.machine.stop();
                    guest.fetchDirty();
                    Memory.copy(ram, shadow, bytes);
                    guest.machine.resume();
                    PageSet dirty = guest.emptySet();
                    for (int i = 0; i < 20; i++) {
                        guest.machine.inject(0, Frames.ping(TestGuest.MAC, i, 50 * i));
                        // Scans while the guest runs are where a page could slip through.
                        guest.machine.fetchDirty(dirty);
                    }
                    guest.awaitAnswer(1, 20);
                    guest.machine.stop();
                    guest.machine.fetchDirty(dirty);
                    PageSet missed = TestGuest.differing(ram, shadow, pages);
                    written += missed.size();
                    missed.removeAll(dirty);
                    assertEquals("round " + round, 0, missed.size());
                    guest.machine.resume();
                }
                assertTrue("the guest wrote something", written > 0);
            } finally {
                Linux.munmap(shadow, bytes);
            }
        }
    }

    @Test
    public void shouldReportPagesWrittenBeforeALoadAfterIt() throws Exception {
        try (TestGuest guest = new TestGuest(Settings.DEFAULT, directory("a"), 1).boot()) {
            guest.machine.stop();
            guest.fetchDirty();
            guest.machine.resume();
            guest.awaitAnswer(0, 20);
            guest.machine.stop();
            guest.machine.loadDeviceState(guest.machine.saveDeviceState());
            assertFalse("written by the guest before the load", guest.fetchDirty().isEmpty());
            assertTrue("written by nobody since", guest.fetchDirty().isEmpty());
            guest.machine.resume();
            guest.awaitAnswer(0, 20);
        }
    }

    @Test
    public void shouldSeeABusyGuestAsBusyAndAnIdleOneAsIdle() throws Exception {
        try (TestGuest guest = new TestGuest(Settings.DEFAULT, directory("a"), 2)) {
            guest.machine.start(StartMode.BOOT);
            int busiest = 0;
            for (int i = 0; i < 20; i++) {
                // The kernel boots meanwhile, which is work without a pause.
                Thread.sleep(5);
                busiest = Math.max(busiest, guest.machine.sampleActivity());
            }
            assertTrue("while booting: " + busiest, busiest > 500);
            guest.awaitAnswer(0, 120);
            guest.machine.stop();
            // The scheduler's account of a thread that was busy a moment ago lags behind by some milliseconds.
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
            while (guest.machine.sampleActivity() != 0) {
                assertTrue("a stopped guest falls quiet", System.nanoTime() < deadline);
                Thread.sleep(5);
            }
            for (int i = 0; i < 10; i++) {
                Thread.sleep(5);
                assertEquals("while stopped", 0, guest.machine.sampleActivity());
            }
        }
    }

    @Test
    public void shouldTakeUpInjectedFrames() throws Exception {
        try (TestGuest guest = new TestGuest(Settings.DEFAULT, directory("a"), 1).boot()) {
            guest.machine.stop();
            // Only to see the queue: QEMU goes on reading the socket for a moment, but holds what it cannot hand to the guest.
            int taken = 0;
            while (taken < 10_000 && guest.machine.inject(0, Frames.ping(TestGuest.MAC, taken, 1400))) {
                taken++;
            }
            assertTrue("the queue is bounded", taken < 10_000);
            assertTrue(guest.machine.pendingInputBytes() > NicLink.RING_BYTES / 2);
            guest.machine.resume();
            guest.awaitAnswer(1, 20);
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            while (guest.machine.pendingInputBytes() > 0) {
                assertTrue("the queue empties", System.nanoTime() < deadline);
                Thread.onSpinWait();
            }
            guest.awaitAnswer(0, 20);
        }
    }

    @Test
    public void shouldGiveNoFrameOfBeforeALoadToTheGuestThatWasLoaded() throws Exception {
        try (TestGuest primary = new TestGuest(Settings.DEFAULT, directory("a"), 1).boot();
             TestGuest backup = new TestGuest(Settings.DEFAULT, directory("b"), 1)) {
            EpochCycle cycle = new EpochCycle(primary, backup);
            cycle.synchronise();
            int unread = 0;
            for (int round = 0; round < 10; round++) {
                backup.awaitAnswer(0, 20);
                // More than a guest under emulation can take up before it is stopped; the primary gets none of them.
                int injected = 0;
                while (injected < 200 + round * 150 && backup.machine.inject(0, Frames.ping(TestGuest.MAC, injected, 1000))) {
                    injected++;
                }
                backup.machine.stop();
                if (backup.machine.pendingInputBytes() > 0) {
                    unread++;
                }
                assertTrue(backup.machine.awaitFrames(5000));
                primary.machine.stop();
                PageSet dirty = primary.fetchDirty();
                dirty.addAll(backup.fetchDirty());
                backup.copyFrom(primary, dirty);
                int before = backup.pingReplies.get();
                backup.machine.loadDeviceState(primary.machine.saveDeviceState());
                assertEquals(0, backup.machine.pendingInputBytes());
                primary.machine.resume();
                backup.machine.resume();
                // Frames keep their order, so that the answer to this comes after those to any left over.
                backup.awaitAnswer(0, 20);
                assertEquals("round " + round, before, backup.pingReplies.get());
            }
            assertTrue("some frames were left over: " + unread, unread > 0);
        }
    }

    @Test
    public void shouldKeepTheFramingOfAGuestThatIsStoppedWhileItsFramesAreHeldBack() throws Exception {
        MachineSpec plain = TestGuest.spec(directory("a"), 1);
        // Frames that are longer than what the kernel puts into a socket at once: only a guest with such an MTU emits them.
        MachineSpec spec = new MachineSpec(plain.name(), plain.runtimeDir(), plain.memoryMiB(), 1, plain.kernel(), plain.initrd(),
                plain.kernelArguments() + " plover.mtu=65000", plain.nics());
        try (TestGuest guest = new TestGuest(Settings.DEFAULT, spec).boot()) {
            for (int round = 0; round < 20; round++) {
                guest.gate = new CountDownLatch(1);
                for (int i = 0; i < 16; i++) {
                    guest.machine.inject(0, Frames.ping(TestGuest.MAC, i, 50_000 + 500 * round));
                }
                TimeUnit.MILLISECONDS.sleep(50 + 10 * round);
                guest.machine.stop();
                ByteBuffer state = guest.machine.saveDeviceState();
                if (round % 2 == 0) {
                    guest.machine.loadDeviceState(state);
                }
                guest.machine.resume();
                guest.gate.countDown();
                guest.awaitAnswer(0, 20);
            }
            assertTrue("the guest sent long frames", guest.pingReplies.get() > 20);
            assertFalse(guest.exit.isDone());
        }
    }

    @Test
    public void shouldLoseNothingThatWasNotTakenIfAGuestGoesOnWithoutALoad() throws Exception {
        try (TestGuest guest = new TestGuest(Settings.DEFAULT, directory("a"), 1).boot()) {
            guest.machine.stop();
            for (int i = 0; i < 100; i++) {
                assertTrue(guest.machine.inject(0, Frames.ping(TestGuest.MAC, i, 100)));
            }
            guest.machine.resume();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            while (guest.pingReplies.get() < 100) {
                assertTrue("only " + guest.pingReplies, System.nanoTime() < deadline);
                Thread.sleep(5);
            }
        }
    }

    @Test
    public void shouldRefuseToRunAfterABadStateUntilAGoodOneIsLoaded() throws Exception {
        try (TestGuest guest = new TestGuest(Settings.DEFAULT, directory("a"), 1).boot()) {
            guest.machine.stop();
            ByteBuffer saved = guest.machine.saveDeviceState();
            ByteBuffer good = ByteBuffer.allocate(saved.remaining()).put(saved).flip();
            MachineException refused = assertThrows(MachineException.class,
                    () -> guest.machine.loadDeviceState(ByteBuffer.allocate(5000)));
            assertTrue(refused.getMessage(), refused.getMessage().contains("QEMU refused the state"));
            assertThrows(MachineException.class, guest.machine::resume);
            assertFalse(guest.machine.isRunning());
            guest.machine.loadDeviceState(good);
            guest.machine.resume();
            guest.awaitAnswer(0, 20);
        }
    }

    @Test
    public void shouldNotRunBeforeAStateIsLoaded() throws Exception {
        try (TestGuest guest = new TestGuest(Settings.DEFAULT, directory("a"), 1)) {
            guest.machine.start(StartMode.AWAIT_STATE);
            MachineException e = assertThrows(MachineException.class, guest.machine::resume);
            assertTrue(e.getMessage(), e.getMessage().contains("no device state has been loaded yet"));
        }
    }

    @Test
    public void shouldConfineQemuWhileItsGuestRuns() throws Exception {
        try (TestGuest guest = new TestGuest(Settings.DEFAULT, directory("a"), 1).boot()) {
            List<String> status = Files.readAllLines(Path.of("/proc/" + qemuPid(directory("a")) + "/status"));
            assertTrue("system calls are filtered: " + status, status.contains("Seccomp:\t2"));
            assertTrue("no program can give it more rights: " + status, status.contains("NoNewPrivs:\t1"));
            assertTrue(guest.machine.isRunning());
        }
    }

    @Test
    public void shouldNoticeTheDeathOfQemuAndLeaveNothingBehind() throws Exception {
        try (TestGuest guest = new TestGuest(Settings.DEFAULT, directory("a"), 1).boot()) {
            Linux.kill(qemuPid(directory("a")), 9);
            String reason = guest.exit.get(10, TimeUnit.SECONDS);
            assertTrue(reason, reason.contains("killed by signal 9"));
            MachineException e = assertThrows(MachineException.class, guest.machine::stop);
            assertTrue(e.getMessage(), e.getMessage().contains(reason));
            assertFalse(guest.machine.isRunning());
        }
        assertEquals(List.of(), leftovers(directory("a")));
    }

    @Test
    public void shouldFailSoonIfQemuIsStoppedByASignal() throws Exception {
        try (TestGuest guest = new TestGuest(Settings.DEFAULT, directory("a"), 1).boot()) {
            Linux.kill(qemuPid(directory("a")), 19);
            MachineException e = assertThrows(MachineException.class, guest.machine::stop);
            assertTrue(e.getMessage(), e.getMessage().contains("a signal has stopped QEMU"));
            assertFalse("nobody sampled it", guest.exit.isDone());
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            while (!guest.exit.isDone()) {
                assertTrue("its activity tells", System.nanoTime() < deadline);
                guest.machine.sampleActivity();
                TimeUnit.MILLISECONDS.sleep(5);
            }
            assertTrue(guest.exit.get(), guest.exit.get().contains("a signal has stopped QEMU"));
        }
    }

    @Test
    public void shouldLeaveNothingBehindWhenClosed() throws Exception {
        TestGuest guest = new TestGuest(Settings.DEFAULT, directory("a"), 1);
        guest.machine.start(StartMode.BOOT);
        int pidfd = Linux.pidfdOpen(qemuPid(directory("a")));
        guest.close();
        guest.close();
        assertTrue("QEMU has ended", new PollSet(pidfd).await(0));
        Linux.close(pidfd);
        assertEquals(List.of(), leftovers(directory("a")));
        assertFalse("closing on purpose is no exit", guest.exit.isDone());
    }

    @Test
    public void shouldTakeQemuAndItsFilesAwayWhenTheJvmIsKilled() throws Exception {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp", System.getProperty("java.class.path"), "-Dguest.directory=" + GuestImage.DIRECTORY));
        command.addAll(List.of(DoomedAppliance.class.getName(), directory("a").toString()));
        Process appliance = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (BufferedReader out = appliance.inputReader()) {
            assertEquals("started", out.readLine());
            int pidfd = Linux.pidfdOpen(qemuPid(directory("a")));
            Linux.kill((int) appliance.pid(), 9);
            assertTrue("QEMU has ended", new PollSet(pidfd).await(10_000));
            Linux.close(pidfd);
        } finally {
            appliance.destroyForcibly().waitFor();
        }
        // The next one in the same place starts whatever is left there.
        try (TestGuest next = new TestGuest(Settings.DEFAULT, directory("a"), 1)) {
            next.machine.start(StartMode.AWAIT_STATE);
        }
        assertEquals(List.of(), leftovers(directory("a")));
    }

    @Test
    public void shouldRefuseASecondMachineInTheSameRuntimeDirectory() throws Exception {
        try (TestGuest first = new TestGuest(Settings.DEFAULT, directory("a"), 1);
             TestGuest second = new TestGuest(Settings.DEFAULT, directory("a"), 1)) {
            first.machine.start(StartMode.AWAIT_STATE);
            MachineException e = assertThrows(MachineException.class, () -> second.machine.start(StartMode.AWAIT_STATE));
            assertTrue(e.getMessage(), e.getMessage().contains("is in use by another machine"));
            first.machine.fetchDirty(first.emptySet());
        }
    }

    @Test
    public void shouldTellQemusLastWordsWhenItEndsAtOnce() throws Exception {
        Settings d = Settings.DEFAULT;
        Settings wrong = new Settings(d.qemu(), d.accelerator(), d.machineType(), d.cpuModel(), true, List.of("-device", "no-such"),
                0, d.ramDirectory(), d.diskReconnectSeconds(), d.answerMillisMin());
        try (TestGuest guest = new TestGuest(wrong, directory("a"), 1)) {
            MachineException e = assertThrows(MachineException.class, () -> guest.machine.start(StartMode.BOOT));
            assertTrue(e.getMessage(), e.getMessage().contains("'no-such' is not a valid device model name"));
            assertTrue(e.getMessage(), e.getMessage().contains("exit status 1"));
        }
        assertEquals(List.of(), leftovers(directory("a")));
    }

    @Test
    public void shouldFindNothingWrongWithAHostThatRunsGuests() {
        MachineSpec spec = TestGuest.spec(directory("a"), 1);
        assertEquals(List.of(), QemuMachineProvider.with(Settings.DEFAULT).preflight(spec).stream()
                .filter(f -> f.level() == org.plover.api.health.Finding.Level.ERROR).toList());
    }

    /** The process whose command line names this runtime directory. */
    private static int qemuPid(Path runtimeDirectory) throws Exception {
        try (Stream<ProcessHandle> all = ProcessHandle.allProcesses()) {
            List<Long> pids = all.map(ProcessHandle::pid).filter(pid -> isQemu(pid, runtimeDirectory)).toList();
            assertEquals("processes", 1, pids.size());
            return pids.get(0).intValue();
        }
    }

    private static boolean isQemu(long pid, Path runtimeDirectory) {
        try {
            String arguments = Files.readString(Path.of("/proc/" + pid + "/cmdline"), StandardCharsets.ISO_8859_1);
            return arguments.split("\0")[0].contains("qemu-system") && arguments.contains(runtimeDirectory + "/qmp");
        } catch (java.io.IOException gone) {
            return false;
        }
    }

    private static List<String> leftovers(Path runtimeDirectory) throws Exception {
        Path scratch = CommandLine.Files.of(TestGuest.spec(runtimeDirectory, 1), Settings.DEFAULT.ramDirectory()).scratch();
        List<String> left = new ArrayList<>();
        if (Files.exists(scratch)) {
            left.add(scratch.toString());
        }
        try (Stream<Path> files = Files.list(runtimeDirectory)) {
            left.addAll(files.map(p -> p.getFileName().toString())
                    .filter(n -> n.equals("qmp") || n.startsWith("nic")).collect(Collectors.toList()));
        }
        return left;
    }
}
