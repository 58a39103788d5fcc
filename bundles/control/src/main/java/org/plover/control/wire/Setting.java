package org.plover.control.wire;

import jakarta.json.JsonValue;
import java.util.List;

/**
 * One key of a configuration.
 *
 * @param key          the key
 * @param name         what metatype calls it
 * @param help         what it is for, and when a change takes effect
 * @param type         {@code string}, {@code integer}, {@code number}, {@code boolean} or {@code password}
 * @param list         whether it holds several values
 * @param unit         unit of the value, or empty
 * @param min          lowest value, or empty
 * @param max          highest value, or empty
 * @param options      the values there are to choose from; empty: any
 * @param defaultValue what counts if nothing is configured; null if there is none
 * @param secret       whether the value is never shown
 * @param configured   whether a value is configured
 * @param value        what counts now: as configured, else the default; null for a secret
 */
public record Setting(String key, String name, String help, String type, boolean list, String unit, String min, String max,
                      List<String> options, JsonValue defaultValue, boolean secret, boolean configured, JsonValue value) {
}
