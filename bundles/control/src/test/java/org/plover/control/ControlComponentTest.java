package org.plover.control;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.lang.annotation.Annotation;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Version;

public class ControlComponentTest {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private final ControlComponent component = new ControlComponent();
    private Path data;

    @Before
    public void findData() throws IOException {
        data = folder.getRoot().toPath().toRealPath();
    }

    @After
    public void deactivate() throws IOException {
        component.deactivate();
    }

    @Test
    public void shouldListenInTheDataDirectory() throws IOException {
        component.activate(context(Map.of("plover.data", data.toString())), config(""));
        assertTrue(Files.exists(data.resolve("plover.sock")));
        component.deactivate();
        assertFalse(Files.exists(data.resolve("plover.sock")));
    }

    @Test
    public void shouldMoveTheSocketWhenItsPathChanges() throws IOException {
        component.activate(context(Map.of("plover.data", data.toString())), config(""));
        component.modified(config(data.resolve("other.sock").toString()));
        assertFalse(Files.exists(data.resolve("plover.sock")));
        assertTrue(Files.exists(data.resolve("other.sock")));
        component.modified(config(""));
        assertTrue(Files.exists(data.resolve("plover.sock")));
        assertFalse(Files.exists(data.resolve("other.sock")));
    }

    @Test
    public void shouldKeepTheSocketWhenItCannotBeMoved() throws IOException {
        component.activate(context(Map.of("plover.data", data.toString())), config(""));
        Files.writeString(data.resolve("taken"), "a file");
        assertThrows(IOException.class, () -> component.modified(config(data.resolve("taken").toString())));
        assertTrue(Files.exists(data.resolve("plover.sock")));
    }

    @Test
    public void shouldOpenNoSocketInAnApplianceThatOnlyChecksTheHost() throws IOException {
        component.activate(context(Map.of("plover.data", data.toString(), "plover.check", "true")), config(""));
        assertEquals(0, folder.getRoot().list().length);
    }

    private static ControlConfig config(String path) {
        return new ControlConfig() {
            @Override
            public String socketPath() {
                return path;
            }

            @Override
            public int timeoutSeconds() {
                return 60;
            }

            @Override
            public Class<? extends Annotation> annotationType() {
                return ControlConfig.class;
            }
        };
    }

    private static BundleContext context(Map<String, String> properties) {
        Bundle bundle = proxy(Bundle.class, (method, argument) -> method.equals("getVersion") ? new Version(0, 1, 0) : null);
        return proxy(BundleContext.class, (method, argument) -> switch (method) {
            case "getProperty" -> properties.get(argument);
            case "getBundle" -> bundle;
            default -> throw new AssertionError(method + " is not for this component");
        });
    }

    private interface Answer {
        Object to(String method, Object argument);
    }

    private static <T> T proxy(Class<T> type, Answer answer) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
                (self, method, arguments) -> answer.to(method.getName(), arguments == null ? null : arguments[0])));
    }
}
