package org.plover.hasher.aes;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.plover.api.hasher.PageHasher;

public class AesPageHasherTest {
    private static final byte[] SECRET = bytesFrom(0);
    private static final int PAGES = 1000;

    private final Random random = new Random(20180409);
    private TestPages memory;
    private AesHasherProvider provider;
    private PageHasher hasher;

    @Before
    public void setUp() {
        memory = new TestPages(PAGES);
        provider = new AesHasherProvider();
        hasher = provider.create(SECRET);
    }

    @After
    public void tearDown() {
        hasher.close();
        memory.close();
    }

    /** Computed by a script with the AES of OpenSSL 3 and the HKDF of Python's hmac module. */
    @Test
    public void shouldComputeTheKnownDigests() {
        memory.putPattern(0);
        assertDigest(0x5e36c5832784946fL, 0x0bd54c0269f6dcd6L, digest(hasher, 0));
        assertDigest(0x06f3b030f7e5a642L, 0xb1817bf54fa51965L, digest(hasher, 1));
    }

    /** What a sum of blocks would allow that are encrypted alike wherever they stand. */
    @Test
    public void shouldTellPagesApartWhoseBlocksAreTheSameInAnotherOrderOrRepeated() {
        memory.putRandom(0, random);
        memory.copy(0, 1);
        memory.swapBlocks(1, 16, 3, 200);
        assertNotEquals(digest(hasher, 0)[0], digest(hasher, 1)[0]);
        for (int block = 0; block < 256; block += 2) { // pairs of equal blocks, which would cancel out
            memory.copyBlock(0, 16, block, block + 1);
            memory.copyBlock(1, 16, block, block + 1);
        }
        assertNotEquals(digest(hasher, 0)[0], digest(hasher, 1)[0]);
        assertNotEquals("nor are they the digest of an empty page", digest(hasher, 0)[0], digest(hasher, 2)[0]);
    }

    @Test
    public void shouldGiveOtherDigestsForAnotherSecret() {
        memory.putPattern(0);
        try (PageHasher other = provider.create(bytesFrom(1))) {
            for (int page = 0; page < 2; page++) {
                long[] one = digest(hasher, page);
                long[] two = digest(other, page);
                assertNotEquals(one[0], two[0]);
                assertNotEquals(one[1], two[1]);
            }
        }
    }

    @Test
    public void shouldGiveTheSameDigestsInAnotherHasherWithTheSameSecret() {
        memory.putRandom(0, random);
        try (PageHasher again = provider.create(SECRET.clone())) {
            assertArrayEquals(digest(hasher, 0), digest(again, 0));
        }
    }

    @Test
    public void shouldCopyTheSecret() {
        byte[] secret = SECRET.clone();
        try (PageHasher copied = provider.create(secret)) {
            Arrays.fill(secret, (byte) 0);
            assertArrayEquals(digest(hasher, 0), digest(copied, 0));
        }
    }

    @Test
    public void shouldRefuseASecretThatIsTooShort() {
        assertThrows(IllegalArgumentException.class, () -> provider.create(new byte[31]));
    }

    @Test
    public void shouldChangeBothHalvesOfTheDigestWithEverySingleBit() {
        memory.putRandom(0, random);
        Set<Long> low = new HashSet<>();
        Set<Long> high = new HashSet<>();
        int bits = 4096 * 8;
        for (int bit = 0; bit < bits; bit++) {
            memory.flipBit(0, bit);
            long[] digest = digest(hasher, 0);
            low.add(digest[0]);
            high.add(digest[1]);
            memory.flipBit(0, bit);
        }
        long[] digest = digest(hasher, 0);
        low.add(digest[0]);
        high.add(digest[1]);
        assertEquals(bits + 1, low.size());
        assertEquals(bits + 1, high.size());
    }

    @Test
    public void shouldChangeTheDigestWhenAnyRandomPageLosesABit() {
        int[] pages = {0, 1};
        long[] digests = new long[4];
        for (int round = 0; round < 20_000; round++) {
            memory.putRandom(0, random);
            memory.copy(0, 1);
            int bit = random.nextInt(4096 * 8);
            memory.flipBit(1, bit);
            hasher.digest(memory.base, pages, 0, 2, digests);
            assertNotEquals("round " + round + ", bit " + bit, digests[0], digests[2]);
            assertNotEquals("round " + round + ", bit " + bit, digests[1], digests[3]);
        }
    }

