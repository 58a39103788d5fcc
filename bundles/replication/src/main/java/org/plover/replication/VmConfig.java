package org.plover.replication;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.AttributeType;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** One protected virtual machine, as this host's member of its group sees it. */
@ObjectClassDefinition(name = "Plover protected VM",
        description = "A virtual machine kept alive by two replicas and a witness. Members and the guest's hardware must be configured alike on all three.")
@interface VmConfig {
    @AttributeDefinition(description = "This host's name in the members list. Restart needed.")
    String self();

    @AttributeDefinition(description = "The three members, in the same order everywhere, as NAME=replica@HOST:PORT or NAME=witness@HOST:PORT."
            + " The first replica boots the guest when the group is formed. Addresses of other members are effective at once"
            + " (plover replace changes them); for all else a restart is needed.")
    String[] members();

    @AttributeDefinition(description = "Kernel image that the guest boots. Not needed on a witness. Restart needed.")
    String kernel() default "";

    @AttributeDefinition(description = "Initial RAM disk of the guest, or empty. Restart needed.")
    String initrd() default "";

    @AttributeDefinition(description = "Kernel arguments of the guest. Restart needed.")
    String kernelArguments() default "console=ttyS0 quiet";

    @AttributeDefinition(description = "Memory of the guest in MiB. Restart needed.", min = "32", max = "1048576")
    int memoryMiB() default 256;

    @AttributeDefinition(description = "Virtual CPUs of the guest. Restart needed.", min = "1", max = "255")
    int vcpus() default 1;

    @AttributeDefinition(description = "Network interfaces of the guest, in order, each as MAC@BRIDGE or MAC@BRIDGE/TAP:"
            + " 52:54:00:12:34:56@br0. Without TAP a name is made. Restart needed.")
    String[] nics() default {};

    @AttributeDefinition(description = "Largest payload of the guest's frames in bytes. Restart needed.", min = "576", max = "9000")
    int mtu() default 1500;

    @AttributeDefinition(description = "Images of the guest's disks on this host, in order: files or block devices, each as PATH with some of"
            + " ,format=qcow2 (raw otherwise) ,sector=4096 ,readonly behind it. Every replica has images of its own, of the same length; the first replica's content counts. Restart needed.")
    String[] disks() default {};

    @AttributeDefinition(description = "What happens when a disk fails on the primary's host while a backup is in sync: handover gives the guest to"
            + " the backup at once, report not before its next epoch cannot be made durable here, so that until then it sees I/O errors. Effective"
            + " at once.")
    String onDiskError() default "handover";

    @AttributeDefinition(description = "MiB written to disks in one epoch that make the primary end it. Effective at once.", min = "1", max = "65536")
    int diskEpochMiBMax() default 64;

    @AttributeDefinition(description = "How fast a fresh backup may be brought in, in MiB per second; 0 for as fast as the link is. Effective at once.",
            min = "0", max = "1000000")
    int copyMiBPerSecondMax() default 0;

    @AttributeDefinition(description = "Page hashers in order of preference, of xxh3, java and aes; the first one present is used, and if none is, all"
            + " written pages are sent. aes is for guests that are not trusted. Effective at the next epoch.")
    String[] hashers() default {"xxh3", "java"};

    @AttributeDefinition(description = "Id of the sync policy to use. Effective at once.")
    String policy() default "idle";

    @AttributeDefinition(description = "Every n-th epoch all guest memory of both replicas is compared; 0 for never. Costs a pause of about"
            + " 40 ms per 100 MiB. Effective at the next epoch.", min = "0", max = "1000000")
    int verifyIntervalEpochs() default 0;

    @AttributeDefinition(description = "A backup that has not acknowledged an epoch after this many milliseconds is dropped from the in-sync"
            + " set and brought in anew. Effective at once.", min = "100", max = "600000")
    int epochTimeoutMillis() default 3000;

    @AttributeDefinition(description = "A backup whose guest is this many bytes of input behind is dropped and brought in anew. Effective at once.",
            min = "65536", max = "1073741824", type = AttributeType.LONG)
    long inputBacklogBytesMax() default 16 << 20;
}
