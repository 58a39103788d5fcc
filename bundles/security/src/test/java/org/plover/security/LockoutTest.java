package org.plover.security;

import static org.junit.Assert.assertEquals;

import java.util.concurrent.TimeUnit;
import org.junit.Test;

public class LockoutTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private final Lockout lockout = new Lockout();
    private long now = 5 * SECOND;

    private void fail(int times) {
        for (int i = 0; i < times; i++) {
            lockout.failed("ada", 5, 20, 900, now);
        }
    }

    private long waitSeconds() {
        return lockout.waitMillis("ada", now) / 1000;
    }

    @Test
    public void shouldLetAFewSlipsPass() {
        fail(4);
        assertEquals(0, waitSeconds());
    }

    @Test
    public void shouldWaitLongerAfterEachFurtherOne() {
        fail(5);
        assertEquals(1, waitSeconds());
        fail(1);
        assertEquals(2, waitSeconds());
        fail(3);
        assertEquals(16, waitSeconds());
        now += 16 * SECOND;
        assertEquals(0, waitSeconds());
        assertEquals("others do not wait", 0, lockout.waitMillis("otto", now));
    }

    @Test
    public void shouldLockOutAfterTwentyHoweverFastTheyCome() {
        fail(20);
        assertEquals(900, waitSeconds());
        now += 100 * SECOND;
        assertEquals(800, waitSeconds());
        fail(1);
        assertEquals("who goes on waits on", 900, waitSeconds());
    }

    @Test
    public void shouldBeginAnewAfterALoginAndAfterALongTime() {
        fail(20);
        lockout.succeeded("ada");
        assertEquals(0, waitSeconds());
        fail(19);
        now += 901 * SECOND;
        fail(1);
        assertEquals(0, waitSeconds());
    }

    @Test
    public void shouldNotGrowWithoutEnd() {
        for (int i = 0; i < 20_000; i++) {
            lockout.failed("name" + i, 1, 1, 900, now);
        }
        assertEquals("the oldest are forgotten", 0, lockout.waitMillis("name0", now));
        assertEquals(900_000, lockout.waitMillis("name19999", now));
    }
}
