package org.plover.policy.str;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertThrows;
import static org.plover.api.policy.Decision.CONTINUE;
import static org.plover.api.policy.Decision.END_INTERVAL_MAX;
import static org.plover.api.policy.Decision.END_OUTPUT;

import java.lang.reflect.Method;
import java.util.concurrent.TimeUnit;

import org.junit.Test;
import org.plover.api.policy.Decision;
import org.plover.api.policy.EpochView;

public class StrPolicyTest {
    private static final StrSettings SETTINGS = new StrSettings(100, 1_000, 4_194_304);

    @Test
    public void shouldEndEveryEpochWhenItsIntervalIsOverWhateverTheGuestsDo() {
        for (boolean idle : new boolean[] {false, true}) {
            expect(CONTINUE, 0, 0, idle);
            expect(CONTINUE, 99_999, 60, idle);
            expect(END_INTERVAL_MAX, 100_000, 60, idle);
            expect(END_INTERVAL_MAX, 100_000, 0, idle);
            expect(END_INTERVAL_MAX, 700_000, 0, idle);
        }
    }

    @Test
    public void shouldEndBeforeItsTimeWhenMuchOutputWaits() {
        expect(CONTINUE, 1_000, 4_194_303, false);
        expect(END_OUTPUT, 1_000, 4_194_304, false);
    }

    @Test
    public void shouldFollowItsConfigurationFromTheNextQuestionOn() {
        StrPolicy policy = new StrPolicy();
        View epoch = new View(20_000_000, 60, false);
        assertEquals(CONTINUE, policy.decide(epoch));
        policy.configure(new TestConfig().with("intervalMillis", 20).with("sampleIntervalMicros", 700).build());
        assertEquals(END_INTERVAL_MAX, policy.decide(epoch));
        assertEquals(700, policy.sampleIntervalMicros());
    }

    @Test
    public void shouldKeepTheOldValuesWhenOneOfTheNewMakesNoSense() {
        StrPolicy policy = new StrPolicy();
        policy.configure(new TestConfig().with("sampleIntervalMicros", 700).build());
        policy.configure(new TestConfig().with("sampleIntervalMicros", 900).with("intervalMillis", 0).build());
        assertEquals(700, policy.sampleIntervalMicros());
    }

    @Test
    public void shouldNameTheKeyAndItsRangeForEveryKey() {
        assertRefused("intervalMillis", 60_001, "intervalMillis is 60001; set it to a value from 1 to 60000");
        assertRefused("sampleIntervalMicros", 49, "sampleIntervalMicros is 49; set it to a value from 50 to 1000000");
        assertRefused("heldBytesMax", 0L, "heldBytesMax is 0; set it to a value from 1 to 1073741824");
    }

    @Test
    public void shouldHaveTheSameDefaultsInTheFormAndInTheCodeAndReadEveryKey() {
        assertEquals(StrSettings.DEFAULTS, StrSettings.of(new TestConfig().build()));
        for (Method key : StrConfig.class.getDeclaredMethods()) {
            Object higher = key.getDefaultValue() instanceof Long value ? (Object) (value + 1) : (Object) ((Integer) key.getDefaultValue() + 1);
            assertNotEquals(key.getName(), StrSettings.DEFAULTS, StrSettings.of(new TestConfig().with(key.getName(), higher).build()));
        }
    }

    private static void assertRefused(String key, Object value, String text) {
        StrConfig config = new TestConfig().with(key, value).build();
        assertEquals(text, assertThrows(IllegalArgumentException.class, () -> StrSettings.of(config)).getMessage());
    }

    private static void expect(Decision expected, long ageMicros, long heldBytes, boolean idle) {
        EpochView epoch = new View(TimeUnit.MICROSECONDS.toNanos(ageMicros), heldBytes, idle);
        assertEquals(epoch.toString(), expected, StrPolicy.decide(SETTINGS, epoch));
    }

    private record View(long ageNanos, long heldBytes, boolean peerIdle) implements EpochView {
        @Override
        public int idleSamples() {
            return peerIdle ? 1_000 : 0;
        }

        @Override
        public int busyPermille() {
            return peerIdle ? 0 : 1_000;
        }

        @Override
        public int heldFrames() {
            return heldBytes > 0 ? 1 : 0;
        }

        @Override
        public long heldNanos() {
            return heldBytes > 0 ? ageNanos : 0;
        }

        @Override
        public long inputs() {
            return 1;
        }
    }
}
