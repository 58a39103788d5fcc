package org.plover.gate.epoch;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Configuration of the epoch gates on this host; applies at once, to gates that hold frames too. */
@ObjectClassDefinition(id = EpochGateConfig.PID, name = "Plover output gate: epoch",
        description = "How much of a guest's output may wait for its epoch to be safe. All keys apply at once and lose no frame.")
@interface EpochGateConfig {
    String PID = "org.plover.gate.epoch";

    @AttributeDefinition(name = "bytesMax", min = "131072", max = "1073741824",
            description = "Bytes of output that a primary holds per virtual machine; beyond it the guest's transmissions block. "
                    + "Unit: bytes. Range: 131072 to 1073741824.")
    int bytesMax() default 16_777_216;

    @AttributeDefinition(name = "framesMax", min = "64", max = "1048576",
            description = "Frames that are held per virtual machine, whatever their size. Unit: frames. Range: 64 to 1048576.")
    int framesMax() default 32_768;

    @AttributeDefinition(name = "standbyBytesMax", min = "131072", max = "1073741824",
            description = "Bytes of its own guest's output that a backup keeps per virtual machine in case it is promoted; beyond it "
                    + "the oldest frames go, as on a full network. Unit: bytes. Range: 131072 to 1073741824.")
    int standbyBytesMax() default 16_777_216;
}
