package org.plover.api.settings;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.Test;

public class SettingsViewTest {
    @interface Config {
        int count() default 7;

        long bytesMax();

        boolean on() default true;

        String[] names() default {"a", "b"};

        String service_label() default "";
    }

    @Test
    public void shouldShowDefaultsWhereNothingIsConfigured() {
        Config config = SettingsView.of(Config.class, Map.of());
        assertEquals(7, config.count());
        assertEquals(0, config.bytesMax());
        assertTrue(config.on());
        assertArrayEquals(new String[] {"a", "b"}, config.names());
    }

    @Test
    public void shouldConvertWhateverConfigAdminMayHold() {
        Config config = SettingsView.of(Config.class,
                Map.of("count", " 9 ", "bytesMax", 12, "on", "false", "names", List.of("x"), "service.label", "l"));
        assertEquals(9, config.count());
        assertEquals(12, config.bytesMax());
        assertEquals(false, config.on());
        assertArrayEquals(new String[] {"x"}, config.names());
        assertEquals("l", config.service_label());
        assertArrayEquals(new String[] {"one"}, SettingsView.of(Config.class, Map.of("names", "one")).names());
    }

    @Test
    public void shouldNameKeyAndValueThatIsNoNumber() {
        var wrong = assertThrows(IllegalArgumentException.class, () -> SettingsView.of(Config.class, Map.of("count", "many")));
        assertEquals("count: 'many' is not a whole number that fits", wrong.getMessage());
        assertThrows(IllegalArgumentException.class, () -> SettingsView.of(Config.class, Map.of("count", 1L << 40)));
    }
}
