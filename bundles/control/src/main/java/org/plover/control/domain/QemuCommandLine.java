package org.plover.control.domain;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads a QEMU command line as it stands in a script, or as {@code ps} prints it. */
final class QemuCommandLine {
    static final int CHARS_MAX = XmlTree.CHARS_MAX;
    private static final int ARGUMENTS_MAX = 2_000;

    /** Options without a value. */
    private static final Set<String> FLAGS = Set.of("enable-kvm", "nodefaults", "no-user-config", "nographic", "daemonize", "S", "s", "snapshot", "no-reboot",
            "no-shutdown", "usb", "full-screen", "no-acpi", "no-hpet", "nodefconfig", "no-fd-bootchk", "curses", "only-migratable", "preconfig", "win2k-hack");
    /** What says nothing about the guest, or is done otherwise here. */
    private static final Set<String> IGNORED = Set.of("enable-kvm", "nodefaults", "no-user-config", "nodefconfig", "nographic", "daemonize", "S", "no-reboot",
            "no-shutdown", "name", "uuid", "pidfile", "monitor", "qmp", "mon", "chardev", "accel", "msg", "sandbox", "runas", "run-with", "boot", "k", "D", "d",
            "L", "overcommit", "global", "no-hpet", "no-fd-bootchk", "rtc", "only-migratable", "compat", "trace", "parallel", "set", "action", "smbios");
    private static final Set<String> DISPLAY = Set.of("vga", "display", "vnc", "spice", "full-screen", "curses", "audiodev", "audio", "soundhw");

    private final Guest guest = new Guest();
    private final Map<String, Map<String, String>> backends = new LinkedHashMap<>();
    private final Map<String, Map<String, String>> netdevs = new LinkedHashMap<>();
    private final List<Map<String, String>> devices = new ArrayList<>();
    private final List<Map<String, String>> drives = new ArrayList<>();
    private boolean uefi;

    private QemuCommandLine() {
    }

    static boolean looksLikeOne(String text) {
        return text.stripLeading().lines().limit(50).anyMatch(line -> line.contains("qemu") || line.strip().startsWith("-"));
    }

    static Guest read(String text) throws DomainException {
        if (text.length() > CHARS_MAX) {
            throw new DomainException("the command line has " + text.length() + " characters; at most " + CHARS_MAX + " are read");
        }
        return new QemuCommandLine().read(words(text));
    }

    private Guest read(List<String> words) throws DomainException {
        guest.memoryBytes = 128L << 20;
        int i = 0;
        while (i < words.size() && !words.get(i).startsWith("-")) {
            program(words.get(i++));
        }
        while (i < words.size()) {
            String word = words.get(i++);
            if (!word.startsWith("-")) {
                throw new DomainException("'" + word + "' is no option of QEMU; a value with blanks has to be in quotation marks");
            }
            String option = word.replaceFirst("^--?", "");
            String value = "";
            if (!FLAGS.contains(option)) {
                if (i == words.size()) {
                    throw new DomainException("'" + word + "' is the last word, and has no value");
                }
                value = words.get(i++);
            }
            option(option, value);
        }
        devices();
        // QEMU adds the devices of these after those that are written out.
        for (Map<String, String> drive : drives) {
            disk(drive);
        }
        if (guest.kernel.isEmpty()) {
            Boot.byFirmware(guest, uefi);
        } else if (uefi) {
            guest.changes("The kernel is started directly, without the firmware that the command line names.");
        }
        return guest;
    }

    private void program(String word) {
        if (word.matches("(.*/)?qemu-system-.*") && !word.endsWith("x86_64") && !word.endsWith("i386")) {
            guest.blocks("Architecture", word + " runs guests of another architecture", "this version protects x86-64 guests");
        }
    }

