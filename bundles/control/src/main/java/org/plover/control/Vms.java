package org.plover.control;

import jakarta.json.JsonObject;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.plover.api.status.ProtectedVm;
import org.plover.control.wire.Protocol;
import org.plover.control.wire.Protocol.Code;

/** The virtual machines that are protected here, by name. */
final class Vms {
    private final Supplier<List<ProtectedVm>> services;

    Vms(Supplier<List<ProtectedVm>> services) {
        this.services = services;
    }

    /** By name, in its order; of two services of one name, as there are for a moment when one replaces another, the later. */
    TreeMap<String, ProtectedVm> byName() {
        TreeMap<String, ProtectedVm> here = new TreeMap<>();
        services.get().forEach(vm -> here.put(vm.name(), vm));
        return here;
    }

    /** The VM that the request names, or the only one there is. */
    ProtectedVm the(JsonObject request) throws CommandException {
        TreeMap<String, ProtectedVm> here = byName();
        String name = Request.text(request, Protocol.VM);
        if (name != null && here.containsKey(name)) {
            return here.get(name);
        } else if (here.isEmpty()) {
            throw new CommandException(Code.UNKNOWN_VM, "this appliance protects no virtual machine yet: give it an "
                    + "org.plover.vm~NAME configuration first");
        }
        String names = String.join(", ", here.keySet());
        if (name != null) {
            throw new CommandException(Code.UNKNOWN_VM, "there is no virtual machine '" + name + "' here; there is: " + names);
        } else if (here.size() > 1) {
            throw new CommandException(Code.WHICH_VM, "this appliance protects several virtual machines: say by --vm which one of "
                    + names);
        }
        return here.firstEntry().getValue();
    }
}
