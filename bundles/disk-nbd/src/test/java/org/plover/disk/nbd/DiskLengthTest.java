package org.plover.disk.nbd;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.Test;
import org.plover.api.disk.Disks;
import org.plover.api.disk.Standing;

/** Disks that become longer, and images that are longer than their disks. */
public class DiskLengthTest {
    private static final int BLOCKS = 300;
    private static final int LONGER_BLOCKS = 900;
    private static final long BYTES = (long) BLOCKS * Disks.BLOCK_BYTES;
    private static final long LONGER = (long) LONGER_BLOCKS * Disks.BLOCK_BYTES;

    private static Guest guest(MemoryFiles files) throws IOException {
        return new Guest(files, 2);
    }

    /** An image that somebody has made longer, and not by zeros. */
    private static void lengthen(MemoryFiles files, int disk) {
        byte[] longer = Arrays.copyOf(files.bytesOf(Guest.image(disk)), (int) LONGER);
        Arrays.fill(longer, (int) BYTES, longer.length, (byte) 0x55);
        files.overwrite(Guest.image(disk), longer);
    }

    private static void grow(Guest guest, int disk) throws IOException {
        assertEquals("", guest.disks.makeRoom(disk, LONGER).join());
        guest.disks.resize(disk, LONGER);
    }

    @Test
    public void shouldNotShowWhatAnImageHasPastTheEndOfItsDisk() throws IOException {
        Guest guest = guest(Guest.images(2, BLOCKS));
        guest.disks.close();
        lengthen(guest.files, 1);
        Guest again = guest(guest.files);
        assertEquals(BYTES, again.disks.bytes(1));
        assertEquals(-1, again.disks.nextData(Disks.id(1, 0)));
        assertThrows(IllegalArgumentException.class, () -> again.write(1, BLOCKS, 1));
        ByteBuffer past = ByteBuffer.allocate(2 * Disks.BLOCK_BYTES);
        again.disks.read(Disks.id(1, BLOCKS - 1), 2, past);
        assertArrayOfZeros(past.array());
        again.disks.close();
    }

    private static void assertArrayOfZeros(byte[] bytes) {
        assertTrue(Arrays.equals(bytes, new byte[bytes.length]));
    }

    @Test
    public void shouldGrowByZerosWhateverTheImageHeldThere() throws IOException {
        Guest guest = guest(Guest.images(2, BLOCKS));
        guest.write(1, BLOCKS - 1, 4);
        lengthen(guest.files, 1);
        guest.commit(1);
        guest.disks.bond(9);
        grow(guest, 1);
        assertEquals(BYTES, guest.disks.bytes(0));
        assertEquals(LONGER, guest.disks.bytes(1));
        assertEquals(LONGER, guest.disks.exports().get(1).bytes());
        assertEquals(4, guest.read(1, BLOCKS - 1));
        for (int block = BLOCKS; block < LONGER_BLOCKS; block++) {
            assertEquals("block " + block, 0, guest.read(1, block));
        }
        guest.write(1, LONGER_BLOCKS - 1, 5);
        assertEquals("both sides have zeros there", 0, guest.disks.changed(1).size());
        guest.commit(2);
        assertTrue(guest.disks.changed(1).contains((LONGER_BLOCKS - 1) / Disks.CHUNK_BLOCKS));
        guest.disks.close();
        Guest again = guest(guest.files);
        assertEquals(LONGER, again.disks.bytes(1));
        assertEquals(5, again.read(1, LONGER_BLOCKS - 1));
        again.disks.close();
    }

    @Test
    public void shouldHaveTheNewLengthAndAllContentAfterACrash() throws IOException {
        Random random = new Random(5);
        for (int round = 0; round < 60; round++) {
            Guest guest = guest(Guest.images(2, BLOCKS));
            boolean alone = round % 2 == 0;
            guest.write(0, 1, 3);
            if (alone) {
                guest.disks.alone();
            } else {
                guest.commit(1);
            }
            grow(guest, 0);
            guest.write(0, BLOCKS + round, 7);
            guest.writeLong(0, LONGER_BLOCKS - 100, 90, 1000);
            if (alone) {
                guest.flush();
            } else {
                guest.commit(2);
            }
            Guest after = guest.crash(random);
            assertEquals(LONGER, after.disks.bytes(0));
            assertEquals(3, after.read(0, 1));
            assertEquals(7, after.read(0, BLOCKS + round));
            assertEquals(1089, after.read(0, LONGER_BLOCKS - 11));
            assertEquals(0, after.read(0, LONGER_BLOCKS - 1));
            after.disks.close();
        }
    }

    @Test
    public void shouldSayWhyItCannotGrowAndStayAsItIs() throws IOException {
        Guest guest = guest(Guest.images(2, BLOCKS));
        assertTrue(guest.disks.makeRoom(0, LONGER + 100).join().contains("no multiple of its sector of 512"));
        guest.files.full(true);
        assertTrue(guest.disks.makeRoom(0, LONGER).join().contains("no space is left"));
        assertThrows(IllegalArgumentException.class, () -> guest.disks.resize(0, LONGER));
        assertEquals(BYTES, guest.disks.bytes(0));
        assertEquals("they have not failed", 0, guest.failures.size());
        guest.write(0, 5, 1);
        guest.commit(1);
        guest.disks.close();
    }

    @Test
    public void shouldBecomeShorterOnlyToBeCopiedOver() throws IOException {
        Guest guest = guest(Guest.images(2, LONGER_BLOCKS));
        guest.write(0, LONGER_BLOCKS - 1, 1);
        guest.write(0, 2, 2);
        guest.flush();
        guest.disks.resize(0, BYTES);
        assertEquals(Standing.PARTIAL, guest.disks.standing());
        assertEquals("chunks of the shorter disk", 2, guest.disks.changed(0).pageCount());
        guest.disks.fill(Disks.id(0, 1), Guest.block(9));
        guest.stage(4, 0, BLOCKS - 1, 8);
        guest.disks.bond(1);
        guest.disks.apply(4);
        assertEquals(Standing.WHOLE, guest.disks.standing());
        Guest after = guest.crash(new Random(1));
        assertEquals(BYTES, after.disks.bytes(0));
        assertEquals(8, after.read(0, BLOCKS - 1));
        grow(after, 0);
        assertEquals("nothing of what was there before", 0, after.read(0, LONGER_BLOCKS - 1));
        assertFalse(after.disks.changed(0).contains(3));
        after.disks.close();
    }
}
