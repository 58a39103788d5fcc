package org.plover.gate.epoch;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

import org.junit.Test;
import org.plover.api.gate.OutputGate.Mode;

public class EpochGateTest {
    private final List<String> sent = new ArrayList<>();
    private long now = 1_000;
    private final EpochGate gate = gate(GateLimits.DEFAULTS);

    private EpochGate gate(GateLimits limits) {
        return new EpochGate("redis", (nic, frame) -> sent.add(nic + ":" + text(frame)), limits, () -> now);
    }

    @Test
    public void shouldBeClosedAndDropEverythingAtFirst() throws Exception {
        assertEquals(Mode.CLOSED, gate.mode());
        offer(0, "a");
        gate.mode(Mode.OPEN);
        assertSent();
        assertEquals(0, gate.droppedFrames());
    }

    @Test
    public void shouldHoldOutputUntilItsEpochIsReleased() throws Exception {
        gate.mode(Mode.HOLDING);
        gate.beginEpoch(7);
        offer(0, "a");
        offer(1, "b");
        gate.beginEpoch(8);
        offer(0, "c");
        assertSent();
        assertEquals(0, gate.release(6));
        assertSent();
        assertEquals(2, gate.release(7));
        assertSent("0:a", "1:b");
        assertEquals(0, gate.release(7));
        assertEquals(1, gate.release(8));
        assertSent("0:a", "1:b", "0:c");
    }

    @Test
    public void shouldCountWhatItHolds() throws Exception {
        gate.mode(Mode.HOLDING);
        assertEquals(0, gate.oldestHeldNanos());
        offer(0, "abc");
        now = 2_000;
        offer(0, "de");
        assertEquals(2, gate.heldFrames());
        assertEquals(5, gate.heldBytes());
        assertEquals(1_000, gate.oldestHeldNanos());
        gate.release(0);
        assertEquals(0, gate.heldFrames());
        assertEquals(0, gate.heldBytes());
        assertEquals(0, gate.oldestHeldNanos());
    }

    @Test
    public void shouldSayThatAFrameIsHeldEvenIfTheClockReadsZero() throws Exception {
        gate.mode(Mode.HOLDING);
        now = 0;
        offer(0, "a");
        assertEquals(1, gate.oldestHeldNanos());
    }

    @Test
    public void shouldPassFramesAtOnceWhenOpen() throws Exception {
        gate.mode(Mode.OPEN);
        offer(0, "a");
        offer(1, "b");
        assertSent("0:a", "1:b");
        assertEquals(0, gate.heldFrames());
    }

    @Test
    public void shouldSendWhatIsHeldFirstWhenOpened() throws Exception {
        gate.mode(Mode.HOLDING);
        offer(0, "a");
        gate.beginEpoch(1);
        offer(0, "b");
        gate.mode(Mode.OPEN);
        offer(0, "c");
        assertSent("0:a", "0:b", "0:c");
    }

    @Test
    public void shouldHoldFromThenOnWhenAnOpenGateIsToldTo() throws Exception {
        gate.mode(Mode.OPEN);
        offer(0, "a");
        gate.mode(Mode.HOLDING);
        offer(0, "b");
        assertSent("0:a");
        assertEquals(1, gate.heldFrames());
    }

    @Test
    public void shouldSendTheBackupsOwnOutputWhenItIsPromoted() throws Exception {
        gate.mode(Mode.STANDBY);
        gate.beginEpoch(4);
        offer(0, "committed");
        gate.beginEpoch(5);
        offer(0, "own");
        assertEquals(1, gate.discard(4));
        gate.mode(Mode.OPEN);
        assertSent("0:own");
    }

    @Test
    public void shouldKeepWhatIsHeldWhenStandbyBecomesHolding() throws Exception {
        gate.mode(Mode.STANDBY);
        offer(0, "a");
        gate.mode(Mode.HOLDING);
        offer(0, "b");
        assertEquals(2, gate.release(0));
        assertSent("0:a", "0:b");
    }

    @Test
    public void shouldDiscardEpochsWhoseStateHasBeenReplaced() throws Exception {
        gate.mode(Mode.STANDBY);
        gate.beginEpoch(1);
        offer(0, "a");
        gate.beginEpoch(2);
        offer(0, "b");
        gate.beginEpoch(3);
        offer(0, "c");
        assertEquals(2, gate.discard(2));
        assertEquals(1, gate.heldFrames());
        assertEquals(0, gate.droppedFrames());
    }

