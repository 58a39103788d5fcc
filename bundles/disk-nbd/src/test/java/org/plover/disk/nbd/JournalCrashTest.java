package org.plover.disk.nbd;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.Test;
import org.plover.api.disk.Disks;

/** What is made of a journal that a crash or a bad disk has left. */
public class JournalCrashTest {
    private static final int BLOCKS = 64;
    private static final Path SEGMENT = Guest.STATE.resolve("journal-0");

    /** Nothing is lost that was written, synced or not. */
    private static MemoryFiles copyOf(MemoryFiles files) {
        return files.crash(new Random() {
            private static final long serialVersionUID = 1L;

            @Override
            public int nextInt(int bound) {
                return bound == 4 ? 0 : bound - 1;
            }
        });
    }

    private static Guest epochs(int count) throws IOException {
        Guest guest = new Guest(Guest.images(2, BLOCKS), 2, new StoreSettings(1 << 20, 1 << 16, 1 << 20));
        for (int epoch = 1; epoch <= count; epoch++) {
            guest.write(0, 1, epoch);
            guest.write(1, 2, epoch);
            guest.commit(epoch);
        }
        return guest;
    }

    private static long epochIn(MemoryFiles files) throws IOException {
        Guest guest = new Guest(files, 2, new StoreSettings(1 << 20, 1 << 16, 1 << 20));
        try {
            assertEquals("both disks are of one epoch", guest.disks.epoch(), guest.read(0, 1));
            assertEquals("both disks are of one epoch", guest.disks.epoch(), guest.read(1, 2));
            return guest.disks.epoch();
        } finally {
            guest.disks.close(false);
        }
    }

    @Test
    public void shouldHaveTheEpochBeforeIfAnyByteOfTheLastOneIsWrong() throws IOException {
        Guest guest = epochs(2);
        MemoryFiles left = copyOf(guest.files);
        guest.disks.close(false);
        byte[] journal = left.bytesOf(SEGMENT);
        // A header and two blocks of content each.
        int second = 3 * Disks.BLOCK_BYTES;
        int unused = 0;
        for (int at = second; at < 2 * second; at += at < second + 128 ? 1 : 61) {
            byte[] damaged = journal.clone();
            damaged[at] ^= 0x40;
            MemoryFiles files = copyOf(left);
            files.overwrite(SEGMENT, damaged);
            long epoch = epochIn(files);
            boolean fillsTheHeader = at >= second + 96 && at < second + Disks.BLOCK_BYTES;
            if (epoch == 2) {
                assertTrue("byte " + (at - second) + " does not matter", fillsTheHeader);
                unused++;
            } else {
                assertEquals(1, epoch);
            }
        }
        assertTrue("the rest of the header's block has no meaning", unused > 0);
    }

    @Test
    public void shouldHaveTheEpochBeforeWhereverTheLastOneWasCut() throws IOException {
        Guest guest = epochs(2);
        MemoryFiles left = copyOf(guest.files);
        guest.disks.close(false);
        byte[] journal = left.bytesOf(SEGMENT);
        int second = 3 * Disks.BLOCK_BYTES;
        for (int cut = second; cut <= 2 * second; cut += 512) {
            byte[] torn = journal.clone();
            Arrays.fill(torn, cut, torn.length, (byte) 0);
            MemoryFiles files = copyOf(left);
            files.overwrite(SEGMENT, torn);
            assertEquals("cut at " + cut, cut == 2 * second ? 2 : 1, epochIn(files));
        }
    }

    @Test
    public void shouldRefuseAJournalThatIsDamagedBeforeItsEnd() throws IOException {
        Guest guest = epochs(3);
        MemoryFiles left = copyOf(guest.files);
        guest.disks.close(false);
        for (int at : new int[] {0, 20, 30, 80, Disks.BLOCK_BYTES + 5, 3 * Disks.BLOCK_BYTES, 5 * Disks.BLOCK_BYTES}) {
            byte[] damaged = left.bytesOf(SEGMENT);
            damaged[at] ^= 1;
            MemoryFiles files = copyOf(left);
            files.overwrite(SEGMENT, damaged);
            IOException e = assertThrows("byte " + at, IOException.class, () -> epochIn(files));
            assertTrue(e.getMessage(), e.getMessage().contains("damaged or missing although"));
        }
    }

    @Test
    public void shouldRefuseAJournalThatVanished() throws IOException {
        Guest guest = epochs(2);
        guest.disks.bond(5);
        MemoryFiles left = copyOf(guest.files);
        guest.disks.close(false);
        left.delete(SEGMENT);
        IOException e = assertThrows(IOException.class, () -> epochIn(left));
        assertTrue(e.getMessage(), e.getMessage().contains("it had been made durable"));
    }

