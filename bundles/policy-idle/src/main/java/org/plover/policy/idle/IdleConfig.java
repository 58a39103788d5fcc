package org.plover.policy.idle;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Configuration of the idle policy; applies from the next sample on, to epochs that are running too. */
@ObjectClassDefinition(id = IdleConfig.PID, name = "Plover sync policy: idle",
        description = "Ends an epoch when both guests have gone idle. All keys apply at the next sample, without a restart.")
@interface IdleConfig {
    String PID = "org.plover.policy.idle";

    @AttributeDefinition(name = "sampleIntervalMicros", min = "50", max = "1000000",
            description = "How often the guest's CPU use is looked at. Unit: microseconds. Range: 50 to 1000000.")
    int sampleIntervalMicros() default 500;

    @AttributeDefinition(name = "busyPermilleMax", min = "0", max = "1000",
            description = "CPU use of the busiest vCPU up to which a sample counts as quiet. Unit: permille. Range: 0 to 1000.")
    int busyPermilleMax() default 50;

    @AttributeDefinition(name = "idleSamples", min = "1", max = "10000",
            description = "Quiet samples in a row after which the guest counts as idle. Unit: samples. Range: 1 to 10000.")
    int idleSamples() default 2;

    @AttributeDefinition(name = "intervalMillisMin", min = "0", max = "60000",
            description = "Shortest time for which the guests run between two syncs, whatever waits. "
                    + "Unit: milliseconds. Range: 0 to 60000, not above intervalMillisMax.")
    int intervalMillisMin() default 1;

    @AttributeDefinition(name = "intervalMillisMax", min = "1", max = "60000",
            description = "Longest time for which output waits for the guests to go idle before the epoch ends all the same; it bounds how "
                    + "long a busy guest's clients wait. Unit: milliseconds. Range: 1 to 60000, not above idleIntervalMillisMax.")
    int intervalMillisMax() default 400;

    @AttributeDefinition(name = "idleIntervalMillisMax", min = "1", max = "600000",
            description = "Longest time for which the guests run between two syncs, even if nobody waits for one: no output is held. "
                    + "Unit: milliseconds. Range: 1 to 600000.")
    int idleIntervalMillisMax() default 1_000;

    @AttributeDefinition(name = "peerIdleWaitMillis", min = "0", max = "60000",
            description = "How long an idle primary waits for a backup that is still busy before it ends the epoch all the same; memory is "
                    + "less alike then, but clients do not wait for it. Unit: milliseconds. Range: 0 to 60000.")
    int peerIdleWaitMillis() default 250;

    @AttributeDefinition(name = "heldBytesMax", min = "1", max = "1073741824",
            description = "Output held at which the epoch ends, idle or not, as soon as intervalMillisMin allows it; keep it well below the "
                    + "output gate's bytesMax. Unit: bytes. Range: 1 to 1073741824.")
    long heldBytesMax() default 4_194_304;
}
