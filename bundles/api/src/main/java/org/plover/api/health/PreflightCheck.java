package org.plover.api.health;

import java.util.List;

/** Service: looks at one aspect of this host before (or while) virtual machines are protected on it. */
public interface PreflightCheck {
    /** Runs the check; blocks up to some seconds, changes nothing on the host. */
    List<Finding> check();
}
