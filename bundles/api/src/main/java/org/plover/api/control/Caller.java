package org.plover.api.control;

import java.util.Objects;

/**
 * Who asks.
 *
 * @param name the user's name as the door has established it, or empty if it could not
 * @param door how the request came in, such as {@code socket}, {@code rest}
 * @param role what this user may do
 */
public record Caller(String name, String door, AccessRole role) {
    public Caller {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(door, "door");
        Objects.requireNonNull(role, "role");
    }
}
