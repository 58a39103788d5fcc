package org.plover.transport.tcp;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Whom this appliance talks to. The same on every member; takes effect at once, for new connections. */
@ObjectClassDefinition(
        name = "Plover peers",
        description = "By which keys the members of all groups know each other. The same file can go to every host.")
public @interface PeersConfig {
    String TLS = "tls";
    String NONE = "none";

    @AttributeDefinition(name = "Security",
            description = "tls: members speak TLS 1.3 and each proves by its key who it is. none: everything between them passes in the clear, and"
                    + " whoever reaches their ports can read and forge it; for tests and for networks that are trusted entirely.")
    String security() default TLS;

    @AttributeDefinition(name = "Pins",
            description = "Keys of the members, each as MEMBER=sha256:FINGERPRINT, as 'plover identity' prints them; several for one member while"
                    + " its key is changed. A member whose last pin is removed is disconnected at once.")
    String[] pins() default {};
}
