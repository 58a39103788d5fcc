package org.plover.machine.qemu;

import static org.junit.Assert.assertEquals;

import java.util.concurrent.TimeUnit;
import org.junit.Test;

public class PatienceTest {
    private final Patience patience = new Patience();

    private void took(long millis, int times) {
        for (int i = 0; i < times; i++) {
            patience.took(TimeUnit.MILLISECONDS.toNanos(millis));
        }
    }

    @Test
    public void shouldGiveAtLeastTheMinimum() {
        assertEquals(700, patience.limitMillis(700, 20_000));
        took(20, 100);
        assertEquals(700, patience.limitMillis(700, 20_000));
    }

    @Test
    public void shouldGiveSeveralTimesTheLongestOfLateOnABusyHost() {
        took(20, 30);
        took(400, 1);
        took(20, 60);
        assertEquals(3200, patience.limitMillis(700, 20_000));
        took(4000, 1);
        assertEquals("bounded", 20_000, patience.limitMillis(700, 20_000));
    }

    @Test
    public void shouldForgetALongOneAfterManyShortOnes() {
        took(1000, 1);
        took(10, 200);
        assertEquals(700, patience.limitMillis(700, 20_000));
    }
}
