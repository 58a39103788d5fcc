package org.plover.consensus.paxos;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import org.junit.Before;
import org.junit.Test;

/** What is learned of a peer's gaps, on simulated time and with the default settings. */
public class SilenceTest {
    private static final long MILLIS = 1_000_000L;
    private static final Settings SETTINGS = Settings.DEFAULT;

    private final Silence silence = new Silence();
    private long now = 5_000 * MILLIS;

    @Before
    public void setUp() {
        silence.begin(now);
    }

    private void hear(int times, long gapMillis) {
        for (int i = 0; i < times; i++) {
            now += gapMillis * MILLIS;
            silence.heard(now, SETTINGS);
        }
    }

    private long timeoutMillis() {
        return silence.timeoutNanos(now, SETTINGS) / MILLIS;
    }

    @Test
    public void shouldGiveARegularPeerTheShortestTime() {
        hear(500, 20);
        assertEquals(150, timeoutMillis());
        now += 150 * MILLIS;
        assertFalse(silence.isTooLong(now, SETTINGS));
        now += MILLIS;
        assertTrue(silence.isTooLong(now, SETTINGS));
    }

    @Test
    public void shouldGiveAPeerThatIsHardlyKnownMoreTime() {
        hear(20, 20);
        assertEquals(300, timeoutMillis());
    }

    @Test
    public void shouldNotPunishANetworkThatJitters() {
        for (int i = 0; i < 500; i++) {
            hear(1, 20 + i * 37 % 130);
            assertFalse(silence.isTooLong(now + 149 * MILLIS, SETTINGS));
        }
        assertTrue("gaps of up to 149 ms were seen, " + timeoutMillis() + " ms are borne", timeoutMillis() >= 2 * 149);
    }

    @Test
    public void shouldBearTheNextStallOfAPeerThatStallsNowAndThen() {
        for (int i = 0; i < 6; i++) {
            hear(200, 20);
            hear(1, 140);
        }
        hear(200, 20);
        assertFalse("a stall of 200 ms after some of 140 ms", silence.isTooLong(now + 200 * MILLIS, SETTINGS));
        hear(1, 200);
        hear(200, 20);
        assertFalse("and a longer one after that", silence.isTooLong(now + 390 * MILLIS, SETTINGS));
    }

    @Test
    public void shouldForgetStallsThatDoNotComeAgain() {
        hear(200, 20);
        hear(1, 400);
        hear(100, 20);
        assertEquals(800, timeoutMillis());
        hear(2000, 20);
        assertEquals(150, timeoutMillis());
    }

    @Test
    public void shouldLearnFromTheStallThatMadeOthersGoOnWithoutIt() {
        hear(500, 20);
        silence.suspect();
        now += 240 * MILLIS;
        silence.isOver(now, SETTINGS);
        silence.begin(now);
        hear(100, 20);
        assertEquals(480, timeoutMillis());
    }

    @Test
    public void shouldNotLearnFromTheTimeInWhichNothingWasExpected() {
        hear(500, 20);
        silence.end();
        now += 5_000 * MILLIS;
        silence.isOver(now, SETTINGS);
        silence.heard(now, SETTINGS);
        hear(100, 20);
        assertEquals(150, timeoutMillis());
    }

    @Test
    public void shouldNotLearnFromASilenceThatEndedWithANewLink() {
        hear(500, 20);
        silence.suspect();
        silence.lost();
        now += 240 * MILLIS;
        silence.isOver(now, SETTINGS);
        silence.begin(now);
        hear(100, 20);
        assertEquals(150, timeoutMillis());
    }

    @Test
    public void shouldNeverBearMoreThanTheLongest() {
        hear(200, 20);
        hear(3, 5_000);
        assertEquals(1_000, timeoutMillis());
    }

    @Test
    public void shouldNotTakeAPauseOfThisMemberForSilence() {
        hear(500, 20);
        now += 600 * MILLIS;
        silence.forgive(590 * MILLIS, now, SETTINGS);
        assertFalse(silence.isTooLong(now, SETTINGS));
        hear(1, 5);
        hear(200, 20);
        assertEquals("and not learn from it either", 150, timeoutMillis());
    }

    @Test
    public void shouldFindOutInTheEndThoughThisMemberHardlyRuns() {
        hear(500, 20);
        boolean found = false;
        for (int i = 0; i < 30 && !found; i++) {
            now += 50 * MILLIS;
            silence.forgive(40 * MILLIS, now, SETTINGS);
            found = silence.isTooLong(now, SETTINGS);
        }
        assertTrue(found);
    }

    @Test
    public void shouldTakeMessagesInQuickSuccessionForNoEvidence() {
        hear(200, 20);
        hear(10_000, 0);
        assertEquals(150, timeoutMillis());
        hear(200, 20);
        assertEquals(150, timeoutMillis());
    }
}
