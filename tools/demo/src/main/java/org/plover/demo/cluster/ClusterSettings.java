package org.plover.demo.cluster;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What a {@link Cluster} is made of.
 *
 * @param plover unpacked distribution
 * @param image directory with the guest's vmlinuz and initrd
 * @param work directory for logs and data
 * @param disks raw images, of which each replica's host gets a copy of its own; the first is the root disk
 * @param port TCP port of the guest's service
 * @param verifyEvery compare all memory of both replicas at every N-th epoch; 0 for never
 * @param policyConfig settings of the sync policy
 * @param vmConfig further lines of the VM's configuration
 * @param diskConfig lines of the configuration of disks
 * @param unreplicated one host and no appliance
 * @param storageMiB size of each host's own file system for its data directory, the images then having one of their own, too; 0 for none
 * @param console whether the appliances have web consoles that a browser on this machine can reach
 */
public record ClusterSettings(Path plover, Path image, List<Path> disks, Path work, int memoryMiB, int vcpus, int port, int verifyEvery,
        Map<String, String> policyConfig, String vmConfig, String diskConfig, boolean unreplicated, int storageMiB, boolean console) {
    public ClusterSettings {
        plover = plover.toAbsolutePath();
        image = image.toAbsolutePath();
        disks = disks.stream().map(Path::toAbsolutePath).toList();
        work = work.toAbsolutePath();
        policyConfig = Map.copyOf(policyConfig);
    }
}
