package org.plover.disk.nbd;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Configuration of the disks that are served on this host. */
@ObjectClassDefinition(id = NbdDiskConfig.PID, name = "Plover disks: NBD",
        description = "How much of what guests write to their disks waits in memory and in the journal. Keys apply at once, to disks that "
                + "are open too, unless they say otherwise.")
@interface NbdDiskConfig {
    String PID = "org.plover.disk.nbd";

    @AttributeDefinition(name = "journalBytesMax", min = "1048576", max = "68719476736",
            description = "Room that the journal of a virtual machine's disks takes in the data directory, reserved beforehand. A larger "
                    + "one lets longer bursts of writes through before the images have to keep up, and makes the start after a crash "
                    + "slower. Applies when disks are opened the next time. Unit: bytes. Range: 1048576 to 68719476736.")
    long journalBytesMax() default 268_435_456;

    @AttributeDefinition(name = "writebackBytesMax", min = "65536", max = "4294967296",
            description = "While there is no backup: what a guest has written and not flushed goes to the journal when there is more of it. "
                    + "Unit: bytes. Range: 65536 to 4294967296.")
    long writebackBytesMax() default 33_554_432;

    @AttributeDefinition(name = "heldBytesMax", min = "1048576", max = "17179869184",
            description = "While there is a backup: a guest that has written more in one epoch is slowed until that ends. "
                    + "Unit: bytes of memory. Range: 1048576 to 17179869184.")
    long heldBytesMax() default 134_217_728;

    @AttributeDefinition(name = "storageDaemon", description = "Program that opens images of format qcow2: a name on the PATH, or an absolute "
            + "path. Applies when disks are opened the next time.")
    String storageDaemon() default StorageDaemon.PROGRAM;
}
