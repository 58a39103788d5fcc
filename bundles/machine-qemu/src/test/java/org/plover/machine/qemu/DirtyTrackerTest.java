package org.plover.machine.qemu;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.Random;
import org.junit.Test;
import org.plover.api.memory.GuestMemory;
import org.plover.api.memory.PageSet;
import org.plover.linux.Linux;
import org.plover.linux.Memory;
import org.plover.linux.SystemCallException;

public class DirtyTrackerTest {
    private static final int PAGES = 10_000;
    private static final long BYTES = (long) PAGES * GuestMemory.PAGE_BYTES;

    @Test
    public void shouldReportExactlyTheWrittenPagesInOnePass() throws Exception {
        track(false);
    }

    @Test
    public void shouldReportExactlyTheWrittenPagesInTwoPasses() throws Exception {
        track(true);
    }

    private static void track(boolean twoPass) throws Exception {
        long address = Linux.mapAnonymous(BYTES);
        Random random = new Random(3);
        try (DirtyTracker tracker = DirtyTracker.attachSelf(address, BYTES, twoPass)) {
            tracker.fetch(new PageSet(PAGES));
            // More runs than fit into one answer of the kernel, then few.
            for (int writes : new int[] {9000, 3, 0, 200}) {
                PageSet expected = new PageSet(PAGES);
                for (int i = 0; i < writes; i++) {
                    int page = writes > 5000 ? i % (PAGES / 2) * 2 : random.nextInt(PAGES);
                    expected.add(page);
                    Memory.putInt(address + (long) page * GuestMemory.PAGE_BYTES + random.nextInt(1000), i);
                }
                PageSet written = new PageSet(PAGES);
                tracker.fetch(written);
                assertArrayEquals(expected.toArray(), written.toArray());
            }
        } finally {
            Linux.munmap(address, BYTES);
        }
    }

    @Test
    public void shouldAddToWhatIsInTheSetAlready() throws Exception {
        long address = Linux.mapAnonymous(BYTES);
        try (DirtyTracker tracker = DirtyTracker.attachSelf(address, BYTES, false)) {
            tracker.fetch(new PageSet(PAGES));
            PageSet set = new PageSet(PAGES);
            set.add(17);
            Memory.putByte(address, (byte) 1);
            tracker.fetch(set);
            assertArrayEquals(new int[] {0, 17}, set.toArray());
        } finally {
            Linux.munmap(address, BYTES);
        }
    }

    @Test
    public void shouldRefuseOnceClosed() throws Exception {
        long address = Linux.mapAnonymous(BYTES);
        DirtyTracker tracker = DirtyTracker.attachSelf(address, BYTES, false);
        tracker.close();
        tracker.close();
        assertThrows(SystemCallException.class, () -> tracker.fetch(new PageSet(PAGES)));
        Linux.munmap(address, BYTES);
    }

    @Test
    public void shouldFindTheMappingOfAFile() throws Exception {
        String maps = "7f0000000000-7f0000010000 rw-s 00000000 00:19 7 /dev/shm/a/ram.other\n"
                + "7f1000000000-7f1000010000 rw-s 00000000 00:19 8                          /dev/shm/a/ram\n";
        assertEquals(0x7f1000000000L, GuestRam.findMapping(maps, "/dev/shm/a/ram", 0x10000));
        assertTrue(assertThrows(java.io.IOException.class, () -> GuestRam.findMapping(maps, "/dev/shm/a/ram", 0x20000))
                .getMessage().contains("65536 of 131072 bytes"));
        assertThrows(java.io.IOException.class, () -> GuestRam.findMapping(maps, "/dev/shm/b/ram", 0x10000));
    }
}