    private void option(String option, String value) throws DomainException {
        switch (option) {
            case "name" -> guest.name = properties(value, "guest").getOrDefault("guest", "");
            case "m" -> {
                Map<String, String> memory = properties(value, "size");
                guest.memoryBytes = Quantity.qemuBytes(memory.getOrDefault("size", ""), "-m");
                if (memory.containsKey("maxmem")) {
                    guest.changes("No memory can be plugged in while the guest runs (maxmem).");
                }
            }
            case "smp" -> {
                Map<String, String> smp = properties(value, "cpus");
                guest.vcpus = Quantity.whole(smp.getOrDefault("cpus", "1"), "-smp");
                if (smp.containsKey("sockets") || smp.containsKey("cores") || smp.containsKey("threads")) {
                    guest.changes("CPUs are seen as one socket each: the topology is not carried over.");
                }
            }
            case "kernel" -> guest.kernel = value;
            case "initrd" -> guest.initrd = value;
            case "append" -> guest.kernelArguments = value;
            case "machine", "M" -> guest.machineType = MachineTypes.of(properties(value, "type").getOrDefault("type", ""), guest);
            case "cpu" -> cpu(value);
            case "bios", "pflash" -> uefi |= option.equals("pflash") || value.contains("OVMF") || value.contains("edk2");
            case "drive" -> drive(properties(value, "file"));
            case "hda", "hdb", "hdc", "hdd" -> drives.add(Map.of("file", value, "if", "ide"));
            case "cdrom", "fda", "fdb" -> guest.changes("The " + (option.equals("cdrom") ? "cdrom" : "floppy") + " with " + value + " is left out.");
            case "blockdev" -> backend(value);
            case "device" -> devices.add(properties(value, "driver"));
            case "netdev" -> netdevs.put(properties(value, "type").getOrDefault("id", ""), properties(value, "type"));
            case "nic" -> nic(properties(value, "type"), properties(value, "type"), properties(value, "type").getOrDefault("model", "e1000e"));
            case "net" -> guest.warns("-net " + value, "is the old way to give an interface, and is left out", "use -nic or -netdev with -device");
            default -> rest(option, value);
        }
    }

    private void rest(String option, String value) {
        if (DISPLAY.contains(option)) {
            guest.changes("There is no display: graphics, video and sound are left out. The guest's serial line is in vm/NAME/run/console.log of the data directory.");
        } else if (option.equals("serial")) {
            guest.changes("The serial line goes to vm/NAME/run/console.log of the data directory.");
        } else if (Set.of("usb", "usbdevice").contains(option)) {
            guest.changes("USB is left out.");
        } else if (Set.of("virtfs", "fsdev").contains(option)) {
            guest.blocks("-" + option, "a directory of the host is shared with the guest", "remove it from the guest");
        } else if (option.equals("tpmdev")) {
            guest.blocks("-tpmdev", "the guest has a TPM, whose state is not in its memory", "remove it from the guest");
        } else if (option.equals("numa")) {
            guest.blocks("-numa", "a guest has one block of memory here", "remove -numa");
        } else if (option.equals("incoming") || option.equals("loadvm")) {
            guest.changes("The guest boots; it does not go on from a saved state (-" + option + ").");
        } else if (option.equals("snapshot")) {
            guest.warns("-snapshot", "what the guest writes is thrown away today", "it is kept from now on");
        } else if (option.equals("object") && !value.startsWith("memory-backend") && !value.startsWith("iothread") && !value.startsWith("rng-")) {
            guest.warns("-object " + value, "is left out", "check whether the guest needs it");
        } else if (!IGNORED.contains(option) && !option.equals("object")) {
            guest.warns("-" + option + (value.isEmpty() ? "" : " " + value), "is not known to this version and is left out", "check whether the guest needs it");
        }
    }

    private void cpu(String value) {
        String model = properties(value, "model").getOrDefault("model", "");
        if (model.equals("host") || model.equals("max")) {
            guest.warns("CPU", "the guest sees the host's CPU (" + model + ")",
                    "both hosts need the same CPU, or set cpuModel of org.plover.machine.qemu to a model that both have");
        } else {
            guest.cpuModel = value;
        }
    }

