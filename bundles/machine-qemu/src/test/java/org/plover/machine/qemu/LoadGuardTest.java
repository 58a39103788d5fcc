package org.plover.machine.qemu;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;

import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.plover.api.memory.GuestMemory;
import org.plover.api.memory.PageSet;
import org.plover.linux.Linux;
import org.plover.linux.Memory;

public class LoadGuardTest implements GuestMemory {
    private static final int PAGES = 32;
    private long address;

    @Before
    public void map() throws Exception {
        address = Linux.mapAnonymous((long) PAGES * PAGE_BYTES);
    }

    @After
    public void unmap() throws Exception {
        Linux.munmap(address, (long) PAGES * PAGE_BYTES);
    }

    @Override
    public long address() {
        return address;
    }

    @Override
    public int pageCount() {
        return PAGES;
    }

    private static PageSet set(int... pages) {
        PageSet set = new PageSet(PAGES);
        for (int page : pages) {
            set.add(page);
        }
        return set;
    }

    @Test
    public void shouldPutBackTheLearnedPagesAndNameTheLostOnes() {
        LoadGuard guard = new LoadGuard(this);
        guard.learn(set(3, 30));
        guard.learn(set(4));
        for (int page : new int[] {3, 4, 5, 30}) {
            Memory.putInt(address + page * PAGE_BYTES + 100, page);
        }
        guard.keep();
        for (int page : new int[] {3, 5, 30}) {
            Memory.zero(address + page * PAGE_BYTES, PAGE_BYTES);
        }
        guard.restore();
        assertEquals(3, Memory.getInt(address + 3 * PAGE_BYTES + 100));
        assertEquals(4, Memory.getInt(address + 4 * PAGE_BYTES + 100));
        assertEquals(30, Memory.getInt(address + 30 * PAGE_BYTES + 100));
        assertArrayEquals(new int[] {5}, guard.lost(set(3, 5, 30)).toArray());
        assertEquals(3, guard.learnedPages());
    }
}
