package org.plover.replication;

import static org.junit.Assert.assertEquals;

import java.lang.reflect.Proxy;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.Test;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.cm.ConfigurationEvent;
import org.plover.api.status.VmEvent;
import org.slf4j.LoggerFactory;

public class SettingsWatchTest {
    private final Map<String, Map<String, Object>> configurations = new TreeMap<>(Map.of("org.plover.policy.idle", Map.of("idleSamples", 2)));
    private final EventLog log = new EventLog(LoggerFactory.getLogger(SettingsWatchTest.class), System::currentTimeMillis, event -> { });
    private final SettingsWatch watch = new SettingsWatch(admin(), log);

    @Test
    public void shouldTellOldAndNewValuesOfWhatChanged() {
        update("org.plover.policy.idle", Map.of("idleSamples", 5, "intervalMillisMax", 50, "service.pid", "org.plover.policy.idle"));
        update("org.plover.policy.idle", Map.of("idleSamples", 5, "intervalMillisMax", 50));
        update("org.plover.webhook~pager", Map.of("kinds", new String[] {"failover"}));
        assertEquals(List.of("org.plover.policy.idle: idleSamples: 2 -> 5; intervalMillisMax: default -> 50",
                "org.plover.webhook~pager: kinds: default -> [failover]"), texts());
    }

    @Test
    public void shouldTellThatDefaultsAreBack() {
        configurations.remove("org.plover.policy.idle");
        watch.configurationEvent(new ConfigurationEvent(reference(), ConfigurationEvent.CM_DELETED, null, "org.plover.policy.idle"));
        assertEquals(List.of("org.plover.policy.idle: idleSamples: 2 -> default"), texts());
    }

    @Test
    public void shouldNotTellSecrets() {
        update("org.plover.webhook~pager", Map.of("secret", "correct horse"));
        assertEquals(List.of("org.plover.webhook~pager: secret is another"), texts());
    }

    @Test
    public void shouldLeaveVmsAndOtherPeoplesSettingsToThem() {
        update("org.plover.vm~redis", Map.of("policy", "str"));
        update("org.apache.felix.http", Map.of("port", 80));
        assertEquals(List.of(), texts());
    }

    private void update(String pid, Map<String, Object> values) {
        configurations.put(pid, values);
        watch.configurationEvent(new ConfigurationEvent(reference(), ConfigurationEvent.CM_UPDATED, null, pid));
    }

    private List<String> texts() {
        return log.since(0).stream().map(VmEvent::text).toList();
    }

    @SuppressWarnings("unchecked")
    private static ServiceReference<ConfigurationAdmin> reference() {
        return (ServiceReference<ConfigurationAdmin>) proxy(ServiceReference.class, (name, argument) -> null);
    }

    private ConfigurationAdmin admin() {
        return (ConfigurationAdmin) proxy(ConfigurationAdmin.class, (name, filter) -> {
            assertEquals("listConfigurations", name);
            String pid = filter.substring(filter.indexOf('=') + 1, filter.length() - 1);
            Configuration[] found = configurations.entrySet().stream()
                    .filter(e -> pid.endsWith("*") ? e.getKey().startsWith(pid.substring(0, pid.length() - 1)) : e.getKey().equals(pid))
                    .map(e -> configuration(e.getKey(), e.getValue())).toArray(Configuration[]::new);
            return found.length == 0 ? null : found;
        });
    }

    private static Configuration configuration(String pid, Map<String, Object> values) {
        return (Configuration) proxy(Configuration.class, (name, argument) -> name.equals("getPid") ? pid : new Hashtable<>(values));
    }

    private interface Answer {
        Object to(String name, String argument);
    }

    private static Object proxy(Class<?> type, Answer answer) {
        return Proxy.newProxyInstance(SettingsWatchTest.class.getClassLoader(), new Class<?>[] {type},
                (self, method, arguments) -> answer.to(method.getName(), arguments == null || !(arguments[0] instanceof String) ? "" : (String) arguments[0]));
    }
}