    private void drive(Map<String, String> drive) {
        String bus = drive.getOrDefault("if", "ide");
        if (bus.equals("pflash")) {
            uefi = true;
        } else if (bus.equals("none")) {
            backends.put(drive.getOrDefault("id", ""), drive);
        } else if (bus.equals("floppy") || drive.getOrDefault("media", "disk").equals("cdrom")) {
            guest.changes("The " + (bus.equals("floppy") ? "floppy" : "cdrom") + " with " + drive.getOrDefault("file", "nothing") + " is left out.");
        } else {
            drives.add(drive);
        }
    }

    private void backend(String value) {
        if (value.startsWith("{")) {
            guest.warns("-blockdev", "is given as JSON, which this version does not read", "write it as key=value, or use the libvirt domain");
            return;
        }
        Map<String, String> node = properties(value, "driver");
        Map<String, String> file = backends.getOrDefault(node.getOrDefault("file", ""), Map.of());
        Map<String, String> known = new HashMap<>(node);
        String name = node.getOrDefault("file.filename", node.getOrDefault("filename", file.getOrDefault("file", "")));
        known.put("file", name);
        known.put("format", Set.of("file", "host_device").contains(node.getOrDefault("driver", "")) ? "raw" : node.getOrDefault("driver", ""));
        backends.put(node.getOrDefault("node-name", ""), known);
    }

    private void disk(Map<String, String> disk) throws DomainException {
        String source = disk.getOrDefault("file", "").replaceFirst("^file:", "");
        String subject = "Disk " + (source.isEmpty() ? disk.getOrDefault("id", "without a file") : source);
        if (source.isEmpty() || source.matches("[a-z+]+:.*")) {
            guest.blocks(subject, "is no file or block device of the host", "copy it to a raw image on both hosts");
            return;
        }
        String format = disk.getOrDefault("format", source.matches(".*\\.(qcow2|qed|vmdk|vdi|vhdx?)") ? source.substring(source.lastIndexOf('.') + 1) : "raw");
        boolean qcow2 = format.equals(Guest.Disk.QCOW2);
        if (!qcow2 && !format.equals("raw")) {
            guest.blocks(subject, "is " + format + ", and an image is raw or qcow2 here",
                    "qemu-img convert -p -O raw " + source + " " + LibvirtDevices.rawName(source) + ", while the guest is off, and name that file");
        }
        int sectorBytes = (int) Quantity.whole(disk.getOrDefault("logical_block_size", "512"), subject + "'s logical_block_size");
        if (sectorBytes != 512 && sectorBytes != 4096) {
            guest.blocks(subject, "has sectors of " + sectorBytes + " bytes", "512 and 4096 are possible");
        }
        boolean readOnly = Set.of("on", "yes").contains(disk.getOrDefault("readonly", disk.getOrDefault("read-only", "off")));
        guest.movesDisk(new Guest.Disk(source, "", readOnly, sectorBytes, qcow2), disk.getOrDefault("if", "ide"));
    }

