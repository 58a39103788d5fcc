package org.plover.api.memory;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.util.Random;
import java.util.TreeSet;
import org.junit.Test;

public class PageSetTest {
    private static PageSet of(int pageCount, int... pages) {
        PageSet set = new PageSet(pageCount);
        for (int p : pages) {
            set.add(p);
        }
        return set;
    }

    private static ByteBuffer encoded(PageSet set) {
        ByteBuffer b = ByteBuffer.allocate(set.encodedBytes());
        set.encode(b);
        assertEquals("exactly as long as announced", 0, b.remaining());
        return b.flip();
    }

    @Test
    public void shouldKeepWhatWasAdded() {
        PageSet set = of(200, 0, 63, 64, 199);
        assertTrue(set.contains(63));
        assertFalse(set.contains(62));
        assertEquals(4, set.size());
        assertArrayEquals(new int[] {0, 63, 64, 199}, set.toArray());
        set.remove(63);
        assertFalse(set.contains(63));
        assertFalse(set.isEmpty());
        set.clear();
        assertTrue(set.isEmpty());
        assertEquals(200, set.pageCount());
    }

    @Test
    public void shouldAddRangesOfAnyAlignment() {
        for (int[] range : new int[][] {{0, 0}, {0, 64}, {1, 64}, {63, 65}, {5, 190}, {64, 128}, {0, 200}, {199, 200}, {200, 200}}) {
            PageSet set = new PageSet(200);
            set.addRange(range[0], range[1]);
            for (int p = 0; p < 200; p++) {
                assertEquals(p >= range[0] && p < range[1], set.contains(p));
            }
        }
        PageSet all = new PageSet(70);
        all.fill();
        assertEquals(70, all.size());
    }

    @Test
    public void shouldRefuseRangesThatAreNotWithin() {
        PageSet set = new PageSet(100);
        assertThrows(IllegalArgumentException.class, () -> set.addRange(-1, 5));
        assertThrows(IllegalArgumentException.class, () -> set.addRange(0, 101));
        assertThrows(IllegalArgumentException.class, () -> set.addRange(6, 5));
        assertTrue(set.isEmpty());
    }

    @Test
    public void shouldUniteAndSubtract() {
        PageSet a = of(130, 1, 64, 129);
        a.addAll(of(130, 2, 64));
        assertArrayEquals(new int[] {1, 2, 64, 129}, a.toArray());
        a.removeAll(of(130, 64, 65, 1));
        assertArrayEquals(new int[] {2, 129}, a.toArray());
    }

    @Test
    public void shouldSurviveTheWire() {
        Random random = new Random(1);
        for (int round = 0; round < 200; round++) {
            int pageCount = random.nextInt(3000);
            PageSet set = new PageSet(pageCount);
            TreeSet<Integer> expected = new TreeSet<>();
            for (int i = random.nextInt(60); i > 0 && pageCount > 0; i--) {
                int p = random.nextInt(pageCount);
                set.add(p);
                expected.add(p);
            }
            PageSet back = PageSet.decode(encoded(set));
            assertEquals(pageCount, back.pageCount());
            assertArrayEquals(expected.stream().mapToInt(i -> i).toArray(), back.toArray());
        }
    }

    @Test
    public void shouldCostLittleWhenLittleIsDirty() {
        assertEquals(8, new PageSet(1 << 20).encodedBytes());
        assertEquals(20, of(1 << 20, 77).encodedBytes());
    }

    @Test
    public void shouldLeaveWhatFollowsInTheBuffer() {
        ByteBuffer b = ByteBuffer.allocate(100);
        of(100, 3).encode(b);
        b.putInt(42).flip();
        PageSet.decode(b);
        assertEquals(42, b.getInt());
    }

    @Test
    public void shouldRefuseWhatIsNotAPageSet() {
        assertRefused(b -> b.putInt(-1).putInt(0));
        assertRefused(b -> b.putInt(64).putInt(-1));
        assertRefused(b -> b.putInt(64).putInt(2).putInt(0).putLong(1).putInt(0).putLong(1));
        assertRefused(b -> b.putInt(64).putInt(1).putInt(0));
        assertRefused(b -> b.putInt(64).putInt(1).putInt(1).putLong(1));
        assertRefused(b -> b.putInt(64).putInt(1).putInt(-1).putLong(1));
        assertRefused(b -> b.putInt(63).putInt(1).putInt(0).putLong(1L << 63));
    }

    private interface Writer {
        void to(ByteBuffer b);
    }

    private static void assertRefused(Writer writer) {
        ByteBuffer b = ByteBuffer.allocate(100);
        writer.to(b);
        b.flip();
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> PageSet.decode(b));
        assertTrue(e.getMessage(), e.getMessage().startsWith("not a page set"));
    }

    @Test
    public void shouldNotTakeMemoryForASetThatAPeerMerelyAnnounces() {
        for (int pages : new int[] {Integer.MAX_VALUE, PageSet.PAGES_MAX + 1, -1}) {
            ByteBuffer b = ByteBuffer.allocate(8).putInt(pages).putInt(0).flip();
            assertThrows(IllegalArgumentException.class, () -> PageSet.decode(b));
        }
        ByteBuffer more = ByteBuffer.allocate(8).putInt(101).putInt(0).flip();
        assertThrows(IllegalArgumentException.class, () -> PageSet.decode(more, 100));
        ByteBuffer words = ByteBuffer.allocate(8).putInt(PageSet.PAGES_MAX).putInt(PageSet.PAGES_MAX / 64).flip();
        assertThrows(IllegalArgumentException.class, () -> PageSet.decode(words));
    }
}
