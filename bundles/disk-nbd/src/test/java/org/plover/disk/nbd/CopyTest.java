package org.plover.disk.nbd;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.plover.api.disk.Disks;
import org.plover.api.status.ProgressingFuture;

/** Copies of the disks that are made while the guest runs. */
public class CopyTest {
    private static final int BLOCKS = 2_000;

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private final Random random = new Random(5);
    private final int[][] content = new int[2][BLOCKS];
    private List<Path> targets;

    @Before
    public void choose() {
        targets = List.of(folder.getRoot().toPath().resolve("copy0"), folder.getRoot().toPath().resolve("copy1"));
    }

    private void writeSome(Guest guest, int value) throws IOException {
        for (int n = 0; n < 60; n++) {
            int disk = random.nextInt(2);
            int block = random.nextInt(BLOCKS - 500);
            if (n % 10 == 0) {
                guest.zero(disk, block, 1);
                content[disk][block] = 0;
            } else {
                guest.write(disk, block, value);
                content[disk][block] = value;
            }
        }
    }

    private static void requireEqual(int[] expected, Path copy) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(copy));
        assertEquals((long) BLOCKS * Disks.BLOCK_BYTES, bytes.remaining());
        for (int block = 0; block < BLOCKS; block++) {
            ByteBuffer one = bytes.slice(block * Disks.BLOCK_BYTES, Disks.BLOCK_BYTES);
            assertEquals("block " + block, Guest.block(expected[block]), one);
        }
    }

    @Test
    public void shouldBeTheEpochThatWasDurableWhenItBegan() throws Exception {
        Guest guest = new Guest(Guest.images(2, BLOCKS), 2, new StoreSettings(1 << 20, 1 << 16, 1 << 20));
        long epoch = 0;
        for (int round = 0; round < 15; round++) {
            for (int n = 0; n < 5; n++) {
                writeSome(guest, (int) ++epoch);
                guest.commit(epoch);
            }
            int[][] expected = {content[0].clone(), content[1].clone()};
            writeSome(guest, 1_000_000);
            CompletableFuture<Void> copy = guest.disks.copyTo(targets);
            for (int n = 0; n < 20 || !copy.isDone(); n++) {
                writeSome(guest, (int) ++epoch);
                guest.commit(epoch);
            }
            copy.get();
            requireEqual(expected[0], targets.get(0));
            requireEqual(expected[1], targets.get(1));
            for (Path target : targets) {
                Files.delete(target);
            }
        }
        guest.disks.close();
    }

    @Test
    public void shouldBeSparse() throws Exception {
        Guest guest = new Guest(Guest.images(2, BLOCKS), 2);
        guest.write(0, 7, 1);
        guest.flush();
        guest.disks.copyTo(targets).get();
        assertEquals((long) BLOCKS * Disks.BLOCK_BYTES, Files.size(targets.get(1)));
        Process du = new ProcessBuilder("du", "-k", targets.get(0).toString()).start();
        String used = new String(du.getInputStream().readAllBytes()).split("\\s")[0];
        assertTrue(used + " KiB", Integer.parseInt(used) <= 64);
        guest.disks.close();
    }

    @Test
    public void shouldNotTouchAFileThatIsThere() throws Exception {
        Guest guest = new Guest(Guest.images(2, BLOCKS), 2);
        Files.writeString(targets.get(1), "precious");
        assertThrows(ExecutionException.class, () -> guest.disks.copyTo(targets).get());
        assertEquals("precious", Files.readString(targets.get(1)));
        assertFalse("not completed", Files.exists(targets.get(0)));
        Files.delete(targets.get(1));
        guest.disks.copyTo(targets).get();
        guest.disks.close();
    }

    /** Keeps a copy from beginning: nobody knows yet whether the staged epoch counts. */
    private CompletableFuture<Void> copyThatWaits(Guest guest) throws Exception {
        guest.stage(1, 0, 1, 1);
        CompletableFuture<Void> copy = guest.disks.copyTo(targets);
        assertThrows("one at a time", ExecutionException.class, () -> guest.disks.copyTo(targets).get());
        assertFalse(copy.isDone());
        return copy;
    }

    @Test
    public void shouldLeaveNoFileWhenTheDisksAreClosed() throws Exception {
        Guest guest = new Guest(Guest.images(2, BLOCKS), 2);
        CompletableFuture<Void> copy = copyThatWaits(guest);
        guest.disks.close();
        ExecutionException e = assertThrows(ExecutionException.class, copy::get);
        assertTrue(e.getMessage(), e.getMessage().contains("closed"));
        assertFalse(Files.exists(targets.get(0)));
        assertFalse(Files.exists(targets.get(1)));
    }

    @Test
    public void shouldLeaveNoFileWhenItIsCancelled() throws Exception {
        Guest guest = new Guest(Guest.images(2, BLOCKS), 2);
        CompletableFuture<Void> copy = copyThatWaits(guest);
        assertTrue(copy.cancel(false));
        guest.disks.close();
        assertFalse(Files.exists(targets.get(0)));
        assertFalse(Files.exists(targets.get(1)));
    }

    @Test
    public void shouldSayHowFarItIs() throws Exception {
        Guest guest = new Guest(Guest.images(2, BLOCKS), 2);
        CompletableFuture<Void> copy = guest.disks.copyTo(targets);
        copy.get();
        assertEquals(100, ((ProgressingFuture<?>) copy).percent());
        guest.disks.close();
    }

    /** The void epoch lets the copy begin; whether it is ready before the first block is overwritten is a matter of moments. */
    @Test
    public void shouldCopyWhatWasThereOrLeaveNoFileWhenTheDisksAreOverwritten() throws Exception {
        Guest guest = new Guest(Guest.images(2, BLOCKS), 2);
        CompletableFuture<Void> copy = copyThatWaits(guest);
        guest.disks.fill(Disks.id(0, 1), Guest.block(5));
        try {
            copy.get();
            assertEquals("the moment of the copy was before everything", -1, Files.mismatch(targets.get(0), targets.get(1)));
        } catch (ExecutionException e) {
            assertTrue(e.getMessage(), e.getMessage().contains("overwritten"));
            assertFalse(Files.exists(targets.get(0)));
            assertFalse(Files.exists(targets.get(1)));
        }
        guest.disks.close();
    }
}
