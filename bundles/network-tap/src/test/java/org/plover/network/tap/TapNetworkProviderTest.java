package org.plover.network.tap;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertThrows;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.Map;

import org.junit.After;
import org.junit.Test;
import org.plover.api.network.PortSpec;

/** What needs no rights; the rest is in {@link TapNetworkIT}. */
public class TapNetworkProviderTest {
    private final TapNetworkProvider provider = new TapNetworkProvider();

    @After
    public void deactivate() {
        provider.deactivate();
    }

    @Test
    public void shouldRefuseSpecificationsThatNoHostCouldFulfil() {
        assertRefused(new PortSpec(0, "tap0", "", 9_001, "52:54:00:12:34:56"), "tap tap0: MTU 9001 is out of range; set it to a value from 68 to 9000");
        assertRefused(new PortSpec(0, "tap0", "", 67, "52:54:00:12:34:56"), "tap tap0: MTU 67 is out of range; set it to a value from 68 to 9000");
        assertRefused(new PortSpec(0, "tap0", "", 1_500, "52:54:00"),
                "tap tap0: MAC address 52:54:00 is none; write it as 52:54:00:12:34:56");
        for (String name : new String[] {"", "tap%d", "a/b", "..", "sixteen-letters-"}) {
            assertRefused(new PortSpec(0, name, "", 1_500, "52:54:00:12:34:56"),
                    "tap '" + name + "': not a name for an interface; use 1 to 15 letters, digits, '-', '_' or '.'");
        }
    }

    private void assertRefused(PortSpec spec, String text) {
        assertEquals(text, assertThrows(IOException.class, () -> provider.open(spec, (nic, frame) -> { })).getMessage());
    }

    @Test
    public void shouldHaveTheSameDefaultsInTheFormAndInTheCode() {
        provider.configure(config(Map.of("announceCount", 7)));
        assertNotEquals(TapSettings.DEFAULTS, provider.settings());
        provider.configure(config(Map.of()));
        assertEquals(TapSettings.DEFAULTS, provider.settings());
    }

    @Test
    public void shouldKeepTheOldValuesWhenOneOfTheNewMakesNoSense() {
        provider.configure(config(Map.of("announceCount", 7)));
        for (String key : new String[] {"announceCount", "announceIntervalMillis", "addressAgeSeconds", "queueFrames"}) {
            Map<String, Object> values = new HashMap<>(Map.of("announceCount", 8));
            values.put(key, -1);
            provider.configure(config(values));
            assertEquals(7, provider.settings().announceCount());
        }
    }

    private static TapConfig config(Map<String, Object> values) {
        return (TapConfig) Proxy.newProxyInstance(TapConfig.class.getClassLoader(), new Class<?>[] {TapConfig.class},
                (proxy, method, arguments) -> values.getOrDefault(method.getName(), method.getDefaultValue()));
    }
}
