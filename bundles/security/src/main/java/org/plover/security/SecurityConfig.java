package org.plover.security;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** How long logins last, and what wrong passwords lead to. */
@ObjectClassDefinition(id = SecurityConfig.PID, name = "Plover logins",
        description = "Logins to the web console, the REST API, metrics and health. All keys take effect at once.")
@interface SecurityConfig {
    String PID = "org.plover.security";

    @AttributeDefinition(name = "attemptsFree", min = "1", max = "100",
            description = "Wrong passwords in a row, under one name, that have no consequence. From then on the next attempt has to wait, "
                    + "one second at first and twice as long after each further one. Range: 1 to 100, not above attemptsMax.")
    int attemptsFree() default 5;

    @AttributeDefinition(name = "attemptsMax", min = "1", max = "1000",
            description = "Attempts in a row, under one name, after which it is locked out for lockSeconds. An administrator can unlock it. "
                    + "Range: 1 to 1000.")
    int attemptsMax() default 20;

    @AttributeDefinition(name = "addressAttemptsMax", min = "1", max = "100000",
            description = "The same for one source address, whatever the names. Range: 1 to 100000, not below attemptsMax.")
    int addressAttemptsMax() default 100;

    @AttributeDefinition(name = "lockSeconds", min = "1", max = "86400",
            description = "How long a lock-out lasts, from the last attempt; no wait is longer. Unit: seconds. Range: 1 to 86400.")
    int lockSeconds() default 900;

    @AttributeDefinition(name = "sessionIdleMinutes", min = "1", max = "1440",
            description = "A session of the login page ends when it was not used for so long. Unit: minutes. Range: 1 to 1440.")
    int sessionIdleMinutes() default 30;

    @AttributeDefinition(name = "sessionHoursMax", min = "1", max = "720",
            description = "A session ends this long after the login in any case. Unit: hours. Range: 1 to 720.")
    int sessionHoursMax() default 12;
}
