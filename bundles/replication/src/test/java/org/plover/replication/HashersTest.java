package org.plover.replication;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.After;
import org.junit.Test;
import org.plover.api.hasher.PageHasher;
import org.plover.api.hasher.PageHasherProvider;

public class HashersTest {
    private final Hashers hashers = new Hashers();

    @After
    public void tearDown() {
        hashers.close();
    }

    /** Computes something of secret, base and page; knows whether it is used after its end. */
    private static class Provider implements PageHasherProvider {
        final String id;
        final AtomicInteger open = new AtomicInteger();
        final Set<Thread> threads = ConcurrentHashMap.newKeySet();

        Provider(String id) {
            this.id = id;
        }

        @Override
        public String id() {
            return id;
        }

        @Override
        public PageHasher create(byte[] secret) {
            long key = Arrays.hashCode(secret);
            open.incrementAndGet();
            return new PageHasher() {
                private volatile boolean closed;

                @Override
                public void digest(long base, int[] pages, int from, int to, long[] digests) {
                    threads.add(Thread.currentThread());
                    for (int i = from; i < to; i++) {
                        if (closed) {
                            throw new IllegalStateException("used after it was closed");
                        }
                        digests[2 * i] = key * 31 + base + pages[i];
                        digests[2 * i + 1] = pages[i] * 0x9e3779b97f4a7c15L;
                        onPage();
                    }
                }

                @Override
                public void close() {
                    closed = true;
                    open.decrementAndGet();
                }
            };
        }

        void onPage() {
        }
    }

    @Test
    public void shouldChooseTheFirstConfiguredOneThatIsThere() {
        assertEquals("", hashers.choose(List.of("a")));
        hashers.add(new Provider("c"));
        hashers.add(new Provider("b"));
        assertEquals("c", hashers.choose(List.of("a", "c", "b")));
        assertEquals("one that was not asked for may be weaker", "", hashers.choose(List.of("a")));
    }

    @Test
    public void shouldGiveNothingForAHasherThatIsNotThere() {
        assertNull(hashers.digest("a", 0, new int[] {1}));
        Provider a = new Provider("a");
        hashers.add(a);
        assertNotNull(hashers.digest("a", 0, new int[] {1}));
        hashers.remove(a);
        assertNull(hashers.digest("a", 0, new int[] {1}));
        assertEquals(0, a.open.get());
    }

    @Test
    public void shouldComputeTheSameOnManyCoresAsOnOne() {
        Provider a = new Provider("a");
        hashers.add(a);
        for (int count : new int[] {0, 1, 511, 512, 1023, 1024, 1025, 9999}) {
            int[] pages = IntStream.range(0, count).map(i -> i * 7).toArray();
            long[] expected = new long[2 * count];
            try (PageHasher alone = new Provider("a").create(new byte[32])) {
                alone.digest(4096, pages, 0, count, expected);
            }
            assertArrayEquals(count + " pages", expected, hashers.digest("a", 4096, pages));
        }
    }

    @Test
    public void shouldKeyEveryHasherAnewForASession() {
        Provider a = new Provider("a");
        hashers.add(a);
        long[] before = hashers.digest("a", 0, new int[] {5});
        byte[] secret = new byte[32];
        secret[3] = 9;
        hashers.key(secret);
        assertEquals(0, a.open.get());
        secret[3] = 0; // its owner wipes it
        assertFalse(Arrays.equals(before, hashers.digest("a", 0, new int[] {5})));
        hashers.key(new byte[32]);
        assertArrayEquals(before, hashers.digest("a", 0, new int[] {5}));
    }

    @Test
    public void shouldLetGoOfAProviderOnlyWhenNoDigestIsBeingComputed() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        Provider slow = new Provider("a") {
            @Override
            void onPage() {
                inside.countDown();
                try {
                    goOn.await(10, TimeUnit.SECONDS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        };
        hashers.add(slow);
        AtomicReference<long[]> result = new AtomicReference<>();
        Thread user = new Thread(() -> result.set(hashers.digest("a", 0, new int[] {1, 2, 3})));
        user.start();
        assertTrue(inside.await(5, TimeUnit.SECONDS));
        Thread remover = new Thread(() -> hashers.remove(slow));
        remover.start();
        while (remover.getState() != Thread.State.WAITING) {
            assertTrue("the provider must not go while it is in use", remover.isAlive());
            Thread.onSpinWait();
        }
        assertEquals(1, slow.open.get());
        goOn.countDown();
        user.join(5000);
        remover.join(5000);
        assertEquals(6, result.get().length);
        assertEquals(0, slow.open.get());
        assertNull(hashers.digest("a", 0, new int[] {1}));
    }

    @Test
    public void shouldPassOnWhatFailsOnAnyCore() {
        Provider failing = new Provider("a") {
            @Override
            void onPage() {
                throw new IllegalStateException("broken");
            }
        };
        hashers.add(failing);
        assertThrows(IllegalStateException.class, () -> hashers.digest("a", 0, new int[5000]));
    }
}