    @Test
    public void shouldDiscardEverythingWhenClosed() throws Exception {
        gate.mode(Mode.HOLDING);
        offer(0, "a");
        gate.mode(Mode.CLOSED);
        assertEquals(0, gate.heldFrames());
        gate.mode(Mode.OPEN);
        assertSent();
    }

    @Test
    public void shouldDropTheOldestFirstWhenStandbyMemoryIsFull() throws Exception {
        EpochGate small = gate(new GateLimits(1 << 20, 64, GateLimits.BYTES_LOWEST));
        small.mode(Mode.STANDBY);
        for (int i = 0; i < 70; i++) {
            small.offer(0, frame("f" + i));
        }
        assertEquals(64, small.heldFrames());
        assertEquals(6, small.droppedFrames());
        small.offer(0, ByteBuffer.allocate(65_536));
        small.offer(0, ByteBuffer.allocate(65_536));
        assertEquals(GateLimits.BYTES_LOWEST, small.heldBytes());
        assertEquals(2, small.heldFrames());
        assertEquals(70, small.droppedFrames());
    }

    @Test
    public void shouldRefuseToReleaseUnlessHolding() throws Exception {
        for (Mode mode : new Mode[] {Mode.CLOSED, Mode.STANDBY, Mode.OPEN}) {
            gate.mode(mode);
            String text = assertThrows(IllegalStateException.class, () -> gate.release(0)).getMessage();
            assertTrue(text, text.contains("redis") && text.contains(mode.name()) && text.contains("S3"));
        }
    }

    @Test
    public void shouldRefuseToReleaseAnEpochThatHasNotBegun() {
        gate.mode(Mode.HOLDING);
        gate.beginEpoch(3);
        assertThrows(IllegalStateException.class, () -> gate.release(4));
    }

    @Test
    public void shouldRefuseToGoBackToAnEarlierEpoch() {
        gate.beginEpoch(3);
        gate.beginEpoch(3);
        assertThrows(IllegalStateException.class, () -> gate.beginEpoch(2));
    }

    @Test
    public void shouldRefuseFramesThatAreNone() {
        assertThrows(IllegalArgumentException.class, () -> gate.offer(0, ByteBuffer.allocate(0)));
        assertThrows(IllegalArgumentException.class, () -> gate.offer(0, ByteBuffer.allocate(FrameRing.FRAME_BYTES_MAX + 1)));
    }

    @Test
    public void shouldTryEveryFrameAndThenSayThatTheSinkFailed() throws Exception {
        EpochGate failing = new EpochGate("redis", (nic, frame) -> {
            if (nic == 1) {
                throw new IllegalStateException("cable cut");
            }
            sent.add(nic + ":" + text(frame));
        }, GateLimits.DEFAULTS, () -> now);
        failing.mode(Mode.HOLDING);
        failing.offer(1, frame("a"));
        failing.offer(0, frame("b"));
        failing.offer(1, frame("c"));
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> failing.mode(Mode.OPEN));
        assertTrue(e.getMessage(), e.getMessage().contains("2 of 3"));
        assertEquals("cable cut", e.getCause().getMessage());
        failing.offer(0, frame("d"));
        assertSent("0:b", "0:d");
    }

    @Test
    public void shouldLoseNothingWhenLimitsChange() throws Exception {
        EpochGate tuned = gate(new GateLimits(1 << 20, 200, 1 << 20));
        tuned.mode(Mode.HOLDING);
        for (int i = 0; i < 100; i++) {
            tuned.beginEpoch(i);
            tuned.offer(i % 2, frame("f" + i));
        }
        tuned.limits(new GateLimits(GateLimits.BYTES_LOWEST, GateLimits.FRAMES_LOWEST, GateLimits.BYTES_LOWEST));
        assertEquals(100, tuned.heldFrames());
        assertEquals(50, tuned.release(49));
        tuned.limits(GateLimits.DEFAULTS);
        assertEquals(50, tuned.release(99));
        for (int i = 0; i < 100; i++) {
            assertEquals(i % 2 + ":f" + i, sent.get(i));
        }
    }

    private void offer(int nic, String text) throws InterruptedException {
        gate.offer(nic, frame(text));
    }

    private void assertSent(String... expected) {
        assertEquals(List.of(expected), sent);
    }

    static ByteBuffer frame(String text) {
        return ByteBuffer.wrap(text.getBytes());
    }

    static String text(ByteBuffer frame) {
        byte[] bytes = new byte[frame.remaining()];
        frame.get(bytes);
        return new String(bytes);
    }
}
