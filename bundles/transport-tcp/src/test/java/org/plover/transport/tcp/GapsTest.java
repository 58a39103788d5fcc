package org.plover.transport.tcp;

import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class GapsTest {
    private static final long MILLIS = 1_000_000L;

    private final Gaps gaps = new Gaps();
    private final Settings settings = new Settings(50, 500, 2_000, 10, 50, 3_000, 8 << 20, 32 << 20, 0, 0, "");

    private long borneMillis() {
        return gaps.silenceNanosMax(settings) / MILLIS;
    }

    @Test
    public void shouldBearTheConfiguredSilenceOfAPeerThatIsHeardRegularly() {
        assertEquals(500, borneMillis());
        gaps.add(200 * MILLIS, 1_000 * MILLIS);
        assertEquals(500, borneMillis());
    }

    @Test
    public void shouldBearTwiceTheLongestGapUpToTheMost() {
        gaps.add(400 * MILLIS, 1_000 * MILLIS);
        assertEquals(800, borneMillis());
        gaps.add(300 * MILLIS, 2_000 * MILLIS);
        assertEquals(800, borneMillis());
        gaps.add(1_800 * MILLIS, 5_000 * MILLIS);
        assertEquals(2_000, borneMillis());
    }

    @Test
    public void shouldForgetAGapThatDoesNotComeAgain() {
        gaps.add(400 * MILLIS, 1_000 * MILLIS);
        gaps.add(130 * MILLIS, 15_000 * MILLIS);
        assertEquals(800, borneMillis());
        gaps.add(130 * MILLIS, 45_000 * MILLIS);
        assertEquals(500, borneMillis());
        gaps.add(400 * MILLIS, 50_000 * MILLIS);
        gaps.add(130 * MILLIS, 900_000 * MILLIS);
        assertEquals(500, borneMillis());
    }

    @Test
    public void shouldKeepAFixedSilenceWhereTheMostIsBelowIt() {
        Settings fixed = new Settings(50, 5_000, 2_000, 10, 50, 3_000, 8 << 20, 32 << 20, 0, 0, "");
        gaps.add(4_000 * MILLIS, 1_000 * MILLIS);
        assertEquals(5_000, gaps.silenceNanosMax(fixed) / MILLIS);
    }
}
