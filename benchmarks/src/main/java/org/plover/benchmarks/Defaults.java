package org.plover.benchmarks;

import java.lang.reflect.Proxy;
import java.util.Map;

/** Component configurations outside of OSGi: the defaults that their declarations name, and what a benchmark wants different. */
public final class Defaults {
    private Defaults() {}

    /** @param others values by key, for keys that are not to have their default */
    public static <A> A of(Class<A> type, Map<String, Object> others) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
                (proxy, method, arguments) -> others.getOrDefault(method.getName(), method.getDefaultValue())));
    }
}
