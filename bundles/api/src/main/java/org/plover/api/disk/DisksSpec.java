package org.plover.api.disk;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * All disks of one guest on this host.
 *
 * @param name      name of the protected VM, for messages
 * @param stateDir  where the provider keeps its journal and what it must remember; created if missing, survives restarts
 * @param socketDir where it makes the sockets that the machine connects to; created if missing
 * @param disks     the disks, in the order of their numbers
 */
public record DisksSpec(String name, Path stateDir, Path socketDir, List<DiskSpec> disks) {
    public DisksSpec {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(stateDir, "stateDir");
        Objects.requireNonNull(socketDir, "socketDir");
        disks = List.copyOf(disks);
    }
}
