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
    /**
     * Attribute of an HTTP request: its Caller, put there by whoever has checked the login. Where it is missing nobody has, and
     * nothing may be answered.
     */
    public static final String HTTP_ATTRIBUTE = "org.plover.caller";
    /** Attribute of an HTTP request: the token that requests of the same session must send to change something, a text. */
    public static final String HTTP_TOKEN_ATTRIBUTE = "org.plover.token";
    /** Header in which that token is sent. */
    public static final String HTTP_TOKEN_HEADER = "X-Plover-Token";

    public Caller {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(door, "door");
        Objects.requireNonNull(role, "role");
    }
}
