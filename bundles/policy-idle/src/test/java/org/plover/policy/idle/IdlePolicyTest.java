package org.plover.policy.idle;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.plover.api.policy.Decision.CONTINUE;
import static org.plover.api.policy.Decision.END_IDLE;
import static org.plover.api.policy.Decision.END_INTERVAL_MAX;
import static org.plover.api.policy.Decision.END_OUTPUT;

import java.util.concurrent.TimeUnit;

import org.junit.Test;
import org.plover.api.policy.Decision;
import org.plover.api.policy.EpochView;

/** Rule by rule, with the default settings: 500 us samples, 2 idle samples, 1 ms, 100 ms for output, 1000 ms in any case, 30 ms for the peer, 4 MiB. */
public class IdlePolicyTest {
    private static final boolean PEER_IDLE = true;
    private static final boolean PEER_BUSY = false;

    /** The rules are tested with values of their own, whatever the defaults are. */
    private final IdleSettings settings = new IdleSettings(500, 50, 2, 1, 100, 1_000, 30, 4_194_304);

    @Test
    public void shouldEndWhenBothGuestsAreIdleAndOutputWaits() {
        // age in us, idle samples, peer, held frames, held bytes, inputs
        expect(END_IDLE, epoch(5_000, 2, PEER_IDLE, 1, 60, 0));
        expect(END_IDLE, epoch(5_000, 50, PEER_IDLE, 1, 60, 3));
    }

    @Test
    public void shouldNotMistakeAGuestThatHasNotYetNoticedItsInputForAnIdleOne() {
        expect(CONTINUE, epoch(5_000, 2, PEER_IDLE, 0, 0, 1));
        expect(CONTINUE, epoch(700_000, 1_400, PEER_IDLE, 0, 0, 9));
    }

    @Test
    public void shouldContinueUntilTheGuestWasQuietForEnoughSamples() {
        expect(CONTINUE, epoch(5_000, 0, PEER_IDLE, 1, 60, 1));
        expect(CONTINUE, epoch(5_000, 1, PEER_IDLE, 1, 60, 1));
    }

    @Test
    public void shouldWaitForABusyBackupButNotForever() {
        expect(CONTINUE, epoch(50_000, 2, PEER_BUSY, 1, 60, 1));
        expect(CONTINUE, epoch(50_000, 2 + 59, PEER_BUSY, 1, 60, 1));
        expect(END_IDLE, epoch(50_000, 2 + 60, PEER_BUSY, 1, 60, 1));
    }

    @Test
    public void shouldNotOverflowWhenAGuestHasBeenIdleForYears() {
        expect(END_IDLE, epoch(50_000, Integer.MAX_VALUE, PEER_BUSY, 1, 60, 1));
    }

    @Test
    public void shouldNotEndBeforeTheShortestInterval() {
        expect(CONTINUE, epoch(999, 5, PEER_IDLE, 1, 60, 1));
        expect(CONTINUE, epoch(999, 0, PEER_BUSY, 9_000, 5_000_000, 1));
        expect(END_IDLE, epoch(1_000, 5, PEER_IDLE, 1, 60, 1));
    }

    @Test
    public void shouldEndABusyEpochWhenOutputHasWaitedForTheLongestInterval() {
        expect(CONTINUE, epoch(99_999, 0, PEER_BUSY, 1, 60, 0));
        expect(END_INTERVAL_MAX, epoch(100_000, 0, PEER_BUSY, 1, 60, 0));
        expect(CONTINUE, epoch(700_000, 99_999, 0, PEER_BUSY, 1, 60, 1));
        expect(END_INTERVAL_MAX, epoch(700_000, 100_000, 0, PEER_BUSY, 1, 60, 1));
    }

    @Test
    public void shouldLetTheGuestAnswerARequestThatComesAfterALongSilence() {
        expect(CONTINUE, epoch(700_000, 0, PEER_BUSY, 0, 0, 1));
        expect(CONTINUE, epoch(700_000, 10, 0, PEER_BUSY, 1, 60, 1));
        expect(END_IDLE, epoch(701_000, 1_010, 2, PEER_IDLE, 1, 60, 1));
    }

    @Test
    public void shouldNotHurryWhenNobodyWaits() {
        expect(CONTINUE, epoch(5_000, 10, PEER_IDLE, 0, 0, 0));
        expect(CONTINUE, epoch(100_000, 0, PEER_BUSY, 0, 0, 0));
        expect(CONTINUE, epoch(999_999, 2_000, PEER_IDLE, 0, 0, 0));
    }

