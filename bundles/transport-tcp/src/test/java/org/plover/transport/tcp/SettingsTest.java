package org.plover.transport.tcp;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.lang.annotation.Annotation;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.Map;
import org.junit.Test;
import org.plover.api.transport.Lane;
import org.plover.api.transport.Transport;

public class SettingsTest {
    /** The configuration with its declared defaults and some other values. */
    private static TcpTransportConfig config(Map<String, Object> values) {
        return (TcpTransportConfig) Proxy.newProxyInstance(TcpTransportConfig.class.getClassLoader(),
                new Class<?>[] {TcpTransportConfig.class},
                (proxy, method, args) -> method.getName().equals("annotationType") ? (Class<? extends Annotation>) TcpTransportConfig.class
                        : values.getOrDefault(method.getName(), method.getDefaultValue()));
    }

    @Test
    public void shouldAcceptItsOwnDefaults() {
        Settings defaults = Settings.of(config(Map.of()));
        assertEquals(TcpTransportConfig.SILENCE_MILLIS, defaults.silenceMillis());
        assertEquals(TcpTransportConfig.BULK_QUEUE_BYTES_MAX, defaults.queueBytesMax(Lane.BULK));
    }

    @Test
    public void shouldNameTheKeyAndTheRangeOfAValueThatCannotBe() {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                () -> Settings.of(config(Map.of("silenceMillis", 99))));
        assertTrue(e.getMessage(), e.getMessage().contains("silenceMillis is 99, must be at least twice heartbeatMillis (50)"));
    }

    @Test
    public void shouldTuneAnOpenTransportAndKeepTheFormerValuesWhenTheNewOnesCannotBe() throws Exception {
        Trio trio = new Trio(Trio.Security.PLAIN);
        Map<String, Object> values = new HashMap<>(Map.of("silenceMillis", 10_000));
        TcpTransportProvider provider = new TcpTransportProvider(config(values), Keys.plain());
        try (Transport transport = provider.open(trio.group(0), 1, new Recorder())) {
            assertEquals(10_000, ((TcpTransport) transport).settings().silenceMillis());
            values.put("silenceMillis", 20_000);
            provider.modified(config(values));
            assertEquals(20_000, ((TcpTransport) transport).settings().silenceMillis());
            values.put("silenceMillis", 1);
            provider.modified(config(values));
            assertEquals(20_000, ((TcpTransport) transport).settings().silenceMillis());

            provider.deactivate();
            trio.open(0, new Recorder(), Trio.QUICK).close(); // the port is free again
        }
    }
}
