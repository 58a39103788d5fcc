package org.plover.control;

import java.lang.reflect.Proxy;
import java.util.Collections;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** A Config Admin with the configuration of one protected VM. */
public final class FakeConfigurations {
    private final String pid;
    private volatile Map<String, Object> values;
    private volatile List<String> pins = List.of();

    public FakeConfigurations(String vm, Map<String, Object> values) {
        this.pid = "org.plover.vm~" + vm;
        this.values = new HashMap<>(values);
    }

    /** What is configured now. */
    public Map<String, Object> values() {
        return values;
    }

    public ConfigurationAdmin admin() {
        return proxy(ConfigurationAdmin.class, (method, argument) -> {
            if (method.equals("getFactoryConfiguration")) {
                return configuration();
            } else if (!method.equals("listConfigurations")) {
                throw new AssertionError(method + " is not expected");
            }
            if ("(service.pid=org.plover.peers)".equals(argument)) {
                return new Configuration[] {peers()};
            }
            return ("(service.pid=" + pid + ")").equals(argument) || "(service.factoryPid=org.plover.vm)".equals(argument)
                    ? new Configuration[] {configuration()} : null;
        });
    }

    /** The pins that are configured now. */
    public List<String> pins() {
        return pins;
    }

    private Configuration peers() {
        return proxy(Configuration.class, (method, argument) -> switch (method) {
            case "getProperties" -> new Hashtable<>(Map.of("pins", pins.toArray(String[]::new)));
            case "update" -> {
                pins = List.of((String[]) ((Dictionary<?, ?>) argument).get("pins"));
                yield null;
            }
            default -> throw new AssertionError(method + " is not expected");
        });
    }

    private Configuration configuration() {
        return proxy(Configuration.class, (method, argument) -> switch (method) {
            case "getPid" -> pid;
            case "getProperties" -> {
                Hashtable<String, Object> properties = new Hashtable<>(values);
                properties.put("service.pid", pid);
                yield properties;
            }
            case "update" -> {
                Map<String, Object> next = new HashMap<>();
                Dictionary<?, ?> given = (Dictionary<?, ?>) argument;
                Collections.list(given.keys()).forEach(key -> next.put((String) key, given.get(key)));
                values = next;
                yield null;
            }
            default -> throw new AssertionError(method + " is not expected");
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
