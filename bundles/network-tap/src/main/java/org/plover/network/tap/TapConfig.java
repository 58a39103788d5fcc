package org.plover.network.tap;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Configuration of the tap ports on this host; applies at once, to open ports too. */
@ObjectClassDefinition(id = TapConfig.PID, name = "Plover network: tap",
        description = "Tap interfaces through which guests reach the host's network. All keys apply at once, without a restart.")
@interface TapConfig {
    String PID = "org.plover.network.tap";

    @AttributeDefinition(name = "announceCount", min = "1", max = "100",
            description = "How many times the network is told where a guest is now. Unit: times. Range: 1 to 100.")
    int announceCount() default 5;

    @AttributeDefinition(name = "announceIntervalMillis", min = "1", max = "60000",
            description = "Time between two such announcements. Unit: milliseconds. Range: 1 to 60000.")
    int announceIntervalMillis() default 100;

    @AttributeDefinition(name = "addressAgeSeconds", min = "0", max = "86400",
            description = "How long an IP address that the guest claimed by ARP or neighbour discovery counts as its own without being "
                    + "claimed again; shorten it where addresses move between machines. 0 announces the MAC only. "
                    + "Unit: seconds. Range: 0 to 86400.")
    int addressAgeSeconds() default 300;

    @AttributeDefinition(name = "queueFrames", min = "16", max = "65536",
            description = "Frames for the guest that the kernel queues per interface before it drops. Unit: frames. Range: 16 to 65536.")
    int queueFrames() default 1_000;
}
