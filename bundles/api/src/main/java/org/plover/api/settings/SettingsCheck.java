package org.plover.api.settings;

import java.util.Map;

/**
 * Service: what a part demands of its configuration beyond what metatype can say, such as two values that must go together. It
 * uses the code by which the part itself judges a configuration, so that the sentence is the same. Thread-safe; does not block.
 */
public interface SettingsCheck {
    /** Service property: the PID, or the factory's PID, that is judged. */
    String PID = "settings.pid";

    /**
     * Judges a configuration that is not in force.
     *
     * @param pid    of the configuration; of one of a factory it ends in {@code ~NAME}
     * @param values what is configured, in any type that Config Admin may hold; keys that are absent have their defaults
     * @throws IllegalArgumentException if the part would refuse it; the message is one sentence that says which value and what it may be
     */
    void check(String pid, Map<String, Object> values);
}
