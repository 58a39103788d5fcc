package org.plover.api.settings;

import java.util.Map;

/**
 * Service: judges a whole configuration before it is given to Config Admin, by metatype and by the part's own
 * {@link SettingsCheck}. Whoever brings settings in asks it first. Thread-safe; does not block.
 */
public interface SettingsGuard {
    /**
     * Why this configuration cannot be.
     *
     * @return a sentence for a person, or an empty text if nothing is known to be wrong with it
     */
    String refusal(String pid, Map<String, ?> values);
}
