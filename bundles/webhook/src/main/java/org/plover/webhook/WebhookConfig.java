package org.plover.webhook;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.AttributeType;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** One web server that is told of events. */
@ObjectClassDefinition(id = WebhookConfig.PID, name = "Plover webhook",
        description = "A web server to which events of protected VMs are sent, each as a POST with a JSON object. All keys apply at once.")
@interface WebhookConfig {
    String PID = "org.plover.webhook";

    @AttributeDefinition(description = "Where events are sent: http://... or https://... . Redirects are not followed.")
    String url();

    @AttributeDefinition(description = "Kinds of events that are sent, such as failover, unprotected, member-lost; none for all kinds.")
    String[] kinds() default {};

    @AttributeDefinition(description = "VMs whose events are sent; none for all VMs.")
    String[] vms() default {};

    @AttributeDefinition(description = "Key of the signature in the header Plover-Signature. Write it as $[secret:FILE] and put it into the file"
            + " FILE of the folder secrets in the data directory. Empty: events are not signed.", type = AttributeType.PASSWORD)
    String secret() default "";

    @AttributeDefinition(description = "How long the server may take to answer. Unit: milliseconds. Range: 100 to 60000.", min = "100", max = "60000")
    int timeoutMillis() default 5000;

    @AttributeDefinition(description = "How often a delivery is tried again before the event is given up. Unit: times. Range: 0 to 100.",
            min = "0", max = "100")
    int retriesMax() default 8;

    @AttributeDefinition(description = "Wait before the first new try; it doubles with each, up to a minute. Unit: milliseconds. Range: 10 to 60000.",
            min = "10", max = "60000")
    int retryMillis() default 500;

    @AttributeDefinition(description = "Events that may wait to be sent; beyond it the oldest is given up. Unit: events. Range: 1 to 100000.",
            min = "1", max = "100000")
    int queueEventsMax() default 1000;
}
