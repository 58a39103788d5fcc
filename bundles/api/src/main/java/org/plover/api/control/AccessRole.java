package org.plover.api.control;

import java.util.Locale;
import java.util.Optional;

/** What somebody may do, at every door alike; each role may do all that the one before it may. */
public enum AccessRole {
    /** Looks at everything but secrets. */
    VIEWER,
    /** Gives the orders of daily operation. */
    OPERATOR,
    /** Changes settings and users, and gives orders that can lose data. */
    ADMINISTRATOR;

    /** Whether one who has this role may do what needs the other. */
    public boolean covers(AccessRole needed) {
        return compareTo(needed) >= 0;
    }

    /** In lower case, as files and JSON have it. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The role of this {@link #text()}, or nothing if there is none. */
    public static Optional<AccessRole> of(String text) {
        for (AccessRole role : values()) {
            if (role.text().equals(text)) {
                return Optional.of(role);
            }
        }
        return Optional.empty();
    }
}