    private void devices() throws DomainException {
        for (Map<String, String> device : devices) {
            String driver = device.getOrDefault("driver", "");
            if (device.containsKey("drive")) {
                Map<String, String> disk = new HashMap<>(backends.getOrDefault(device.get("drive"), Map.of()));
                if (driver.contains("cd") || disk.getOrDefault("media", "disk").equals("cdrom")) {
                    guest.changes("The cdrom with " + disk.getOrDefault("file", "nothing") + " is left out.");
                    continue;
                }
                disk.put("if", driver.startsWith("virtio-blk") ? "virtio" : driver);
                device.forEach(disk::putIfAbsent);
                disk(disk);
            } else if (device.containsKey("netdev")) {
                nic(netdevs.getOrDefault(device.get("netdev"), Map.of()), device, driver);
            } else if (driver.startsWith("vfio") || driver.startsWith("usb-host") || driver.startsWith("ivshmem") || driver.startsWith("vhost")
                    || driver.startsWith("pc-dimm") || driver.startsWith("nvdimm") || driver.startsWith("tpm") || driver.startsWith("virtio-9p")
                    || driver.startsWith("virtio-pmem") || driver.startsWith("virtio-mem")) {
                guest.blocks("-device " + driver, "its state is not in the guest's memory, or not on this host alone",
                        "remove it from the guest: only memory, virtio disks and network interfaces are kept alike on two hosts");
            } else {
                guest.changes("The device " + driver + " is left out.");
            }
        }
    }

    private void nic(Map<String, String> backend, Map<String, String> device, String model) throws DomainException {
        String type = backend.getOrDefault("type", "");
        if (type.equals("none")) {
            return;
        }
        String mac = device.getOrDefault("mac", "");
        String subject = "Interface " + (mac.isEmpty() ? Integer.toString(guest.nics.size()) : mac);
        if (type.startsWith("vhost")) {
            guest.blocks(subject, "is of type '" + type + "': frames do not pass through the appliance", "make it a virtio interface on a bridge");
            return;
        }
        if (!type.equals("bridge")) {
            guest.warns(subject, "is of type '" + type + "', which does not say which bridge it belongs to", "name the bridge that both hosts have to the clients' network");
        }
        if (!model.startsWith("virtio")) {
            guest.warns(subject, "is of model '" + model + "' today and becomes a virtio interface", "the guest needs the driver virtio_net; its name in the guest may change");
        }
        guest.nics.add(new Guest.Nic(mac, type.equals("bridge") ? backend.getOrDefault("br", "br0") : "",
                (int) Quantity.whole(device.getOrDefault("host_mtu", "0"), subject + "'s host_mtu")));
    }

    /** {@code first,key=value,...}; a comma within a value is written twice. A word alone counts as {@code on}. */
    private static Map<String, String> properties(String value, String first) {
        Map<String, String> all = new LinkedHashMap<>();
        String[] parts = value.replace(",,", "\0").split(",");
        for (int i = 0; i < parts.length; i++) {
            String part = parts[i].replace('\0', ',');
            int equals = part.indexOf('=');
            if (equals > 0) {
                all.put(part.substring(0, equals), part.substring(equals + 1));
            } else if (i == 0) {
                all.put(first, part);
            } else if (!part.isEmpty()) {
                all.put(part, "on");
            }
        }
        return all;
    }

    /** As a shell would split it, without doing anything else that a shell does. */
    static List<String> words(String text) throws DomainException {
        List<String> words = new ArrayList<>();
        StringBuilder word = null;
        char quote = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (quote != 0 && c == quote) {
                quote = 0;
            } else if (c == '\\' && quote != '\'' && i + 1 < text.length()) {
                char next = text.charAt(++i);
                if (next != '\n') {
                    word = (word == null ? new StringBuilder() : word).append(next);
                }
            } else if (quote == 0 && (c == '"' || c == '\'')) {
                quote = c;
                word = word == null ? new StringBuilder() : word;
            } else if (quote == 0 && Character.isWhitespace(c)) {
                word = end(word, words);
            } else {
                word = (word == null ? new StringBuilder() : word).append(c);
            }
        }
        if (quote != 0) {
            throw new DomainException("a quotation mark " + quote + " is opened and not closed");
        }
        end(word, words);
        if (words.size() > ARGUMENTS_MAX) {
            throw new DomainException("the command line has more than " + ARGUMENTS_MAX + " words");
        }
        return words;
    }

    private static StringBuilder end(StringBuilder word, List<String> words) {
        if (word != null) {
            words.add(word.toString());
        }
        return null;
    }
}
