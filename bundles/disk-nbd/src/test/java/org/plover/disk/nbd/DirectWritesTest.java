package org.plover.disk.nbd;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.plover.api.disk.Disks;

/** Long writes of a guest without a backup. {@link DisksModelTest} has what a crash leaves of them. */
public class DirectWritesTest {
    private static final int BLOCKS = 2_000;
    private static final int LONG = DirectWrites.BYTES_MIN / Disks.BLOCK_BYTES;

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private static int inImage(Guest guest, int disk, int block) {
        return ByteBuffer.wrap(guest.files.bytesOf(Guest.image(disk))).getInt(block * Disks.BLOCK_BYTES);
    }

    @Test
    public void shouldGoIntoTheImageAtOnce() throws IOException {
        Guest guest = new Guest(Guest.images(2, BLOCKS), 2);
        guest.writeLong(1, 250, LONG, 7);
        for (int i = 0; i < LONG; i++) {
            assertEquals(7 + i, inImage(guest, 1, 250 + i));
            assertEquals(7 + i, guest.read(1, 250 + i));
        }
        assertEquals(0, guest.disks.unsealedBytes());
        assertEquals("blocks told", LONG, guest.disks.fetchWritten().length);
        guest.disks.close();
    }

    @Test
    public void shouldLeaveShortOnesToTheJournal() throws IOException {
        Guest guest = new Guest(Guest.images(1, BLOCKS), 1);
        guest.writeLong(0, 3, LONG - 1, 7);
        guest.flush();
        assertEquals(0, inImage(guest, 0, 3));
        guest.disks.close();
    }

    @Test
    public void shouldStayAboveWhatTheJournalHas() throws IOException {
        Guest guest = new Guest(Guest.images(1, BLOCKS), 1);
        guest.write(0, 5, 1);
        guest.flush();
        guest.writeLong(0, 0, LONG, 7);
        assertEquals("nothing lies over it", 10, inImage(guest, 0, 3));
        assertEquals("the journal would put its own over it", 0, inImage(guest, 0, 5));
        assertEquals(12, guest.read(0, 5));
        guest.flush();
        Guest after = guest.crash(new Random(1));
        for (int i = 0; i < LONG; i++) {
            assertEquals(7 + i, after.read(0, i));
        }
        after.disks.close();
    }

    @Test
    public void shouldNotGoIntoTheImageWhileThereIsABackup() throws IOException {
        Guest guest = new Guest(Guest.images(1, BLOCKS), 1);
        guest.commit(1);
        guest.writeLong(0, 0, LONG, 7);
        assertEquals(0, inImage(guest, 0, 0));
        guest.disks.alone();
        guest.writeLong(0, 100, LONG, 9);
        assertEquals(9, inImage(guest, 0, 100));
        guest.disks.close();
    }

    @Test
    public void shouldNotGetIntoACopyThatHasBegun() throws Exception {
        Guest guest = new Guest(Guest.images(1, BLOCKS), 1);
        // Keeps the copy from its end: nobody knows yet whether the staged epoch counts.
        guest.stage(1, 0, 1, 1);
        Path target = folder.getRoot().toPath().resolve("copy");
        CompletableFuture<Void> copy = guest.disks.copyTo(List.of(target));
        guest.disks.alone();
        guest.writeLong(0, 0, LONG, 7);
        copy.get();
        assertEquals(0, ByteBuffer.wrap(Files.readAllBytes(target)).getInt(0));
        guest.writeLong(0, 100, LONG, 9);
        assertEquals("afterwards", 9, inImage(guest, 0, 100));
        guest.disks.close();
    }

    @Test
    public void shouldHaveTheJournalEmptiedWhenItIsInTheWay() throws Exception {
        Guest guest = new Guest(Guest.images(1, BLOCKS), 1, new StoreSettings(64 << 20, 32 << 20, 1 << 20));
        for (int block = 0; block < 1_500; block++) {
            guest.write(0, block, 1);
        }
        guest.flush();
        guest.writeLong(0, 0, 1_500, 7);
        for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60); inImage(guest, 0, 0) != 7; ) {
            assertTrue("the journal is not emptied", System.nanoTime() < end);
            Thread.sleep(5);
        }
        guest.disks.close();
    }

    @Test
    public void shouldNotBeTakenForDurableBeforeASyncThatHasBegunEnds() throws Exception {
        MemoryFiles files = Guest.images(1, BLOCKS);
        Image image = new Image(files.openImage(Guest.spec(1).disks().get(0), Guest.STATE.resolve("raw-0")), 512, false);
        image.writeDirectly(0, Guest.block(7));
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        files.beforeSync(Guest.image(0), () -> {
            begun.countDown();
            end.await();
            return null;
        });
        CompletableFuture<Void> checkpoint = inBackground(image::sync);
        begun.await();
        CompletableFuture<Void> flush = inBackground(image::syncDirectWrites);
        Thread.sleep(50);
        assertFalse(flush.isDone());
        end.countDown();
        checkpoint.get();
        flush.get();
        assertEquals(1, files.syncs());
        image.syncDirectWrites();
        assertEquals("nothing to do", 1, files.syncs());
    }

    private interface Work {
        void run() throws IOException;
    }

    private static CompletableFuture<Void> inBackground(Work work) {
        return CompletableFuture.runAsync(() -> {
            try {
                work.run();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }, task -> new Thread(task).start());
    }
}
