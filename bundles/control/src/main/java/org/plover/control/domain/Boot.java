package org.plover.control.domain;

/** What is said of a guest that boots in a way that there is not. */
final class Boot {
    private Boot() {
    }

    static void byFirmware(Guest guest, boolean uefi) {
        guest.blocks("Boot", "the guest boots from its disk by " + (uefi ? "UEFI" : "BIOS") + " firmware, and a protected guest boots a kernel that is given to it",
                "copy the guest's /boot/vmlinuz and initrd to both hosts and name them as kernel and initrd, with kernelArguments that name its root file system: "
                        + "root=UUID=... console=ttyS0; after every kernel update of the guest copy them again");
    }
}
