package org.plover.gate.epoch;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import java.lang.annotation.Annotation;
import java.nio.ByteBuffer;

import org.junit.Test;
import org.plover.api.gate.OutputGate;

public class EpochGateProviderTest {
    private final EpochGateProvider provider = new EpochGateProvider();

    @Test
    public void shouldHaveTheSameDefaultsInTheFormAndInTheCode() throws Exception {
        assertEquals(GateLimits.DEFAULTS, new GateLimits(formDefault("bytesMax"), formDefault("framesMax"), formDefault("standbyBytesMax")));
    }

    private static int formDefault(String key) throws NoSuchMethodException {
        return (Integer) EpochGateConfig.class.getDeclaredMethod(key).getDefaultValue();
    }

    @Test
    public void shouldApplyNewLimitsToGatesThatExist() throws Exception {
        OutputGate gate = provider.create("redis", (nic, frame) -> { });
        provider.configure(config(1 << 20, 64, 1 << 20));
        gate.mode(OutputGate.Mode.STANDBY);
        for (int i = 0; i < 100; i++) {
            gate.offer(0, ByteBuffer.allocate(60));
        }
        assertEquals(64, gate.heldFrames());
    }

    @Test
    public void shouldKeepTheOldLimitsWhenTheNewOnesMakeNoSense() throws Exception {
        provider.configure(config(1 << 20, 64, 1 << 20));
        provider.configure(config(1 << 20, 3, 1 << 20));
        OutputGate gate = provider.create("redis", (nic, frame) -> { });
        gate.mode(OutputGate.Mode.STANDBY);
        for (int i = 0; i < 100; i++) {
            gate.offer(0, ByteBuffer.allocate(60));
        }
        assertEquals(64, gate.heldFrames());
    }

    @Test
    public void shouldSayWhichKeyIsWrongAndWhatItMayBe() {
        String text = assertThrows(IllegalArgumentException.class, () -> new GateLimits(5, 64, 1 << 20)).getMessage();
        assertEquals("bytesMax is 5; set it to a value from 131072 to 1073741824", text);
    }

    private static EpochGateConfig config(int bytesMax, int framesMax, int standbyBytesMax) {
        return new EpochGateConfig() {
            @Override
            public Class<? extends Annotation> annotationType() {
                return EpochGateConfig.class;
            }

            @Override
            public int bytesMax() {
                return bytesMax;
            }

            @Override
            public int framesMax() {
                return framesMax;
            }

            @Override
            public int standbyBytesMax() {
                return standbyBytesMax;
            }
        };
    }
}
