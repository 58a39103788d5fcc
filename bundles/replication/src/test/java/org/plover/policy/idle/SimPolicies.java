package org.plover.policy.idle;

import java.lang.reflect.Proxy;
import java.util.Map;
import org.plover.api.policy.SyncPolicy;

/** The real policy; it remembers nothing but its settings, so that all simulated groups can share it. */
public final class SimPolicies {
    public static final SyncPolicy AS_SHIPPED = with(Map.of());
    /** Ends epochs much more often, so that a run has many of them. */
    public static final SyncPolicy BRISK = with(Map.of("sampleIntervalMicros", 1000, "intervalMillisMax", 25, "idleIntervalMillisMax", 25));

    private SimPolicies() {
    }

    private static SyncPolicy with(Map<String, Object> settings) {
        IdlePolicy policy = new IdlePolicy();
        policy.configure((IdleConfig) Proxy.newProxyInstance(IdleConfig.class.getClassLoader(), new Class<?>[] {IdleConfig.class},
                (proxy, method, arguments) -> settings.getOrDefault(method.getName(), method.getDefaultValue())));
        return policy;
    }
}
