package org.plover.control.domain;

import java.util.Map;
import java.util.Set;

/** Reads a libvirt domain, as {@code virsh dumpxml} prints it. */
final class LibvirtDomain {
    /** What says nothing about the guest that would matter here. */
    private static final Set<String> IGNORED = Set.of("name", "uuid", "title", "description", "metadata", "memory", "currentMemory", "vcpu", "vcpus",
            "os", "cpu", "devices", "on_poweroff", "on_reboot", "on_crash", "on_lockfailure", "pm", "seclabel", "resource", "bootloader", "genid", "maxMemory");
    private static final Map<String, String> DROPPED = Map.of(
            "cputune", "Pinning and shares of CPUs (cputune) are not carried over; the nice value of org.plover.machine.qemu applies.",
            "numatune", "NUMA placement (numatune) is not carried over.",
            "blkiotune", "I/O shares (blkiotune) are not carried over.",
            "memtune", "Memory limits (memtune) are not carried over.",
            "iothreads", "Threads for disks (iothreads) are not carried over: the appliance serves the disks itself.",
            "memoryBacking", "Memory is in a tmpfs (ramDirectory of org.plover.machine.qemu): huge pages, locking and sharing of memoryBacking are not carried over.",
            "sysinfo", "SMBIOS texts (sysinfo) are not carried over.",
            "idmap", "idmap is not carried over.");

    private final XmlTree domain;
    private final Guest guest = new Guest();

    private LibvirtDomain(XmlTree domain) {
        this.domain = domain;
    }

    static Guest read(String text) throws DomainException {
        XmlTree root = XmlTree.parse(text);
        if (root.name.equals("domainsnapshot") && root.child("domain").isPresent()) {
            root = root.child("domain").get();
        }
        if (!root.name.equals("domain")) {
            throw new DomainException("its outermost element is <" + root.name + ">, and a libvirt domain's is <domain>: use what 'virsh dumpxml NAME' prints");
        }
        return new LibvirtDomain(root).read();
    }

    private Guest read() throws DomainException {
        String type = domain.attribute("type");
        if (!type.equals("kvm") && !type.equals("qemu")) {
            guest.blocks("Type", "the domain is of type '" + type + "'", "only guests of QEMU can be protected: type 'kvm' or 'qemu'");
        }
        guest.name = domain.textOf("name");
        memoryAndCpus();
        boot();
        cpu();
        features();
        for (XmlTree element : domain.children()) {
            if (!element.plain()) {
                extension(element);
            } else if (DROPPED.containsKey(element.name)) {
                guest.changes(DROPPED.get(element.name));
            } else if (element.name.equals("launchSecurity")) {
                guest.blocks("Encrypted memory", "launchSecurity of type '" + element.attribute("type") + "'",
                        "memory that the host cannot read cannot be kept alike on two hosts: remove launchSecurity");
            } else if (!IGNORED.contains(element.name) && !Set.of("features", "clock", "keywrap", "perf").contains(element.name)) {
                guest.warns("Element " + element.name, "is not known to this version and is left out", "check whether the guest needs it");
            }
        }
        if (domain.child("devices").isPresent()) {
            LibvirtDevices.read(domain.child("devices").get(), guest);
        }
        return guest;
    }

    private void memoryAndCpus() throws DomainException {
        XmlTree memory = domain.child("memory").orElseThrow(() -> new DomainException("the domain has no <memory>"));
        guest.memoryBytes = Quantity.libvirtBytes(memory.text(), memory.attribute("unit"), "<memory>");
        if (domain.child("currentMemory").isPresent()) {
            XmlTree current = domain.child("currentMemory").get();
            if (Quantity.libvirtBytes(current.text(), current.attribute("unit"), "<currentMemory>") < guest.memoryBytes) {
                guest.changes("The guest has all of its memory from the start: there is no balloon, so currentMemory does not count.");
            }
        }
        if (domain.child("maxMemory").isPresent()) {
            guest.changes("No memory can be plugged in while the guest runs (maxMemory).");
        }
        if (domain.child("vcpu").isPresent()) {
            XmlTree vcpu = domain.child("vcpu").get();
            String current = vcpu.attribute("current");
            guest.vcpus = Quantity.whole(current.isEmpty() ? vcpu.text() : current, "<vcpu>");
            if (!current.isEmpty() && !current.equals(vcpu.text())) {
                guest.changes("No CPU can be plugged in while the guest runs: it keeps the " + current + " that it has now.");
            }
        }
    }