    @Test
    public void shouldDigestAPageAlikeWhereverItLiesAndWhateverWasDigestedBefore() {
        memory.putRandom(3, random);
        memory.copy(3, PAGES - 1);
        long[] digests = new long[6];
        hasher.digest(memory.base, new int[] {3, 7, PAGES - 1}, 0, 3, digests);
        assertEquals(digests[0], digests[4]);
        assertEquals(digests[1], digests[5]);
        assertNotEquals(digests[0], digests[2]);
    }

    @Test
    public void shouldStoreDigestsOfTheRangeOnlyAndAtTheIndexOfThePage() {
        fillAll();
        int[] pages = shuffledPages();
        long[] all = new long[2 * PAGES];
        hasher.digest(memory.base, pages, 0, PAGES, all);
        int[][] ranges = {{0, 0}, {5, 5}, {PAGES, PAGES}, {0, 1}, {PAGES - 1, PAGES}, {17, 300}, {1, PAGES - 1}};
        for (int[] range : ranges) {
            long[] expected = new long[2 * PAGES];
            System.arraycopy(all, 2 * range[0], expected, 2 * range[0], 2 * (range[1] - range[0]));
            long[] digests = new long[2 * PAGES];
            hasher.digest(memory.base, pages, range[0], range[1], digests);
            assertArrayEquals(Arrays.toString(range), expected, digests);
        }
    }

    @Test
    public void shouldRefuseARangeThatDoesNotFit() {
        int[] pages = {0, 1};
        assertThrows(IndexOutOfBoundsException.class, () -> hasher.digest(memory.base, pages, 0, 3, new long[6]));
        assertThrows(IndexOutOfBoundsException.class, () -> hasher.digest(memory.base, pages, -1, 1, new long[4]));
        assertThrows(IndexOutOfBoundsException.class, () -> hasher.digest(memory.base, pages, 2, 1, new long[4]));
        assertThrows(IndexOutOfBoundsException.class, () -> hasher.digest(memory.base, pages, 0, 2, new long[3]));
    }

    @Test
    public void shouldDigestDisjointRangesOnManyThreads() throws InterruptedException, ExecutionException {
        fillAll();
        int[] pages = shuffledPages();
        long[] expected = new long[2 * PAGES];
        hasher.digest(memory.base, pages, 0, PAGES, expected);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            for (int round = 0; round < 100; round++) {
                long[] digests = new long[2 * PAGES];
                List<Future<?>> parts = new ArrayList<>();
                for (int from = 0; from < PAGES; from += 7) {
                    int start = from;
                    parts.add(threads.submit(() -> hasher.digest(memory.base, pages, start, Math.min(PAGES, start + 7), digests)));
                }
                for (Future<?> part : parts) {
                    part.get();
                }
                assertArrayEquals("round " + round, expected, digests);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    public void shouldRefuseToDigestOnceClosed() {
        hasher.close();
        assertThrows(IllegalStateException.class, () -> digest(hasher, 0));
    }

    private void fillAll() {
        for (int page = 0; page < PAGES; page++) {
            memory.putRandom(page, random);
        }
    }

    private int[] shuffledPages() {
        int[] pages = IntStream.range(0, PAGES).toArray();
        for (int i = PAGES - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int page = pages[i];
            pages[i] = pages[j];
            pages[j] = page;
        }
        return pages;
    }

    private long[] digest(PageHasher by, int page) {
        long[] digest = new long[2];
        by.digest(memory.base, new int[] {page}, 0, 1, digest);
        return digest;
    }

    private static void assertDigest(long high, long low, long[] digest) {
        assertEquals(Long.toHexString(low), Long.toHexString(digest[0]));
        assertEquals(Long.toHexString(high), Long.toHexString(digest[1]));
    }

    private static byte[] bytesFrom(int first) {
        byte[] bytes = new byte[32];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (first + i);
        }
        return bytes;
    }
}
