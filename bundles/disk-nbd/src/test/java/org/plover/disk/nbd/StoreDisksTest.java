package org.plover.disk.nbd;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.After;
import org.junit.Test;
import org.plover.api.disk.Disks;
import org.plover.api.disk.Standing;

/** The contract of {@link Disks}, one sentence after the other. */
public class StoreDisksTest {
    private static final int BLOCKS = 1024;

    private final List<Guest> open = new ArrayList<>();
    private final Random random = new Random(1);

    private Guest open(int disks) throws IOException {
        return kept(new Guest(Guest.images(disks, BLOCKS), disks));
    }

    private Guest kept(Guest guest) {
        open.add(guest);
        return guest;
    }

    private Guest crash(Guest guest) throws IOException {
        return kept(guest.crash(random));
    }

    @After
    public void close() {
        open.forEach(guest -> guest.disks.close());
    }

    @Test
    public void shouldReadWhatTheGuestHasWritten() throws IOException {
        Guest guest = open(2);
        guest.write(0, 3, 7);
        guest.write(1, 3, 8);
        assertEquals(7, guest.read(0, 3));
        assertEquals(8, guest.read(1, 3));
        assertEquals(0, guest.read(0, 4));
        guest.flush();
        assertEquals(7, guest.read(0, 3));
        assertEquals(8, guest.read(1, 3));
    }

    @Test
    public void shouldChangePartsOfBlocksWhereverTheyAre() throws IOException {
        Guest guest = open(1);
        Export disk = guest.disks.exports().get(0);
        byte[] model = new byte[BLOCKS * 4096];
        for (int i = 0; i < 2_000; i++) {
            int bytes = 512 * (1 + random.nextInt(random.nextInt(20) == 0 ? 60 : 10));
            int at = 512 * random.nextInt((model.length - bytes) / 512 / (1 + random.nextInt(40)));
            byte[] some = new byte[bytes];
            if (random.nextInt(6) == 0) {
                disk.flush();
            }
            if (random.nextInt(6) == 0) {
                disk.zero(at, bytes, random.nextInt(4) == 0);
            } else {
                random.nextBytes(some);
                disk.write(at, ByteBuffer.wrap(some), random.nextInt(10) == 0);
            }
            System.arraycopy(some, 0, model, at, bytes);
            int from = 512 * random.nextInt(at / 512 + 1);
            ByteBuffer now = ByteBuffer.allocateDirect(Math.min(model.length - from, at - from + bytes + 512));
            disk.read(from, now);
            byte[] got = new byte[now.flip().remaining()];
            now.get(got);
            assertArrayEquals("from " + from, Arrays.copyOfRange(model, from, from + got.length), got);
        }
        ByteBuffer all = ByteBuffer.allocate(model.length);
        disk.read(0, all);
        assertArrayEquals(model, all.array());
    }

    @Test
    public void shouldKeepWhatWasFlushed() throws IOException {
        Guest guest = open(2);
        guest.write(0, 1, 5);
        guest.write(1, 900, 6);
        guest.flush();
        guest.write(0, 1, 9);
        Guest after = crash(guest);
        assertTrue("flushed or newer", after.read(0, 1) == 5 || after.read(0, 1) == 9);
        assertEquals(6, after.read(1, 900));
    }

    @Test
    public void shouldLoseWhatWasNotSealedAndKeepWhatWasCommitted() throws IOException {
        Guest guest = open(2);
        guest.write(0, 1, 5);
        guest.write(1, 2, 6);
        guest.commit(10);
        guest.write(0, 1, 50);
        guest.write(1, 2, 60);
        guest.flush();
        Guest after = crash(guest);
        assertEquals(10, after.disks.epoch());
        assertEquals(5, after.read(0, 1));
        assertEquals(6, after.read(1, 2));
        assertEquals(Standing.WHOLE, after.disks.standing());
    }

