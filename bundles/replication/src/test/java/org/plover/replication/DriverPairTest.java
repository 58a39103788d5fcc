package org.plover.replication;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.RandomAccessFile;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.plover.api.disk.DiskSpec;
import org.plover.api.disk.DisksSpec;
import org.plover.api.hasher.PageHasher;
import org.plover.api.hasher.PageHasherProvider;
import org.plover.api.machine.Machine;
import org.plover.api.machine.MachineProvider;
import org.plover.api.machine.MachineSpec;
import org.plover.api.memory.GuestMemory;
import org.plover.api.memory.PageSet;
import org.plover.api.transport.Transport;
import org.plover.disk.nbd.BareDisks;
import org.plover.linux.Linux;
import org.plover.linux.Memory;
import org.plover.replication.core.Guest;
import org.plover.replication.core.GuestEvents;

/**
 * Two drivers with the real store of disks and machines of memory alone, joined by a wire in memory. The test says what the core
 * would say.
 */
public class DriverPairTest {
    private static final int PAGES = 64;
    private static final long VIEW = 5;
    private static final int DISK_BYTES = 5 << 20;
    private static final String HASHER = "test";

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private final Random random = new Random(4);
    private Side alpha;
    private Side beta;
    private long epoch;
    private long session = 100;

    private record Ram(long address, int pageCount) implements GuestMemory {
    }

    /** A replica's guest: memory, disks, driver, and what it reported. */
    private final class Side {
        final String name;
        final BareDisks disks = new BareDisks();
        final Map<String, BlockingQueue<Object[]>> events = new ConcurrentHashMap<>();
        final Map<Integer, Boolean> dirty = new ConcurrentHashMap<>();
        final Hashers hashers = new Hashers();
        final long ram;
        GuestDriver driver;
        Side other;
        volatile boolean connected = true;

        Side(String name) throws Exception {
            this.name = name;
            ram = Linux.mapAnonymous((long) PAGES * GuestMemory.PAGE_BYTES);
            hashers.add(new SumProvider());
            for (int disk = 0; disk < 2; disk++) {
                try (RandomAccessFile image = new RandomAccessFile(image(disk).toFile(), "rw")) {
                    image.setLength(DISK_BYTES);
                }
            }
        }

        Path image(int disk) {
            return folder.getRoot().toPath().resolve(name + disk);
        }

        void open(Side peer) throws Exception {
            other = peer;
            DisksSpec spec = new DisksSpec("vm", folder.getRoot().toPath().resolve(name + "-state"), folder.getRoot().toPath(),
                    List.of(new DiskSpec(image(0), 512, false), new DiskSpec(image(1), 512, false)));
            MachineSpec machine = new MachineSpec("vm", Path.of("run"), 1, 1, Path.of("kernel"), null, "", List.of());
            MachineProvider machines = fake(MachineProvider.class, (method, a) -> machine());
            Transport transport = fake(Transport.class, (method, a) -> switch (method) {
                case "isConnected" -> connected;
                case "send" -> connected && deliver((ByteBuffer[]) a[2]);
                default -> null;
            });
            GuestEvents recorder = fake(GuestEvents.class, (method, a) -> {
                eventsOf(method).add(a);
                return null;
            });
            driver = new GuestDriver(new GuestDriver.Hardware(machines, machine, disks, spec, () -> 0), hashers, () -> transport,
                    new NoNetwork(recorder, 1));
        }

        private Machine machine() {
            return fake(Machine.class, (method, a) -> switch (method) {
                case "memory" -> new Ram(ram, PAGES);
                case "saveDeviceState" -> ByteBuffer.allocate(4);
                case "awaitFrames" -> true;
                case "fetchDirty" -> {
                    dirty.keySet().forEach(((PageSet) a[0])::add);
                    dirty.clear();
                    yield null;
                }
                case "pendingInputBytes" -> 0L;
                case "sampleActivity" -> 0;
                default -> null;
            });
        }

        private boolean deliver(ByteBuffer[] parts) {
            ByteBuffer copy = ByteBuffer.allocate(parts[0].remaining()).put(parts[0]).flip();
            other.driver.receiver().onMessage(copy);
            return true;
        }

        /** Waits for the next event of this name; those of other names keep waiting for whoever asks for them. */
        Object[] next(String expected) throws InterruptedException {
            Object[] arguments = eventsOf(expected).poll(10, TimeUnit.SECONDS);
            assertTrue(name + " has not reported " + expected + ", but failed: " + eventsOf("onGuestFailed").stream().map(Arrays::toString).toList(),
                    arguments != null);
            return expected.equals("onPrecopied") && (int) arguments[0] < 100 ? next(expected) : arguments;
        }

        private BlockingQueue<Object[]> eventsOf(String event) {
            return events.computeIfAbsent(event, any -> new LinkedBlockingQueue<>());
        }

