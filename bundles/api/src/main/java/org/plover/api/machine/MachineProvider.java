package org.plover.api.machine;

import java.util.List;
import org.plover.api.health.Finding;

/** Service: creates machines. Providers carry the property {@code machine.id}. */
public interface MachineProvider {
    /** Service property that names the provider. */
    String ID = "machine.id";

    /** Name of this provider, for instance {@code qemu}. */
    String id();

    /** Checks whether this host could run the machine; blocks up to some seconds (runs QEMU to ask for its version). */
    List<Finding> preflight(MachineSpec spec);

    /**
     * Prepares a machine; nothing runs yet.
     *
     * @throws MachineException if the specification cannot work on this host; says what to do. Nothing is left behind.
     */
    Machine create(MachineSpec spec, MachineListener listener) throws MachineException;
}
