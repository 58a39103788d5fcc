package org.plover.disk.nbd;

import java.util.Arrays;
import org.plover.api.disk.Disks;

/** Which blocks the guest has written, exactly: bitmaps in pages that exist only where something was written. Not thread-safe. */
final class WrittenBlocks {
    private static final int PAGE_WORDS = 1024;
    private static final int PAGE_BLOCKS = PAGE_WORDS * 64;

    private final long[][][] pages;
    private int count;

    WrittenBlocks(Image[] images) {
        pages = new long[images.length][][];
        for (int d = 0; d < images.length; d++) {
            pages[d] = new long[pagesOf(images[d].blocks())][];
        }
    }

    private static int pagesOf(long blocks) {
        return (int) ((blocks + PAGE_BLOCKS - 1) / PAGE_BLOCKS);
    }

    /** The disk has another length; a shorter one must have nothing written. */
    void resize(int disk, long blocks) {
        pages[disk] = Arrays.copyOf(pages[disk], pagesOf(blocks));
    }

    void add(long id) {
        long block = Disks.blockOf(id);
        long[][] disk = pages[Disks.diskOf(id)];
        int page = (int) (block / PAGE_BLOCKS);
        if (disk[page] == null) {
            disk[page] = new long[PAGE_WORDS];
        }
        int at = (int) (block % PAGE_BLOCKS);
        long before = disk[page][at >>> 6];
        long after = before | 1L << at;
        if (before != after) {
            disk[page][at >>> 6] = after;
            count++;
        }
    }

    long[] toArray() {
        long[] ids = new long[count];
        int n = 0;
        for (int d = 0; d < pages.length; d++) {
            for (int p = 0; p < pages[d].length; p++) {
                for (int w = 0; pages[d][p] != null && w < PAGE_WORDS; w++) {
                    for (long word = pages[d][p][w]; word != 0; word &= word - 1) {
                        ids[n++] = Disks.id(d, (long) p * PAGE_BLOCKS + (w << 6) + Long.numberOfTrailingZeros(word));
                    }
                }
            }
        }
        return ids;
    }

    void clear() {
        for (long[][] disk : pages) {
            Arrays.fill(disk, null);
        }
        count = 0;
    }
}
