package org.plover.policy.idle;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertThrows;

import java.lang.reflect.Method;

import org.junit.Test;

public class IdleSettingsTest {
    @Test
    public void shouldHaveTheSameDefaultsInTheFormAndInTheCode() {
        assertEquals(IdleSettings.DEFAULTS, IdleSettings.of(new TestConfig().build()));
    }

    @Test
    public void shouldNameTheKeyAndItsRangeForEveryKey() {
        assertRefused("sampleIntervalMicros", 49, "sampleIntervalMicros is 49; set it to a value from 50 to 1000000");
        assertRefused("busyPermilleMax", -1, "busyPermilleMax is -1; set it to a value from 0 to 1000");
        assertRefused("idleSamples", 0, "idleSamples is 0; set it to a value from 1 to 10000");
        assertRefused("intervalMillisMin", -1, "intervalMillisMin is -1; set it to a value from 0 to 60000");
        assertRefused("intervalMillisMax", 0, "intervalMillisMax is 0; set it to a value from 1 to 60000");
        assertRefused("idleIntervalMillisMax", 600_001, "idleIntervalMillisMax is 600001; set it to a value from 1 to 600000");
        assertRefused("peerIdleWaitMillis", 60_001, "peerIdleWaitMillis is 60001; set it to a value from 0 to 60000");
        assertRefused("heldBytesMax", 0L, "heldBytesMax is 0; set it to a value from 1 to 1073741824");
    }

    @Test
    public void shouldRefuseIntervalsInTheWrongOrder() {
        assertRefused("intervalMillisMin", 401, "intervalMillisMin is 401 and intervalMillisMax is 400; lower the first or raise the second");
        assertRefused("intervalMillisMax", 1_001,
                "intervalMillisMax is 1001 and idleIntervalMillisMax is 1000; lower the first or raise the second");
    }

    private static void assertRefused(String key, Object value, String text) {
        IdleConfig config = new TestConfig().with(key, value).build();
        assertEquals(text, assertThrows(IllegalArgumentException.class, () -> IdleSettings.of(config)).getMessage());
    }

    /** A key that the form offers and nobody reads would be a lie. */
    @Test
    public void shouldReadEveryKeyOfTheForm() {
        for (Method key : IdleConfig.class.getDeclaredMethods()) {
            Object higher = key.getDefaultValue() instanceof Long value ? (Object) (value + 1) : (Object) ((Integer) key.getDefaultValue() + 1);
            IdleSettings changed = IdleSettings.of(new TestConfig().with(key.getName(), higher).build());
            assertNotEquals(key.getName(), IdleSettings.DEFAULTS, changed);
        }
    }
}
