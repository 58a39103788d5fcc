package org.plover.control.domain;

/** Machine types of QEMU, which have versions, and those that can be chosen here, which have none. */
final class MachineTypes {
    private MachineTypes() {
    }

    static String of(String machine, Guest guest) {
        if (machine.isEmpty()) {
            return "";
        } else if (machine.equals("q35") || machine.startsWith("pc-q35")) {
            return "q35";
        } else if (machine.equals("pc") || machine.startsWith("pc-i440fx")) {
            return "pc";
        } else if (machine.equals("microvm")) {
            return "microvm";
        }
        guest.warns("Machine type", "'" + machine + "' is not known here", "q35 is used instead; try whether the guest boots with it");
        return "q35";
    }
}
