package org.plover.gate.epoch;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Random;

import org.junit.Test;

public class FrameRingTest {
    @Test
    public void shouldFindAPlaceForEveryFrameThatThePromiseCovers() {
        int bytesMax = 200_000;
        FrameRing ring = new FrameRing(bytesMax, 5_000);
        ArrayDeque<byte[]> expected = new ArrayDeque<>();
        Random random = new Random(4711);
        byte[] next = randomFrame(random);
        for (int step = 0; step < 100_000; step++) {
            boolean room = ring.bytes() + next.length <= bytesMax && ring.frames() < ring.framesMax();
            if (room && random.nextInt(100) < 55) {
                ring.addLast(step, step % 3, step, ByteBuffer.wrap(next));
                expected.add(next);
                next = randomFrame(random);
            } else if (!expected.isEmpty()) {
                assertEquals(ByteBuffer.wrap(expected.remove()), ring.first());
                ring.removeFirst();
            }
            assertEquals(expected.size(), ring.frames());
        }
        while (!expected.isEmpty()) {
            assertEquals(ByteBuffer.wrap(expected.remove()), ring.first());
            ring.removeFirst();
        }
        assertEquals(0, ring.bytes());
    }

    private static byte[] randomFrame(Random random) {
        int kind = random.nextInt(10);
        int length = kind == 0 ? FrameRing.FRAME_BYTES_MAX - random.nextInt(3) : 1 + random.nextInt(kind < 5 ? 100 : 9_018);
        byte[] frame = new byte[length];
        random.nextBytes(frame);
        return frame;
    }

    @Test
    public void shouldCountFramesUpToAnEpoch() {
        FrameRing ring = new FrameRing(1_000, 4);
        for (int turn = 0; turn < 3; turn++) {
            ring.addLast(0, 0, 0, ByteBuffer.allocate(1));
            ring.removeFirst();
        }
        for (long epoch : new long[] {3, 3, 5, 9}) {
            ring.addLast(epoch, 0, 0, ByteBuffer.allocate(1));
        }
        assertEquals(0, ring.framesUpTo(2));
        assertEquals(2, ring.framesUpTo(3));
        assertEquals(2, ring.framesUpTo(4));
        assertEquals(3, ring.framesUpTo(5));
        assertEquals(4, ring.framesUpTo(Long.MAX_VALUE));
    }

    @Test
    public void shouldRefuseWhatItHasNoRoomFor() {
        FrameRing ring = new FrameRing(100, 2);
        assertThrows(IllegalStateException.class, () -> ring.addLast(0, 0, 0, ByteBuffer.allocate(101)));
        assertThrows(IllegalStateException.class, () -> ring.addLast(0, 0, 0, ByteBuffer.allocate(0)));
        ring.addLast(0, 0, 0, ByteBuffer.allocate(1));
        ring.addLast(0, 0, 0, ByteBuffer.allocate(1));
        assertThrows(IllegalStateException.class, () -> ring.addLast(0, 0, 0, ByteBuffer.allocate(1)));
        ring.removeFirst();
        ring.removeFirst();
        assertThrows(IllegalStateException.class, ring::removeFirst);
    }
}
