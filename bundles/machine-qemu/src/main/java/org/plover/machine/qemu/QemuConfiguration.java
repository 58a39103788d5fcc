package org.plover.machine.qemu;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

/** How guests are run in QEMU. Changes apply to machines created afterwards: restart the protected VM to apply them. */
@ObjectClassDefinition(name = "Plover QEMU machines",
        description = "How guests are run in QEMU. A change applies when a protected VM is started again. Both replicas of a VM"
                + " need the same machine type, CPU model, virtio mode and extra arguments.")
@interface QemuConfiguration {
    @AttributeDefinition(name = "QEMU program",
            description = "Name on the PATH, or absolute path, of QEMU 7.2 or newer; restart needed.")
    String qemu() default "qemu-system-x86_64";

    @AttributeDefinition(name = "Accelerator", options = {@Option(label = "KVM where the CPU has it", value = "auto"),
        @Option(label = "KVM", value = "kvm"), @Option(label = "Emulation (TCG)", value = "tcg")},
            description = "auto takes KVM if /proc/cpuinfo lists vmx or svm and /dev/kvm can be opened, else emulation;"
                    + " restart needed.")
    String accelerator() default "auto";

    @AttributeDefinition(name = "Machine type", options = {@Option(value = "q35"), @Option(value = "pc"),
        @Option(value = "microvm")},
            description = "q35 suits every guest; microvm saves and loads its state 2 to 3 times as fast, but under emulation"
                    + " its only clock is the timer tick, which keeps an idle guest busy: use it with KVM only; restart needed.")
    String machineType() default "q35";

    @AttributeDefinition(name = "CPU model",
            description = "A model that both hosts can provide; empty takes 'host' with KVM and 'max' with emulation;"
                    + " restart needed.")
    String cpuModel() default "";

    @AttributeDefinition(name = "Legacy virtio",
            description = "Gives network interfaces the legacy virtio interface, which halves the time to save the device state;"
                    + " set to false for a guest whose driver knows virtio 1.0 only; restart needed.")
    boolean legacyVirtio() default true;

    @AttributeDefinition(name = "Extra QEMU arguments", cardinality = 32, required = false,
            description = "Appended to the command line, one argument each; they must keep the guest free of RAM other than its"
                    + " main memory; restart needed.")
    String[] extraArguments() default {};

    @AttributeDefinition(name = "Nice value", min = "-20", max = "19",
            description = "Scheduling priority of the QEMU process, -20 (first) to 19 (last); below 0 needs rights;"
                    + " restart needed.")
    int nice() default 0;

    @AttributeDefinition(name = "RAM directory",
            description = "A tmpfs with room for the guest's memory; restart needed.")
    String ramDirectory() default "/dev/shm";

    @AttributeDefinition(name = "Reconnect to disks", min = "0", max = "3600",
            description = "Seconds that requests of the guest wait for a disk's server that has gone away, before they fail with an"
                    + " I/O error; the guest cannot be stopped for an epoch meanwhile; restart needed.")
    int diskReconnectSeconds() default 30;
}
