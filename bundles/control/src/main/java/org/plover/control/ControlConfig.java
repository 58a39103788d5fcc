package org.plover.control;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.plover.control.wire.Protocol;

/** Where the appliance listens for the command line, and how long it lets a command wait. */
@ObjectClassDefinition(id = ControlConfig.PID, name = "Plover control socket",
        description = "The Unix domain socket through which the plover command speaks to this appliance. Only the user that runs "
                + "the appliance can open it.")
@interface ControlConfig {
    String PID = "org.plover.control";

    @AttributeDefinition(name = "socketPath",
            description = "File name of the socket; empty for plover.sock in the data directory, where the command line looks for "
                    + "it unless told by --socket. At most 107 bytes. A change moves the socket at once.")
    String socketPath() default "";

    @AttributeDefinition(name = "timeoutSeconds", min = "1", max = "" + Protocol.TIMEOUT_SECONDS_MAX,
            description = "How long a verify or switchover may take, unless the request says otherwise, before the one who asked is "
                    + "told that there is no result yet. Applies from the next request.")
    int timeoutSeconds() default 60;
}