    @Test
    public void shouldEndEveryEpochSomeDay() {
        expect(END_INTERVAL_MAX, epoch(1_000_000, 2_000, PEER_IDLE, 0, 0, 0));
        expect(END_INTERVAL_MAX, epoch(1_000_000, 0, PEER_BUSY, 0, 0, 0));
        expect(END_INTERVAL_MAX, epoch(1_000_000, 0, PEER_BUSY, 0, 0, 1));
        expect(END_INTERVAL_MAX, epoch(1_000_000, 10, 0, PEER_BUSY, 1, 60, 1));
    }

    @Test
    public void shouldEndWhenMuchOutputWaits() {
        expect(CONTINUE, epoch(5_000, 0, PEER_BUSY, 3_000, 4_194_303, 1));
        expect(END_OUTPUT, epoch(5_000, 0, PEER_BUSY, 3_000, 4_194_304, 1));
        expect(END_OUTPUT, epoch(50_000, 9, PEER_IDLE, 3_000, 4_194_304, 1));
    }

    @Test
    public void shouldCountASampleAsQuietUpToTheThreshold() {
        IdlePolicy policy = new IdlePolicy();
        assertTrue(policy.isQuiet(0, 0));
        assertTrue(policy.isQuiet(50, 0));
        assertFalse(policy.isQuiet(51, 0));
        assertFalse(policy.isQuiet(51, 1_000));
    }

    @Test
    public void shouldFollowEveryThresholdFromTheNextQuestionOn() {
        IdlePolicy policy = new IdlePolicy();
        TestConfig config = new TestConfig();
        EpochView idle = epoch(5_000, 2, PEER_IDLE, 1, 60, 1);
        assertEquals(END_IDLE, policy.decide(idle));

        policy.configure(config.with("idleSamples", 3).build());
        assertEquals(CONTINUE, policy.decide(idle));
        policy.configure(config.with("intervalMillisMax", 5).build());
        assertEquals(END_INTERVAL_MAX, policy.decide(idle));
        policy.configure(config.with("heldBytesMax", 60L).build());
        assertEquals(END_OUTPUT, policy.decide(idle));
        policy.configure(config.with("intervalMillisMin", 5).with("intervalMillisMax", 6).build());
        assertEquals(END_OUTPUT, policy.decide(idle));
        policy.configure(config.with("intervalMillisMin", 6).build());
        assertEquals(CONTINUE, policy.decide(idle));
        policy.configure(config.with("idleIntervalMillisMax", 6).build());
        assertEquals(END_INTERVAL_MAX, policy.decide(epoch(6_000, 0, PEER_BUSY, 0, 0, 0)));
        policy.configure(new TestConfig().with("peerIdleWaitMillis", 0).build());
        assertEquals(END_IDLE, policy.decide(epoch(5_000, 2, PEER_BUSY, 1, 60, 1)));
        policy.configure(config.with("sampleIntervalMicros", 700).with("busyPermilleMax", 900).build());
        assertEquals(700, policy.sampleIntervalMicros());
        assertTrue(policy.isQuiet(900, 0));
    }

    @Test
    public void shouldKeepTheOldValuesWhenOneOfTheNewMakesNoSense() {
        IdlePolicy policy = new IdlePolicy();
        policy.configure(new TestConfig().with("sampleIntervalMicros", 700).build());
        policy.configure(new TestConfig().with("sampleIntervalMicros", 900).with("busyPermilleMax", 1_001).build());
        assertEquals(700, policy.sampleIntervalMicros());
        policy.configure(new TestConfig().with("sampleIntervalMicros", 900).with("intervalMillisMin", 500).build());
        assertEquals(700, policy.sampleIntervalMicros());
    }

    private void expect(Decision expected, EpochView epoch) {
        assertEquals(epoch.toString(), expected, IdlePolicy.decide(settings, epoch));
    }

    /** An epoch whose output, if any, was emitted at its beginning. */
    private static EpochView epoch(long ageMicros, int idleSamples, boolean peerIdle, int heldFrames, long heldBytes, long inputs) {
        return epoch(ageMicros, heldFrames > 0 ? ageMicros : 0, idleSamples, peerIdle, heldFrames, heldBytes, inputs);
    }

    private static EpochView epoch(long ageMicros, long heldMicros, int idleSamples, boolean peerIdle, int heldFrames, long heldBytes,
                                   long inputs) {
        return new View(TimeUnit.MICROSECONDS.toNanos(ageMicros), TimeUnit.MICROSECONDS.toNanos(heldMicros), idleSamples, peerIdle,
                heldFrames, heldBytes, inputs);
    }

    private record View(long ageNanos, long heldNanos, int idleSamples, boolean peerIdle, int heldFrames, long heldBytes, long inputs)
            implements EpochView {
        @Override
        public int busyPermille() {
            return idleSamples > 0 ? 0 : 1_000;
        }
    }
}
