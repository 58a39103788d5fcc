package org.plover.replication;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.Test;

public class FrameRingTest {
    private static final int HEADER = 16;

    private static ByteBuffer message(int length, int content) {
        ByteBuffer m = ByteBuffer.allocate(length);
        for (int i = 0; i < length; i++) {
            m.put((byte) (content + i));
        }
        return m.flip();
    }

    private static void check(ByteBuffer m, int length, int content) {
        assertEquals(length, m.remaining());
        for (int i = 0; i < length; i++) {
            assertEquals((byte) (content + i), m.get(m.position() + i));
        }
    }

    @Test
    public void shouldGiveMessagesBackInOrderWithTheirNumbers() throws Exception {
        FrameRing ring = new FrameRing(1024);
        assertTrue(ring.isEmpty());
        for (int i = 0; i < 5; i++) {
            assertTrue(ring.put(i, 1L << 40 | i, message(i * 3, i)));
        }
        int[] n = {0};
        assertEquals(5, ring.read(64, (a, b, m) -> {
            assertEquals(n[0], a);
            assertEquals(1L << 40 | n[0], b);
            check(m, n[0] * 3, n[0]);
            n[0]++;
            return true;
        }));
        assertTrue(ring.isEmpty());
    }

    /** Whatever is left at the ring's end when a message does not fit there: nothing, less than a marker, more than one. */
    @Test
    public void shouldWrapWithAnyNumberOfBytesLeftAtTheEnd() throws Exception {
        for (int left = 0; left < 24; left++) {
            int capacity = 2 * (HEADER + 40) + left;
            FrameRing ring = new FrameRing(capacity);
            for (int i = 0; i < 50; i++) {
                assertTrue(ring.put(1, i, message(40, i)));
                if (i > 0) {
                    int expected = i - 1;
                    assertEquals(1, ring.read(1, (a, b, m) -> {
                        assertEquals(expected, b);
                        check(m, 40, expected);
                        return true;
                    }));
                }
            }
            assertEquals(1, ring.read(64, (a, b, m) -> b == 49));
            assertTrue("left " + left, ring.isEmpty());
        }
    }

    @Test
    public void shouldHoldExactlyWhatItHasRoomFor() throws Exception {
        FrameRing ring = new FrameRing(4 * (HEADER + 8));
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 4; i++) {
                assertTrue(ring.put(i, round, message(8, i)));
            }
            int[] n = {0};
            assertEquals(4, ring.read(64, (a, b, m) -> {
                check(m, 8, a);
                return a == n[0]++;
            }));
            assertTrue(ring.isEmpty());
        }
    }

    @Test
    public void shouldKeepAMessageThatItsReaderRefuses() throws Exception {
        FrameRing ring = new FrameRing(1024);
        ring.put(1, 0, message(10, 1));
        ring.put(2, 0, message(10, 2));
        assertEquals(1, ring.read(64, (a, b, m) -> {
            m.position(m.limit()); // even if the reader has looked into it
            return a == 1;
        }));
        assertFalse(ring.isEmpty());
        assertEquals(0, ring.read(64, (a, b, m) -> false));
        assertEquals(1, ring.read(64, (a, b, m) -> {
            check(m, 10, 2);
            return a == 2;
        }));
        assertTrue(ring.isEmpty());
    }

    @Test
    public void shouldReadNoMoreThanAsked() throws Exception {
        FrameRing ring = new FrameRing(1024);
        for (int i = 0; i < 10; i++) {
            ring.put(i, 0, message(1, 0));
        }
        assertEquals(3, ring.read(3, (a, b, m) -> true));
        assertEquals(7, ring.read(64, (a, b, m) -> true));
    }

    @Test
    public void shouldRefuseAMessageThatCouldBlockForEver() {
        FrameRing ring = new FrameRing(256);
        assertThrows(IllegalArgumentException.class, () -> ring.put(0, 0, message(128 - HEADER + 1, 0)));
    }

    @Test
    public void shouldLetAProducerWaitForRoom() throws Exception {
        FrameRing ring = new FrameRing(2 * (HEADER + 8));
        ring.put(0, 0, message(8, 0));
        ring.put(1, 0, message(8, 1));
        Thread producer = new Thread(() -> {
            try {
                ring.put(2, 0, message(8, 2));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        producer.start();
        awaitWaiting(producer);
        assertEquals(1, ring.read(1, (a, b, m) -> a == 0));
        producer.join(5000);
        assertFalse(producer.isAlive());
        int[] next = {1};
        assertEquals(2, ring.read(64, (a, b, m) -> a == next[0]++));
    }

    @Test
    public void shouldWakeAWaitingProducerWhenClosed() throws Exception {
        FrameRing ring = new FrameRing(2 * (HEADER + 8));
        ring.put(0, 0, message(8, 0));
        ring.put(1, 0, message(8, 1));
        AtomicReference<Boolean> put = new AtomicReference<>();
        Thread producer = new Thread(() -> {
            try {
                put.set(ring.put(2, 0, message(8, 2)));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        producer.start();
        awaitWaiting(producer);
        ring.close();
        producer.join(5000);
        assertEquals(Boolean.FALSE, put.get());
        assertFalse(ring.put(3, 0, message(1, 0)));
    }

    private static void awaitWaiting(Thread t) throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
        while (t.getState() != Thread.State.WAITING) {
            assertTrue("the producer waits", System.nanoTime() < until);
            Thread.onSpinWait();
        }
    }

    @Test
    public void shouldKeepEveryProducersOrder() throws Exception {
        int producers = 4;
        int each = 5000;
        FrameRing ring = new FrameRing(1500);
        List<Thread> threads = new ArrayList<>();
        CountDownLatch go = new CountDownLatch(1);
        for (int p = 0; p < producers; p++) {
            int me = p;
            Thread t = new Thread(() -> {
                Random random = new Random(me);
                try {
                    go.await();
                    for (int i = 0; i < each; i++) {
                        ring.put(me, i, message(random.nextInt(700), i));
                    }
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            threads.add(t);
            t.start();
        }
        go.countDown();
        long[] next = new long[producers];
        Random[] lengths = new Random[producers];
        for (int p = 0; p < producers; p++) {
            lengths[p] = new Random(p);
        }
        int read = 0;
        while (read < producers * each) {
            read += ring.read(64, (a, b, m) -> {
                assertEquals(next[a]++, b);
                check(m, lengths[a].nextInt(700), (int) b);
                return true;
            });
        }
        for (Thread t : threads) {
            t.join(5000);
        }
        assertTrue(ring.isEmpty());
    }
}