    @Test
    public void shouldReadTheSealedContentWhileTheGuestWritesOn() throws IOException {
        Guest guest = open(1);
        guest.write(0, 1, 5);
        guest.disks.seal(1);
        guest.write(0, 1, 6);
        assertEquals(5, guest.readSealed(0, 1));
        assertEquals(6, guest.read(0, 1));
        CompletableFuture<Void> commit = guest.disks.commit(1);
        assertEquals(5, guest.readSealed(0, 1));
        commit.join();
        assertEquals(5, guest.readSealed(0, 1));
        assertEquals(6, guest.read(0, 1));
        ByteBuffer now = ByteBuffer.allocate(4096);
        guest.disks.readWritten(Disks.id(0, 1), now);
        assertEquals(6, now.getInt(0));
    }

    @Test
    public void shouldRefuseASecondSealBeforeTheCommitOfTheFirst() throws IOException {
        Guest guest = open(1);
        guest.disks.seal(1);
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> guest.disks.seal(2));
        assertTrue(e.getMessage(), e.getMessage().startsWith("S6: "));
        guest.disks.commit(1).join();
        guest.disks.seal(2);
    }

    @Test
    public void shouldPutTheStagedEpochInPlaceOfWhatTheGuestHasWritten() throws IOException {
        Guest backup = open(2);
        backup.disks.stageBegin(4);
        backup.write(0, 1, 77);
        backup.write(0, 2, 78);
        backup.write(1, 3, 79);
        assertArrayEquals(new long[] {Disks.id(0, 1), Disks.id(0, 2), Disks.id(1, 3)}, backup.disks.fetchWritten());
        backup.disks.stage(Disks.id(0, 1), Guest.block(5));
        backup.disks.stageSame(Disks.id(0, 2));
        backup.disks.stageSame(Disks.id(0, 9));
        backup.disks.stageEnd(4);
        assertEquals(4, backup.disks.epoch());
        assertEquals("not in place yet", 77, backup.read(0, 1));
        assertEquals(0, backup.readSealed(0, 1));
        backup.disks.apply(4);
        assertEquals(5, backup.read(0, 1));
        assertEquals(78, backup.read(0, 2));
        assertEquals("vanished", 0, backup.read(1, 3));
        assertEquals(0, backup.disks.fetchWritten().length);
    }

    @Test
    public void shouldCountAStagedEpochAfterACrash() throws IOException {
        Guest backup = open(2);
        backup.stage(4, 0, 1, 5);
        backup.disks.apply(4);
        backup.stage(5, 0, 1, 6);
        Guest after = crash(backup);
        assertEquals(5, after.disks.epoch());
        assertEquals(6, after.read(0, 1));
    }

    @Test
    public void shouldNotCountAnEpochThatWasNotStagedCompletely() throws IOException {
        Guest backup = open(1);
        backup.stage(4, 0, 1, 5);
        backup.disks.apply(4);
        backup.disks.stageBegin(5);
        backup.disks.stage(Disks.id(0, 1), Guest.block(6));
        Guest after = crash(backup);
        assertEquals(4, after.disks.epoch());
        assertEquals(5, after.read(0, 1));
    }

    @Test
    public void shouldDropAStagedEpochForGoodWhenAlone() throws IOException {
        Guest backup = open(1);
        backup.stage(4, 0, 1, 5);
        backup.disks.apply(4);
        backup.write(0, 2, 9);
        backup.stage(5, 0, 1, 6);
        backup.disks.alone();
        assertEquals(4, backup.disks.epoch());
        assertEquals(5, backup.read(0, 1));
        assertEquals("adopted", 9, backup.read(0, 2));
        Guest after = crash(backup);
        assertEquals(4, after.disks.epoch());
        assertEquals(5, after.read(0, 1));
        assertEquals(9, after.read(0, 2));
    }

    @Test
    public void shouldReplaceAStagedEpochByTheNextOne() throws IOException {
        Guest backup = open(1);
        backup.stage(5, 0, 1, 6);
        backup.stage(6, 0, 2, 7);
        Guest after = crash(backup);
        assertEquals(6, after.disks.epoch());
        assertEquals(0, after.read(0, 1));
        assertEquals(7, after.read(0, 2));
    }

    @Test
    public void shouldApplyOnlyWhatWasStaged() throws IOException {
        Guest backup = open(1);
        assertThrows(IllegalStateException.class, () -> backup.disks.apply(1));
        backup.stage(2, 0, 1, 6);
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> backup.disks.apply(3));
        assertTrue(e.getMessage(), e.getMessage().startsWith("S4: "));
        assertThrows(IllegalStateException.class, () -> backup.disks.seal(3));
        assertThrows(IllegalStateException.class, () -> backup.disks.stageEnd(3));
    }

    @Test
    public void shouldAnswerFlushesAtOnceUnlessAlone() throws IOException {
        Guest guest = open(1);
        guest.commit(1);
        guest.write(0, 1, 5);
        int before = guest.files.syncs();
        guest.flush();
        assertEquals(before, guest.files.syncs());
        guest.disks.alone();
        assertTrue(guest.files.syncs() > before);
        int durable = guest.files.syncs();
        guest.flush();
        guest.disks.alone();
        assertEquals("nothing to do", durable, guest.files.syncs());
        guest.write(0, 1, 6);
        guest.flush();
        assertEquals(durable + 1, guest.files.syncs());
    }

    @Test
    public void shouldMakeEverythingDurableWhenAlone() throws IOException {
        Guest guest = open(1);
        guest.write(0, 1, 5);
        guest.disks.seal(1);
        guest.write(0, 2, 6);
        guest.disks.alone();
        Guest after = crash(guest);
        assertEquals(5, after.read(0, 1));
        assertEquals(6, after.read(0, 2));
    }

    @Test
    public void shouldBePartialFromTheFirstFillToTheEndOfStaging() throws IOException {
        Guest learner = open(1);
        Disks disks = learner.disks;
        learner.write(0, 1, 5);
        learner.flush();
        learner.disks.fill(Disks.id(0, 1), Guest.block(50));
        assertEquals(Standing.PARTIAL, learner.disks.standing());
        assertThrows(IllegalStateException.class, () -> disks.seal(1));
        learner = crash(learner);
        assertEquals(Standing.PARTIAL, learner.disks.standing());
        learner.disks.fill(Disks.id(0, 1), Guest.block(51));
        learner.disks.fill(Disks.id(0, 2), Guest.block(52));
        learner.stage(9, 0, 2, 53);
        assertEquals(Standing.WHOLE, learner.disks.standing());
        learner = crash(learner);
        assertEquals(Standing.WHOLE, learner.disks.standing());
        assertEquals(9, learner.disks.epoch());
        assertEquals(51, learner.read(0, 1));
        assertEquals(53, learner.read(0, 2));
    }

    @Test
    public void shouldBePartialAgainWhenTheEpochThatCompletedItIsDropped() throws IOException {
        Guest learner = open(1);
        learner.disks.fill(Disks.id(0, 1), Guest.block(50));
        learner.stage(9, 0, 2, 53);
        learner.disks.unstage();
        assertEquals(Standing.PARTIAL, learner.disks.standing());
        learner.disks.fill(Disks.id(0, 1), Guest.block(51));
        learner = crash(learner);
        assertEquals(Standing.PARTIAL, learner.disks.standing());
        learner.stage(10, 0, 3, 54);
        learner.disks.apply(10);
        learner.disks.close();
        learner = kept(new Guest(learner.files, 1));
        assertEquals(Standing.WHOLE, learner.disks.standing());
        assertEquals("never counted", 0, learner.read(0, 2));
        assertEquals(54, learner.read(0, 3));
    }

    @Test
    public void shouldTellWrittenBlocksOnce() throws IOException {
        Guest guest = open(2);
        guest.write(1, 5, 1);
        guest.write(0, 9, 1);
        guest.write(0, 2, 1);
        guest.zero(0, 9, 1);
        assertArrayEquals(new long[] {Disks.id(0, 2), Disks.id(0, 9), Disks.id(1, 5)}, guest.disks.fetchWritten());
        assertEquals(0, guest.disks.fetchWritten().length);
        guest.flush();
        guest.zero(0, 2, 1);
        assertArrayEquals(new long[] {Disks.id(0, 2)}, guest.disks.fetchWritten());
    }

    @Test
    public void shouldFindDataInAllLayersAndSkipZeros() throws IOException {
        Guest guest = open(1);
        assertEquals(-1, guest.disks.nextData(0));
        guest.write(0, 700, 1);
        guest.flush();
        assertEquals(700, guest.disks.nextData(0));
        guest.write(0, 300, 1);
        guest.commit(1);
        assertEquals(300, guest.disks.nextData(0));
        assertEquals(700, guest.disks.nextData(301));
        guest.write(0, 5, 1);
        assertEquals("not sealed", 300, guest.disks.nextData(0));
        guest.zero(0, 300, 1);
        guest.commit(2);
        assertEquals(5, guest.disks.nextData(0));
        assertEquals(700, guest.disks.nextData(6));
        assertEquals(-1, guest.disks.nextData(701));
    }

    @Test
    public void shouldTellWhatChangedSinceTheBond() throws IOException {
        Guest guest = open(1);
        guest.write(0, 1, 1);
        guest.commit(1);
        guest.disks.bond(77);
        assertEquals(0, guest.disks.changed(0).size());
        guest.write(0, 300, 1);
        guest.commit(2);
        guest.write(0, 600, 1);
        guest.commit(3);
        assertArrayEquals(new int[] {1, 2}, guest.disks.changed(0).toArray());
        guest.disks.settle(2);
        assertArrayEquals(new int[] {2}, guest.disks.changed(0).toArray());
        guest.disks.alone();
        guest.write(0, 900, 1);
        assertArrayEquals("not flushed yet", new int[] {2, 3}, guest.disks.changed(0).toArray());
        guest.flush();
        Guest after = crash(guest);
        assertEquals(77, after.disks.bond());
        assertTrue(after.disks.changed(0).contains(2));
        assertTrue(after.disks.changed(0).contains(3));
        assertFalse("before the bond", after.disks.changed(0).contains(0));
    }

    @Test
    public void shouldNotCountABackupsOwnWritesAsChangesUntilItIsAlone() throws IOException {
        Guest backup = open(1);
        backup.stage(1, 0, 1, 5);
        backup.disks.bond(7);
        backup.disks.apply(1);
        backup.write(0, 300, 5);
        assertEquals(0, backup.disks.changed(0).size());
        backup.disks.alone();
        assertArrayEquals(new int[] {1}, backup.disks.changed(0).toArray());
    }

    @Test
    public void shouldReportAFailureOnceAndAnswerWithErrorsFromThenOn() throws IOException {
        Guest guest = open(1);
        guest.write(0, 1, 5);
        guest.files.fail(Guest.STATE.resolve("journal-0"));
        assertThrows(IOException.class, guest::flush);
        assertThrows(IOException.class, guest::flush);
        assertThrows(IOException.class, () -> guest.write(0, 2, 5));
        assertThrows(IOException.class, guest.disks::alone);
        assertEquals(guest.failures.toString(), 1, guest.failures.size());
        assertTrue(guest.failures.get(0), guest.failures.get(0).contains("journal-0"));
        assertEquals("what is in memory can be read", 5, guest.read(0, 1));
    }

    @Test
    public void shouldTakeMoreThanTheJournalHoldsInOneEpoch() throws IOException {
        Guest guest = open(2);
        guest.disks.throttle(false);
        for (int i = 0; i < BLOCKS; i++) {
            guest.write(0, i, i + 1);
            guest.write(1, i, i + 2);
        }
        guest.commit(1);
        for (int round = 0; round < 5; round++) {
            for (int i = 0; i < BLOCKS; i += 3) {
                guest.write(1, i, i + round);
            }
            guest.commit(2 + round);
        }
        Guest after = crash(guest);
        for (int i = 0; i < BLOCKS; i++) {
            assertEquals(i + 1, after.read(0, i));
            assertEquals(i % 3 == 0 ? i + 4 : i + 2, after.read(1, i));
        }
    }
}
