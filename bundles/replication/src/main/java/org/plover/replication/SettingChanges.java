package org.plover.replication;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Objects;
import java.util.StringJoiner;

/** What differs between two configurations, for the operator. */
final class SettingChanges {
    private SettingChanges() {
    }

    /** As {@code key: old -> new; key: old -> new}, or empty. A VM's configuration has no secrets. */
    static String between(VmConfig before, VmConfig now) {
        StringJoiner changes = new StringJoiner("; ");
        Method[] keys = VmConfig.class.getDeclaredMethods();
        Arrays.sort(keys, Comparator.comparing(Method::getName));
        for (Method key : keys) {
            String old = text(key, before);
            String next = text(key, now);
            if (!old.equals(next)) {
                changes.add(key.getName() + ": " + old + " -> " + next);
            }
        }
        return changes.toString();
    }

    private static String text(Method key, VmConfig config) {
        try {
            Object value = key.invoke(config);
            return value instanceof Object[] list ? Arrays.toString(list) : Objects.toString(value, "not set");
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new IllegalStateException("the configuration's key " + key.getName() + " cannot be read", e);
        }
    }
}
