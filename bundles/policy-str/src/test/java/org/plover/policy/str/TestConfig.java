package org.plover.policy.str;

import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.Map;

/** A configuration with the form's defaults, except for what a test sets. */
final class TestConfig {
    private final Map<String, Object> values = new HashMap<>();

    TestConfig with(String key, Object value) {
        values.put(key, value);
        return this;
    }

    StrConfig build() {
        Map<String, Object> set = Map.copyOf(values);
        return (StrConfig) Proxy.newProxyInstance(StrConfig.class.getClassLoader(), new Class<?>[] {StrConfig.class},
                (proxy, method, arguments) -> set.getOrDefault(method.getName(), method.getDefaultValue()));
    }
}