    private void boot() {
        XmlTree os = domain.child("os").orElse(null);
        if (os == null) {
            guest.blocks("Boot", "the domain has no <os>", "use a domain that boots by itself");
            return;
        }
        String arch = os.of("type", "arch");
        if (!os.textOf("type").equals("hvm")) {
            guest.blocks("Type", "the guest is '" + os.textOf("type") + "', not 'hvm'", "only fully virtualised guests can be protected");
        }
        if (!arch.isEmpty() && !arch.equals("x86_64") && !arch.equals("i686")) {
            guest.blocks("Architecture", "the guest is for " + arch, "this version protects x86-64 guests");
        }
        guest.machineType = MachineTypes.of(os.of("type", "machine"), guest);
        guest.kernel = os.textOf("kernel");
        guest.initrd = os.textOf("initrd");
        guest.kernelArguments = os.textOf("cmdline");
        if (guest.kernel.isEmpty()) {
            Boot.byFirmware(guest, os.attribute("firmware").equals("efi") || os.of("loader", "type").equals("pflash"));
        } else if (os.attribute("firmware").equals("efi") || os.child("loader").isPresent()) {
            guest.changes("The kernel is started directly, without the firmware that the domain names.");
        }
        if (os.child("dtb").isPresent() || os.child("acpi").isPresent()) {
            guest.warns("ACPI tables", "the domain brings tables of its own", "they are left out; check whether the guest needs them");
        }
    }

    private void cpu() {
        XmlTree cpu = domain.child("cpu").orElse(null);
        if (cpu == null) {
            return;
        }
        if (cpu.attribute("mode").equals("custom") || (cpu.attribute("mode").isEmpty() && !cpu.textOf("model").isEmpty())) {
            guest.cpuModel = cpu.textOf("model");
            if (!cpu.children("feature").isEmpty()) {
                guest.changes("Single CPU features (" + String.join(", ", cpu.children("feature").stream().map(f -> f.attribute("name")).toList())
                        + ") are not carried over: the model is.");
            }
        } else {
            guest.warns("CPU", "the guest sees the host's CPU (" + cpu.attribute("mode") + ")",
                    "both hosts need the same CPU, or set cpuModel of org.plover.machine.qemu to a model that both have");
        }
        if (cpu.child("topology").isPresent()) {
            guest.changes("CPUs are seen as one socket each: the topology is not carried over.");
        }
        if (cpu.child("numa").isPresent()) {
            guest.blocks("NUMA", "the guest has NUMA cells", "a guest has one block of memory here: remove <numa>");
        }
    }

    private void features() {
        domain.child("features").ifPresent(features -> {
            if (features.child("hyperv").isPresent()) {
                guest.warns("Hyper-V features", "they are not offered, and a guest that wants them is most likely a Windows that boots by firmware",
                        "protect guests that boot a Linux kernel");
            }
        });
        String offset = domain.of("clock", "offset");
        if (!offset.isEmpty() && !offset.equals("utc")) {
            guest.warns("Clock", "the hardware clock shows '" + offset + "' today and will show UTC", "tell the guest that its hardware clock is UTC");
        }
    }

    /** What libvirt passes on to QEMU without looking at it. */
    private void extension(XmlTree element) {
        if (element.name.equals("commandline") && !element.children().isEmpty()) {
            guest.warns("QEMU arguments", "the domain passes on: " + String.join(" ", element.children().stream().map(a -> a.attribute("value").isEmpty()
                    ? a.attribute("name") : a.attribute("value")).toList()), "they are left out; what the guest needs of them goes into extraArguments of org.plover.machine.qemu");
        }
    }
}
