package org.plover.policy.str;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Configuration of the STR policy; applies from the next sample on, to epochs that are running too. */
@ObjectClassDefinition(id = StrConfig.PID, name = "Plover sync policy: str",
        description = "Ends epochs at a fixed interval, whatever the guests do. All keys apply at the next sample, without a restart.")
@interface StrConfig {
    String PID = "org.plover.policy.str";

    @AttributeDefinition(name = "intervalMillis", min = "1", max = "60000",
            description = "Time for which the guests run between two syncs. Unit: milliseconds. Range: 1 to 60000.")
    int intervalMillis() default 100;

    @AttributeDefinition(name = "sampleIntervalMicros", min = "50", max = "1000000",
            description = "How often it is looked whether the interval is over. Unit: microseconds. Range: 50 to 1000000.")
    int sampleIntervalMicros() default 1_000;

    @AttributeDefinition(name = "heldBytesMax", min = "1", max = "1073741824",
            description = "Output held at which the epoch ends before its time; keep it well below the output gate's bytesMax. "
                    + "Unit: bytes. Range: 1 to 1073741824.")
    long heldBytesMax() default 4_194_304;
}
