package org.plover.control.cli;

import jakarta.json.JsonObjectBuilder;
import org.plover.control.wire.Protocol;
import picocli.CommandLine.Option;

/** The option that names a virtual machine. */
final class VmOption {
    @Option(names = "--vm", paramLabel = "NAME",
            description = "The virtual machine; not needed where there is only one.")
    private String name;

    /** The name as it was given, or null. */
    String name() {
        return name;
    }

    JsonObjectBuilder request(String command) {
        JsonObjectBuilder request = ControlClient.request(command);
        return name == null ? request : request.add(Protocol.VM, name);
    }
}