        void write(int disk, int block, int seed) throws Exception {
            byte[] content = new byte[4096];
            new Random(seed).nextBytes(content);
            disks.write(disk, block * 4096L, content);
        }

        byte[] content(int disk) throws Exception {
            return disks.read(disk, 0, DISK_BYTES);
        }
    }

    private static <T> T fake(Class<T> type, Answer answer) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
                (proxy, method, a) -> answer.to(method.getName(), a)));
    }

    private interface Answer {
        Object to(String method, Object[] arguments) throws Throwable;
    }

    /** Sums that are good enough to tell random blocks apart. */
    private static final class SumProvider implements PageHasherProvider {
        @Override
        public String id() {
            return HASHER;
        }

        @Override
        public PageHasher create(byte[] secret) {
            return new PageHasher() {
                @Override
                public void digest(long base, int[] pages, int from, int to, long[] digests) {
                    ByteBuffer page = ByteBuffer.allocate(4096);
                    for (int i = from; i < to; i++) {
                        Memory.get(base + pages[i] * 4096L, page.clear(), 4096);
                        digests[2 * i] = Arrays.hashCode(page.array());
                        digests[2 * i + 1] = secret[0];
                    }
                }

                @Override
                public void close() {
                }
            };
        }
    }

    @Before
    public void setUp() throws Exception {
        alpha = new Side("alpha");
        beta = new Side("beta");
        alpha.open(beta);
        beta.open(alpha);
        alpha.driver.boot();
        alpha.next("onReady");
    }

    @After
    public void tearDown() throws Exception {
        for (Side side : List.of(alpha, beta)) {
            side.driver.close();
            side.hashers.close();
            Linux.munmap(side.ram, (long) PAGES * GuestMemory.PAGE_BYTES);
        }
    }

    /** As {@code Join} and {@code Learner} do it. Returns what was sent at its end. */
    private void join(Side primary, Side learner) throws Exception {
        learner.driver.destroy();
        learner.driver.prepare();
        byte[] offer = (byte[]) learner.next("onReady")[0];
        session++;
        learner.driver.expect(session);
        primary.driver.precopy(new Guest.Precopy(VIEW, session, 1, new byte[32], HASHER, offer));
        primary.next("onPrecopied");
        epoch++;
        primary.driver.capture(new Guest.Capture(epoch, epoch, true, false, false, HASHER));
        primary.next("onCaptured");
        primary.driver.finishCapture(epoch, null);
        primary.next("onResumed");
        primary.driver.transfer(VIEW, epoch, 1, null, -1);
        learner.next("onStaged");
        learner.driver.apply(epoch);
        learner.next("onApplied");
        primary.next("onTransferred");
        primary.driver.acknowledged(epoch, true);
        learner.driver.resume();
    }

    private GuestEvents.Transferred epoch(Side primary, Side backup, long compareFrom) throws Exception {
        send(primary, backup, compareFrom);
        backup.driver.apply(epoch);
        GuestEvents.Transferred sent = (GuestEvents.Transferred) primary.next("onTransferred")[1];
        if (compareFrom < 0) {
            backup.next("onApplied");
        }
        primary.driver.acknowledged(epoch, false);
        backup.driver.resume();
        return sent;
    }

    /** Until the backup has staged the epoch. */
    private void send(Side primary, Side backup, long compareFrom) throws Exception {
        epoch++;
        primary.driver.capture(new Guest.Capture(epoch, epoch, false, false, false, HASHER));
        backup.driver.captureBackup(VIEW, epoch, 0, HASHER);
        backup.next("onBackupCaptured");
        primary.next("onCaptured");
        PageSet theirs = (PageSet) primary.next("onPeerDirty")[2];
        primary.driver.finishCapture(epoch, theirs);
        long[] digests = (long[]) primary.next("onPeerDigests")[2];
        primary.next("onResumed");
        primary.driver.transfer(VIEW, epoch, 1, digests, compareFrom);
        backup.next("onStaged");
    }

    private void assertDisksEqual() throws Exception {
        for (int disk = 0; disk < 2; disk++) {
            assertArrayEquals("disk " + disk, alpha.content(disk), beta.content(disk));
        }
    }

    @Test
    public void shouldBringAFreshBackupsDisksToThePrimarysContent() throws Exception {
        for (int i = 0; i < 200; i++) {
            alpha.write(i % 2, random.nextInt(DISK_BYTES / 4096), i);
        }
        alpha.disks.flush(0);
        alpha.write(1, 7, 4711); // not flushed
        join(alpha, beta);
        assertDisksEqual();
    }

    @Test
    public void shouldSendOnlyBlocksThatBothGuestsHaveNotWrittenAlike() throws Exception {
        join(alpha, beta);
        for (Side side : List.of(alpha, beta)) {
            side.write(0, 1, 11);
            side.write(1, 1, 12);
        }
        alpha.write(0, 2, 21);
        beta.write(0, 2, 22);
        alpha.write(0, 3, 31);
        beta.write(0, 4, 41); // speculation: must vanish
        GuestEvents.Transferred sent = epoch(alpha, beta, -1);
        assertEquals(4, sent.diskBlocks());
        assertEquals(2, sent.sameBlocks());
        assertDisksEqual();
        assertArrayEquals(new byte[4096], beta.disks.read(0, 4 * 4096, 4096));
    }

    @Test
    public void shouldKeepDisksEqualOverManyEpochsOfWrites() throws Exception {
        join(alpha, beta);
        for (int round = 0; round < 60; round++) {
            for (int i = 0; i < 20; i++) {
                int block = random.nextInt(DISK_BYTES / 4096);
                int seed = random.nextInt();
                alpha.write(i % 2, block, seed);
                beta.write(i % 2, random.nextBoolean() ? block : random.nextInt(DISK_BYTES / 4096), random.nextInt(3) == 0 ? seed + 1 : seed);
            }
            epoch(alpha, beta, -1);
            assertDisksEqual();
        }
    }

    @Test
    public void shouldFindADifferenceByComparingSlices() throws Exception {
        join(alpha, beta);
        long next = epoch(alpha, beta, 0).comparedTo();
        assertEquals("both disks fit into one slice", -1, next);
        Object[] compared = beta.next("onDisksCompared");
        assertEquals(2 * DISK_BYTES / 4096, compared[1]);
        assertEquals(0, compared[2]);
        beta.next("onApplied");
        // What must never happen: the store is changed behind the protocol's back.
        beta.disks.opened.stageBegin(epoch + 1);
        byte[] other = new byte[4096];
        random.nextBytes(other);
        beta.disks.opened.stage(3, ByteBuffer.wrap(other));
        beta.disks.opened.stageEnd(epoch + 1);
        beta.disks.opened.apply(epoch + 1);
        epoch++;
        epoch(alpha, beta, 0);
        compared = beta.next("onDisksCompared");
        assertEquals(1, compared[2]);
        assertEquals(List.of(3L), compared[3]);
    }

    @Test
    public void shouldGoOnWithItsOwnWritesIfThePrimaryDiesBeforeAnEpochIsComplete() throws Exception {
        join(alpha, beta);
        alpha.write(0, 1, 1);
        beta.write(0, 1, 2);
        send(alpha, beta, -1);
        beta.driver.dropStaged();
        beta.driver.resume();
        beta.driver.alone(1);
        beta.next("onSettled");
        byte[] own = new byte[4096];
        new Random(2).nextBytes(own);
        assertArrayEquals(own, beta.disks.read(0, 4096, 4096));
        // After a loss of power it is still there, and not the epoch that never counted.
        beta.driver.destroy();
        beta.driver.boot();
        beta.next("onReady");
        assertArrayEquals(own, beta.disks.read(0, 4096, 4096));
    }

    @Test
    public void shouldRefuseAnEpochThatArrivesAfterTheDisksHaveBecomeThisReplicasOwn() throws Exception {
        join(alpha, beta);
        alpha.write(0, 1, 1);
        epoch++;
        alpha.driver.capture(new Guest.Capture(epoch, epoch, false, false, false, HASHER));
        beta.driver.captureBackup(VIEW, epoch, 0, HASHER);
        beta.next("onBackupCaptured");
        alpha.driver.finishCapture(epoch, new PageSet(PAGES));
        alpha.next("onResumed");
        beta.driver.resume();
        beta.driver.alone(1);
        beta.next("onSettled");
        alpha.driver.transfer(VIEW, epoch, 1, null, -1);
        alpha.next("onTransferred");
        beta.driver.destroy();
        beta.driver.boot();
        Object[] ready = beta.next("onReady");
        assertTrue(ready.length > 0);
        assertArrayEquals("the epoch of the old primary became part of the disk", new byte[4096], beta.disks.read(0, 4096, 4096));
    }

    @Test
    public void shouldComeBackWithWhatHasChangedOnly() throws Exception {
        join(alpha, beta);
        for (int i = 0; i < 50; i++) {
            alpha.write(0, i, i);
        }
        epoch(alpha, beta, -1);
        beta.driver.destroy();
        alpha.driver.alone(1);
        alpha.next("onSettled");
        alpha.write(1, 900, 1);
        alpha.disks.flush(1);
        beta.driver.prepare();
        Offer offer = Offer.decode((byte[]) beta.next("onReady")[0]);
        long[] chunks = new GuestDisks(alpha.disks.opened, alpha.hashers).chunksToCompare(offer);
        assertTrue(chunks.length + " chunks are compared", chunks.length >= 1 && chunks.length <= 3);
        join(alpha, beta);
        assertDisksEqual();
    }
}
