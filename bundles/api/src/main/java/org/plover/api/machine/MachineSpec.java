package org.plover.api.machine;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.plover.api.disk.DiskAttachment;

/**
 * What a guest looks like; the same on both replicas but for paths.
 *
 * @param name            name of the protected VM
 * @param runtimeDir      directory for sockets and the state slot; created if missing, emptied of leftovers at start
 * @param memoryMiB       guest RAM in MiB
 * @param vcpus           number of vCPUs
 * @param kernel          kernel image to boot
 * @param initrd          initial RAM disk, or null
 * @param kernelArguments arguments of the operator's; the provider adds what its accelerator needs
 * @param nics            network interfaces, in the order of their numbers
 * @param disks           disks, in the order of their numbers; none for a guest that lives in memory alone
 */
public record MachineSpec(String name, Path runtimeDir, int memoryMiB, int vcpus, Path kernel, Path initrd,
                          String kernelArguments, List<NicSpec> nics, List<DiskAttachment> disks) {
    public MachineSpec {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(runtimeDir, "runtimeDir");
        Objects.requireNonNull(kernel, "kernel");
        Objects.requireNonNull(kernelArguments, "kernelArguments");
        nics = List.copyOf(nics);
        disks = List.copyOf(disks);
    }

    /** A guest without disks. */
    public MachineSpec(String name, Path runtimeDir, int memoryMiB, int vcpus, Path kernel, Path initrd, String kernelArguments,
                       List<NicSpec> nics) {
        this(name, runtimeDir, memoryMiB, vcpus, kernel, initrd, kernelArguments, nics, List.of());
    }

    /** The same guest with these disks. */
    public MachineSpec withDisks(List<DiskAttachment> attached) {
        return new MachineSpec(name, runtimeDir, memoryMiB, vcpus, kernel, initrd, kernelArguments, nics, attached);
    }
}
