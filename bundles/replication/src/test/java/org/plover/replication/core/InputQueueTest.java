package org.plover.replication.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import org.junit.Test;

public class InputQueueTest {
    private static final long MUCH = 64 << 20;
    private final InputQueue queue = new InputQueue();
    private final List<byte[]> taken = new ArrayList<>();
    private final List<Integer> nics = new ArrayList<>();
    private int takes = Integer.MAX_VALUE;

    /** Takes {@link #takes} frames, then refuses. */
    private final Guest guest = (Guest) Proxy.newProxyInstance(Guest.class.getClassLoader(), new Class<?>[] {Guest.class},
            (proxy, method, arguments) -> {
                if (!method.getName().equals("inject")) {
                    throw new AssertionError("the queue calls " + method.getName());
                }
                ByteBuffer frame = (ByteBuffer) arguments[1];
                byte[] bytes = new byte[frame.remaining()];
                frame.get(bytes);
                if (takes == 0) {
                    return false;
                }
                takes--;
                nics.add((Integer) arguments[0]);
                taken.add(bytes);
                return true;
            });

    private static byte[] frame(int length, int content) {
        byte[] f = new byte[length];
        new Random(content).nextBytes(f);
        return f;
    }

    @Test
    public void shouldGiveFramesInOrderWithTheirInterface() {
        assertTrue(queue.isEmpty());
        for (int i = 0; i < 10; i++) {
            assertTrue(queue.add(i, ByteBuffer.wrap(frame(i * 7, i)), MUCH));
        }
        assertFalse(queue.isEmpty());
        queue.flush(guest);
        assertTrue(queue.isEmpty());
        assertEquals(0, queue.bytes());
        for (int i = 0; i < 10; i++) {
            assertEquals(i, (int) nics.get(i));
            org.junit.Assert.assertArrayEquals(frame(i * 7, i), taken.get(i));
        }
    }

    @Test
    public void shouldKeepAFrameThatTheGuestRefuses() {
        for (int i = 0; i < 5; i++) {
            queue.add(0, ByteBuffer.wrap(frame(100, i)), MUCH);
        }
        takes = 2;
        queue.flush(guest);
        assertEquals(2, taken.size());
        queue.flush(guest);
        assertEquals(2, taken.size());
        takes = 10;
        queue.flush(guest);
        assertEquals(5, taken.size());
        for (int i = 0; i < 5; i++) {
            org.junit.Assert.assertArrayEquals(frame(100, i), taken.get(i));
        }
    }

    @Test
    public void shouldRefuseWhatExceedsTheBoundAndLeaveTheRestAlone() {
        assertTrue(queue.add(0, ByteBuffer.wrap(frame(1000, 1)), 2010));
        long bytes = queue.bytes();
        ByteBuffer tooMuch = ByteBuffer.wrap(frame(1001, 2));
        assertFalse(queue.add(0, tooMuch, 2010));
        assertEquals(1001, tooMuch.remaining());
        assertEquals(bytes, queue.bytes());
        assertTrue("exactly full", queue.add(0, ByteBuffer.wrap(frame(1000, 3)), 2010));
        queue.flush(guest);
        assertEquals(2, taken.size());
    }

    @Test
    public void shouldGrowAndWrapWithoutLosingAByte() {
        Random random = new Random(3);
        Deque<byte[]> expected = new ArrayDeque<>();
        for (int i = 0; i < 3000; i++) {
            byte[] f = frame(random.nextInt(9000), i);
            assertTrue(queue.add(0, ByteBuffer.wrap(f), MUCH));
            expected.add(f);
            if (random.nextInt(3) > 0) {
                takes = random.nextInt(i < 1500 ? 2 : 4);
                taken.clear();
                queue.flush(guest);
                taken.forEach(t -> org.junit.Assert.assertArrayEquals(expected.remove(), t));
            }
        }
        takes = Integer.MAX_VALUE;
        taken.clear();
        queue.flush(guest);
        taken.forEach(t -> org.junit.Assert.assertArrayEquals(expected.remove(), t));
        assertTrue(expected.isEmpty());
        assertTrue(queue.isEmpty());
    }

    @Test
    public void shouldForgetEverythingWhenCleared() {
        queue.add(0, ByteBuffer.wrap(frame(10, 1)), MUCH);
        queue.clear();
        assertTrue(queue.isEmpty());
        queue.add(1, ByteBuffer.wrap(frame(10, 2)), MUCH);
        queue.flush(guest);
        assertEquals(List.of(1), nics);
    }
}