    @Test
    public void shouldRefuseAJournalWithoutItsState() throws IOException {
        Guest guest = epochs(2);
        MemoryFiles left = copyOf(guest.files);
        guest.disks.close(false);
        byte[] state = left.load(Guest.STATE.resolve(Meta.FILE));
        left.replace(Guest.STATE.resolve(Meta.FILE), null);
        IOException missing = assertThrows(IOException.class, () -> epochIn(left));
        assertTrue(missing.getMessage(), missing.getMessage().contains("is missing"));
        for (int at = 0; at < state.length; at++) {
            byte[] damaged = state.clone();
            damaged[at] ^= 1;
            left.replace(Guest.STATE.resolve(Meta.FILE), damaged);
            IOException e = assertThrows("byte " + at, IOException.class, () -> epochIn(left));
            assertTrue(e.getMessage(), e.getMessage().contains("not a usable record"));
        }
    }

    @Test
    public void shouldNotTakeWhatAGuestWroteForARecord() throws IOException {
        Guest guest = epochs(1);
        byte[] record = Arrays.copyOf(copyOf(guest.files).bytesOf(SEGMENT), Disks.BLOCK_BYTES);
        // A guest that runs an appliance of its own: the same but for whose journal it is.
        for (int i = 16; i < 24; i++) {
            record[i] ^= 0x55;
        }
        guest.disks.exports().get(0).write(5 * Disks.BLOCK_BYTES, java.nio.ByteBuffer.wrap(record), false);
        guest.commit(2);
        MemoryFiles left = copyOf(guest.files);
        guest.disks.close(false);
        Guest after = new Guest(left, 2, new StoreSettings(1 << 20, 1 << 16, 1 << 20));
        assertEquals(2, after.disks.epoch());
        after.disks.close();
    }

    @Test
    public void shouldReplayAgainAfterACrashDuringTheReplay() throws IOException {
        Random random = new Random(3);
        for (int round = 0; round < 30; round++) {
            Guest guest = epochs(5);
            MemoryFiles left = copyOf(guest.files);
            guest.disks.close(false);
            left.fail(Guest.STATE.resolve(Meta.FILE));
            MemoryFiles interrupted = left;
            assertThrows(IOException.class, () -> epochIn(interrupted));
            left = left.crash(random);
            assertEquals(5, epochIn(left));
        }
    }

    @Test
    public void shouldNotReadTheJournalOfDisksThatWereClosed() throws IOException {
        Guest guest = epochs(5);
        guest.disks.close();
        MemoryFiles files = copyOf(guest.files);
        assertEquals(5, epochIn(files));
        assertEquals(0, files.bytesRead(SEGMENT));
        files = copyOf(guest.files);
        byte[] journal = files.bytesOf(SEGMENT);
        Arrays.fill(journal, (byte) 0x55);
        files.overwrite(SEGMENT, journal);
        assertEquals("nothing in it counted any more", 5, epochIn(files));
    }

    @Test
    public void shouldReadItAgainAfterTheFirstOpeningThatWasNotClosed() throws IOException {
        Guest guest = epochs(2);
        guest.disks.close();
        Guest again = new Guest(guest.files, 2, new StoreSettings(1 << 20, 1 << 16, 1 << 20));
        again.write(0, 1, 3);
        again.write(1, 2, 3);
        again.commit(3);
        MemoryFiles left = copyOf(again.files);
        again.disks.close(false);
        assertEquals(3, epochIn(left));
        assertTrue(left.bytesRead(SEGMENT) > 0);
        MemoryFiles damaged = copyOf(again.files);
        byte[] journal = damaged.bytesOf(SEGMENT);
        journal[Disks.BLOCK_BYTES + 5] ^= 1;
        damaged.overwrite(SEGMENT, journal);
        assertEquals("as of the end of the one before", 2, epochIn(damaged));
    }

    @Test
    public void shouldKeepAnEpochThatWasStagedAndNotAppliedWhenItIsClosed() throws IOException {
        Guest guest = epochs(2);
        guest.disks.stageBegin(3);
        guest.disks.stage(Disks.id(0, 1), Guest.block(3));
        guest.disks.stage(Disks.id(1, 2), Guest.block(3));
        guest.disks.stageEnd(3);
        guest.disks.close();
        assertEquals("it may have been acknowledged", 3, epochIn(copyOf(guest.files)));
    }

    @Test
    public void shouldNotBelieveThatItWasClosedIfThatWasNotWrittenToTheEnd() throws IOException {
        Guest guest = epochs(3);
        guest.files.fail(Guest.STATE.resolve(Meta.FILE));
        guest.disks.close();
        MemoryFiles left = copyOf(guest.files);
        assertEquals(3, epochIn(left));
        assertTrue(left.bytesRead(SEGMENT) > 0);
    }
}
