package org.plover.machine.qemu;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** The configuration as values, checked. See {@link QemuConfiguration} for what each means. */
record Settings(String qemu, String accelerator, MachineType machineType, String cpuModel, boolean legacyVirtio,
                List<String> extraArguments, int nice, Path ramDirectory, int diskReconnectSeconds) {

    /** Machine types that have been measured; the state of one cannot be loaded into another. */
    enum MachineType { Q35, PC, MICROVM }

    static final Settings DEFAULT = new Settings("qemu-system-x86_64", "auto", MachineType.Q35, "", true, List.of(), 0,
            Path.of("/dev/shm"), 30);

    Settings {
        requireRange("nice", nice, -20, 19);
        requireRange("diskReconnectSeconds", diskReconnectSeconds, 0, 3600);
    }

    private static void requireRange(String key, int value, int lowest, int highest) {
        if (value < lowest || value > highest) {
            throw new IllegalArgumentException(key + " is " + value + ": choose " + lowest + " to " + highest);
        }
    }

    static Settings of(QemuConfiguration c) {
        if (!List.of("auto", "kvm", "tcg").contains(c.accelerator())) {
            throw new IllegalArgumentException("accelerator is '" + c.accelerator() + "': choose auto, kvm or tcg");
        }
        MachineType type = Arrays.stream(MachineType.values()).filter(t -> t.name().equalsIgnoreCase(c.machineType())).findAny()
                .orElseThrow(() -> new IllegalArgumentException(
                        "machineType is '" + c.machineType() + "': choose q35, pc or microvm"));
        return new Settings(c.qemu().trim(), c.accelerator(), type, c.cpuModel().trim(), c.legacyVirtio(),
                List.of(c.extraArguments()), c.nice(), Path.of(c.ramDirectory()), c.diskReconnectSeconds());
    }
}
