package org.plover.gate.epoch;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import org.junit.After;
import org.junit.Test;
import org.plover.api.gate.OutputGate.Mode;

public class EpochGateConcurrencyTest {
    private static final GateLimits SMALL = new GateLimits(GateLimits.BYTES_LOWEST, GateLimits.FRAMES_LOWEST, GateLimits.BYTES_LOWEST);

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final ConcurrentLinkedQueue<String> sent = new ConcurrentLinkedQueue<>();

    @After
    public void stopThreads() throws InterruptedException {
        threads.shutdownNow();
        assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS));
    }

    private EpochGate fullGate() throws InterruptedException {
        EpochGate gate = new EpochGate("redis", (nic, frame) -> sent.add(EpochGateTest.text(frame)), SMALL, System::nanoTime);
        gate.mode(Mode.HOLDING);
        for (int i = 0; i < GateLimits.FRAMES_LOWEST; i++) {
            gate.offer(0, EpochGateTest.frame("held" + i));
        }
        gate.beginEpoch(1);
        return gate;
    }

    /** Starts an offer that has to block, and waits until it does. */
    private Future<?> blockedOffer(EpochGate gate, String text) throws Exception {
        Thread[] reader = new Thread[1];
        CountDownLatch started = new CountDownLatch(1);
        Future<?> offer = submit(() -> {
            reader[0] = Thread.currentThread();
            started.countDown();
            gate.offer(0, EpochGateTest.frame(text));
            return null;
        });
        started.await();
        while (reader[0].getState() != Thread.State.WAITING) {
            assertFalse("the offer should block", offer.isDone());
            Thread.onSpinWait();
        }
        return offer;
    }

    private <T> Future<T> submit(Callable<T> task) {
        return threads.submit(task);
    }

    private static void assertReturns(Future<?> offer) throws Exception {
        offer.get(10, TimeUnit.SECONDS);
    }

    @Test
    public void shouldBlockTheReaderOfAFullGateUntilOutputIsReleased() throws Exception {
        EpochGate gate = fullGate();
        Future<?> offer = blockedOffer(gate, "late");
        assertEquals(64, gate.release(0));
        assertReturns(offer);
        assertEquals(1, gate.heldFrames());
        assertEquals(1, gate.release(1));
    }

    @Test
    public void shouldGiveAFrameThatHadToWaitTheEpochInWhichItEnters() throws Exception {
        EpochGate gate = fullGate();
        Future<?> offer = blockedOffer(gate, "late");
        gate.beginEpoch(2);
        gate.release(0);
        assertReturns(offer);
        assertEquals(0, gate.release(1));
        assertEquals(1, gate.release(2));
    }

    @Test
    public void shouldWakeTheReaderWhenOutputIsDiscarded() throws Exception {
        EpochGate gate = fullGate();
        Future<?> offer = blockedOffer(gate, "late");
        assertEquals(64, gate.discard(0));
        assertReturns(offer);
        assertEquals(1, gate.heldFrames());
    }

    @Test
    public void shouldDiscardAWaitingFrameWithTheEpochInWhichItWasOffered() throws Exception {
        EpochGate gate = fullGate();
        Future<?> offer = blockedOffer(gate, "stale");
        gate.beginEpoch(2);
        gate.discard(1);
        assertReturns(offer);
        assertEquals(0, gate.heldFrames());
    }

    @Test
    public void shouldWakeTheReaderAndDropItsFrameWhenClosedHoweverBriefly() throws Exception {
        EpochGate gate = fullGate();
        Future<?> offer = blockedOffer(gate, "late");
        gate.mode(Mode.CLOSED);
        gate.mode(Mode.HOLDING);
        assertReturns(offer);
        assertEquals(0, gate.heldFrames());
        assertTrue(sent.isEmpty());
    }

    @Test
    public void shouldSendAWaitingFrameAfterTheHeldOnesWhenOpened() throws Exception {
        EpochGate gate = fullGate();
        Future<?> offer = blockedOffer(gate, "late");
        gate.mode(Mode.OPEN);
        assertReturns(offer);
        List<String> order = new ArrayList<>(sent);
        assertEquals(65, order.size());
        assertEquals("late", order.get(64));
    }

    @Test
    public void shouldMakeRoomForAWaitingFrameWhenTheGateGoesToStandby() throws Exception {
        EpochGate gate = fullGate();
        Future<?> offer = blockedOffer(gate, "late");
        gate.mode(Mode.STANDBY);
        assertReturns(offer);
        assertEquals(64, gate.heldFrames());
        assertEquals(1, gate.droppedFrames());
    }

    @Test
    public void shouldWakeTheReaderWhenLimitsAreRaised() throws Exception {
        EpochGate gate = fullGate();
        Future<?> offer = blockedOffer(gate, "late");
        gate.limits(GateLimits.DEFAULTS);
        assertReturns(offer);
        assertEquals(65, gate.heldFrames());
    }

    @Test
    public void shouldLetAWaitingReaderBeInterrupted() throws Exception {
        EpochGate gate = fullGate();
        CountDownLatch interrupted = new CountDownLatch(1);
        Thread reader = new Thread(() -> {
            try {
                gate.offer(0, EpochGateTest.frame("late"));
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
        });
        reader.start();
        while (reader.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        reader.interrupt();
        assertTrue(interrupted.await(10, TimeUnit.SECONDS));
        reader.join();
    }

    @Test
    public void shouldNotReturnFromAModeChangeWhileAFrameIsStillPassing() throws Exception {
        CountDownLatch inSink = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        EpochGate gate = new EpochGate("redis", (nic, frame) -> {
            inSink.countDown();
            awaitQuietly(goOn);
            sent.add(EpochGateTest.text(frame));
        }, SMALL, System::nanoTime);
        gate.mode(Mode.OPEN);
        Future<?> offer = submit(() -> {
            gate.offer(0, EpochGateTest.frame("passing"));
            return null;
        });
        inSink.await();
        Future<Integer> sentWhenClosed = submit(() -> {
            gate.mode(Mode.CLOSED);
            return sent.size();
        });
        while (gate.mode() != Mode.CLOSED) {
            Thread.onSpinWait();
        }
        assertFalse(sentWhenClosed.isDone());
        goOn.countDown();
        assertEquals(Integer.valueOf(1), sentWhenClosed.get(10, TimeUnit.SECONDS));
        assertReturns(offer);
    }

    @Test
    public void shouldNotBlockReadersWhileOutputIsBeingReleased() throws Exception {
        CountDownLatch inSink = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        EpochGate gate = new EpochGate("redis", (nic, frame) -> {
            inSink.countDown();
            awaitQuietly(goOn);
        }, SMALL, System::nanoTime);
        gate.mode(Mode.HOLDING);
        gate.offer(0, EpochGateTest.frame("first"));
        Future<Integer> release = submit(() -> gate.release(0));
        inSink.await();
        gate.offer(0, EpochGateTest.frame("second"));
        assertEquals(2, gate.heldFrames());
        goOn.countDown();
        assertEquals(Integer.valueOf(1), release.get(10, TimeUnit.SECONDS));
        assertEquals(1, gate.heldFrames());
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    public void shouldKeepTheOrderOfEveryInterfaceAcrossModeFlips() throws Exception {
        int nics = 3;
        int framesPerNic = 10_000;
        long[] next = new long[nics];
        AtomicBoolean ordered = new AtomicBoolean(true);
        EpochGate gate = new EpochGate("redis", (nic, frame) -> {
            Thread.yield(); // a sink that takes its time gives the others a chance to overtake
            synchronized (next) {
                ordered.compareAndSet(true, frame.getLong(frame.position()) == next[nic]);
                next[nic]++;
            }
        }, SMALL, System::nanoTime);
        gate.mode(Mode.HOLDING);
        List<Future<Void>> readers = new ArrayList<>();
        for (int nic = 0; nic < nics; nic++) {
            readers.add(submit(reader(gate, nic, framesPerNic)));
        }
        Random random = new Random(17);
        for (long epoch = 1; !readers.stream().allMatch(Future::isDone); epoch++) {
            gate.beginEpoch(epoch);
            switch (random.nextInt(8)) {
                case 0 -> gate.mode(Mode.OPEN);
                case 1 -> gate.limits(random.nextBoolean() ? SMALL : GateLimits.DEFAULTS);
                default -> {
                    gate.mode(Mode.HOLDING);
                    gate.release(epoch - random.nextInt(2));
                }
            }
        }
        assertNoneFailed(readers);
        gate.mode(Mode.OPEN);
        assertTrue("a frame was lost, repeated or overtaken", ordered.get());
        for (int nic = 0; nic < nics; nic++) {
            assertEquals(framesPerNic, next[nic]);
        }
    }

    private static Callable<Void> reader(EpochGate gate, int nic, int frames) {
        return () -> {
            ByteBuffer frame = ByteBuffer.allocateDirect(1_514);
            for (long i = 0; i < frames; i++) {
                frame.clear().limit(60 + (int) (i * 7 % 1_455));
                frame.putLong(0, i);
                gate.offer(nic, frame);
            }
            return null;
        };
    }

    private static void assertNoneFailed(List<Future<Void>> readers) throws InterruptedException, ExecutionException {
        for (Future<Void> reader : readers) {
            reader.get();
        }
    }
}
