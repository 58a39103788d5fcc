package org.plover.replication;

import java.io.IOException;
import java.util.Arrays;
import java.util.Collections;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.cm.ConfigurationEvent;
import org.osgi.service.cm.ConfigurationListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells a VM's events of changes to the settings of other parts, by whatever door they came, so that whoever looks at the
 * figures sees what changed them. The parts log their own changes. Config Admin calls it on one thread.
 */
final class SettingsWatch implements ConfigurationListener {
    private static final Logger LOG = LoggerFactory.getLogger(SettingsWatch.class);
    private static final String OURS = "org.plover.";
    private static final Pattern SECRET = Pattern.compile("(?i).*(secret|password|token|key).*");
    private static final Set<String> BOOKKEEPING = Set.of("service.pid", "service.factoryPid", "service.bundleLocation",
            "felix.fileinstall.filename", "component.name", "component.id");

    private final ConfigurationAdmin admin;
    private final EventLog events;
    private final Map<String, Map<String, String>> known = new HashMap<>();

    SettingsWatch(ConfigurationAdmin admin, EventLog events) {
        this.admin = admin;
        this.events = events;
        try {
            Configuration[] all = admin.listConfigurations("(service.pid=" + OURS + "*)");
            for (Configuration one : all == null ? new Configuration[0] : all) {
                known.put(one.getPid(), settings(one.getProperties()));
            }
        } catch (IOException | InvalidSyntaxException e) {
            LOG.warn("the settings of other parts cannot be read; the first change of each is told without what was before", e);
        }
    }

    @Override
    public synchronized void configurationEvent(ConfigurationEvent event) {
        String pid = event.getPid();
        if (!pid.startsWith(OURS) || pid.startsWith(VmComponent.PID + "~")) {
            return; // a VM tells of its own
        }
        try {
            Configuration[] now = event.getType() == ConfigurationEvent.CM_DELETED ? null : admin.listConfigurations("(service.pid=" + pid + ")");
            String changes = changes(pid, now == null ? Map.of() : settings(now[0].getProperties()));
            if (!changes.isEmpty()) {
                events.add("setting-changed", pid + ": " + changes);
            }
        } catch (IOException | InvalidSyntaxException e) {
            LOG.warn("{} was changed, but cannot be read", pid, e);
        }
    }

    private String changes(String pid, Map<String, String> now) {
        Map<String, String> before = known.getOrDefault(pid, Map.of());
        known.put(pid, now);
        Set<String> keys = new TreeSet<>(before.keySet());
        keys.addAll(now.keySet());
        StringJoiner changes = new StringJoiner("; ");
        for (String key : keys) {
            String old = before.getOrDefault(key, "default");
            String next = now.getOrDefault(key, "default");
            if (!old.equals(next)) {
                changes.add(SECRET.matcher(key).matches() ? key + " is another" : key + ": " + old + " -> " + next);
            }
        }
        return changes.toString();
    }

    private static Map<String, String> settings(Dictionary<String, Object> properties) {
        Map<String, String> texts = new TreeMap<>();
        for (String key : properties == null ? Set.<String>of() : Collections.list(properties.keys())) {
            Object value = properties.get(key);
            if (!BOOKKEEPING.contains(key) && !key.startsWith(".") && !key.startsWith(":")) {
                texts.put(key, value instanceof Object[] list ? Arrays.toString(list) : String.valueOf(value));
            }
        }
        return texts;
    }
}
