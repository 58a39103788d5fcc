package org.plover.control.wire;

import java.util.List;

/**
 * What can be configured under one PID.
 *
 * @param pid        the PID, or the factory's PID
 * @param factoryPid the factory, or empty if there can only be one configuration
 * @param template   whether it is the factory itself: what one of {@code pid~NAME} could be, with defaults
 * @param name       what metatype calls it
 * @param help       what it is
 * @param configured whether anything is configured
 * @param settings   the keys, in metatype's order
 */
public record PidSettings(String pid, String factoryPid, boolean template, String name, String help, boolean configured,
                          List<Setting> settings) {
}
