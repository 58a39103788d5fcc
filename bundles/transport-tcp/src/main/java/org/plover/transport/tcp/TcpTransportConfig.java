package org.plover.transport.tcp;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.AttributeType;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Configuration of the TCP transport. Everything that does not say otherwise takes effect at once, on open links too. */
@ObjectClassDefinition(
        name = "Plover TCP transport",
        description = "How the members of a group talk to each other over TCP.")
public @interface TcpTransportConfig {
    int HEARTBEAT_MILLIS = 50;
    int SILENCE_MILLIS = 500;
    int SILENCE_MILLIS_MAX = 2_000;
    int RECONNECT_MILLIS_MIN = 50;
    int RECONNECT_MILLIS_MAX = 2_000;
    int HANDSHAKE_MILLIS_MAX = 3_000;
    long CONTROL_QUEUE_BYTES_MAX = 8L << 20;
    long BULK_QUEUE_BYTES_MAX = 32L << 20;

    @AttributeDefinition(name = "Heartbeat (ms)", min = "1", max = "60000",
            description = "A heartbeat goes to a peer when nothing else was sent to it on the CONTROL lane for this long.")
    int heartbeatMillis() default HEARTBEAT_MILLIS;

    @AttributeDefinition(name = "Silence (ms)", min = "2", max = "600000",
            description = "The link to a peer that was not heard for this long is given up and built anew. At least twice the"
                    + " heartbeat. Gaps longer than half of it make the silence that is borne longer, up to the next value.")
    int silenceMillis() default SILENCE_MILLIS;

    @AttributeDefinition(name = "Silence, longest (ms)", min = "2", max = "600000",
            description = "The same, however irregularly the peer was heard in the last half minute. Without effect where it is"
                    + " below silenceMillis, which is then fixed.")
    int silenceMillisMax() default SILENCE_MILLIS_MAX;

    @AttributeDefinition(name = "Reconnect, shortest wait (ms)", min = "1", max = "60000",
            description = "Wait before the first new attempt after a link broke; it doubles with every failure.")
    int reconnectMillisMin() default RECONNECT_MILLIS_MIN;

    @AttributeDefinition(name = "Reconnect, longest wait (ms)", min = "1", max = "600000",
            description = "The wait between attempts grows up to this; a peer that refused is asked again at this pace.")
    int reconnectMillisMax() default RECONNECT_MILLIS_MAX;

    @AttributeDefinition(name = "Handshake limit (ms)", min = "1", max = "60000",
            description = "A connection that is not set up within this time is given up. Holds for new attempts.")
    int handshakeMillisMax() default HANDSHAKE_MILLIS_MAX;

    @AttributeDefinition(name = "CONTROL queue limit (bytes)", min = "65536", max = "1073741824", type = AttributeType.LONG,
            description = "Bytes that may wait for the network per peer on the CONTROL lane. One message is always accepted"
                    + " by an empty queue, however long.")
    long controlQueueBytesMax() default CONTROL_QUEUE_BYTES_MAX;

    @AttributeDefinition(name = "BULK queue limit (bytes)", min = "65536", max = "1073741824", type = AttributeType.LONG,
            description = "Bytes that may wait for the network per peer on the BULK lane. The queue lies in direct memory:"
                    + " keep the sum below -XX:MaxDirectMemorySize. One message is always accepted by an empty queue.")
    long bulkQueueBytesMax() default BULK_QUEUE_BYTES_MAX;

    @AttributeDefinition(name = "Busy polling (\u00b5s)", min = "0", max = "1000000",
            description = "For this long after its last work the CONTROL thread polls without sleeping: saves the wake-up"
                    + " on every message at the price of a core while traffic flows; harmful where no core is spare. 0 = never.")
    int busyPollMicros() default 0;

    @AttributeDefinition(name = "BULK socket buffers (bytes)", min = "0", max = "1073741824",
            description = "Kernel buffer sizes of BULK connections. 0 = the kernel tunes them, which is best unless"
                    + " net.core.rmem_max and wmem_max have been raised. Holds for new connections.")
    int bulkSocketBytes() default 0;

    @AttributeDefinition(name = "Listen address",
            description = "Local address to listen at when it is not the member's own host, for instance 0.0.0.0 behind"
                    + " address translation. Empty = the member's host. Restart of the protected VM needed.")
    String listenHost() default "";
}
