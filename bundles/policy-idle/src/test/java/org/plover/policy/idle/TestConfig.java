package org.plover.policy.idle;

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

    IdleConfig build() {
        Map<String, Object> set = Map.copyOf(values);
        return (IdleConfig) Proxy.newProxyInstance(IdleConfig.class.getClassLoader(), new Class<?>[] {IdleConfig.class},
                (proxy, method, arguments) -> set.getOrDefault(method.getName(), method.getDefaultValue()));
    }
}
