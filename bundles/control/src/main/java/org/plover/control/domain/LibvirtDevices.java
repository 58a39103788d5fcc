package org.plover.control.domain;

import java.util.Map;
import java.util.Set;

/** The devices of a libvirt domain. */
final class LibvirtDevices {
    private static final Set<String> NEEDS_NO_WORD = Set.of("emulator", "controller", "hub", "panic", "lease", "console", "audio");
    private static final Map<String, String> DROPPED = Map.of(
            "graphics", "There is no display: graphics, video and sound are left out. The guest's serial line is in vm/NAME/run/console.log of the data directory.",
            "video", "There is no display: graphics, video and sound are left out. The guest's serial line is in vm/NAME/run/console.log of the data directory.",
            "sound", "There is no display: graphics, video and sound are left out. The guest's serial line is in vm/NAME/run/console.log of the data directory.",
            "input", "Keyboard, mouse and tablet are left out.",
            "memballoon", "There is no memory balloon.",
            "rng", "There is no virtio random number generator; the guest uses its CPU's.",
            "redirdev", "USB redirection is left out.",
            "smartcard", "Smartcards are left out.");
    private static final Map<String, String> BLOCKING = Map.of(
            "hostdev", "a device of the host is passed through",
            "filesystem", "a directory of the host is shared with the guest",
            "tpm", "it has a TPM, whose state is not in the guest's memory",
            "shmem", "memory is shared with other guests",
            "memory", "it has a second memory device",
            "nvram", "it has an NVRAM device",
            "vsock", "it talks to its host by vsock, which is another host after a failover",
            "pstore", "it has a pstore device");

    private final Guest guest;

    private LibvirtDevices(Guest guest) {
        this.guest = guest;
    }

    static void read(XmlTree devices, Guest guest) throws DomainException {
        LibvirtDevices reader = new LibvirtDevices(guest);
        for (XmlTree device : devices.children()) {
            reader.device(device);
        }
    }

    private void device(XmlTree device) throws DomainException {
        if (device.name.equals("disk")) {
            disk(device);
        } else if (device.name.equals("interface")) {
            nic(device);
        } else if (BLOCKING.containsKey(device.name)) {
            String which = device.attribute("model") + device.attribute("type");
            guest.blocks("Device " + device.name + (which.isEmpty() ? "" : " (" + which + ")"), BLOCKING.get(device.name),
                    "remove it from the guest: only memory, virtio disks and network interfaces are kept alike on two hosts");
        } else if (DROPPED.containsKey(device.name)) {
            guest.changes(DROPPED.get(device.name));
        } else {
            other(device);
        }
    }

    private void other(XmlTree device) {
        switch (device.name) {
            case "serial", "parallel" -> {
                String port = device.of("target", "port");
                if (!port.isEmpty() && !port.equals("0")) {
                    guest.changes("There is one serial line, ttyS0; " + device.name + " port " + port + " is left out.");
                }
            }
            case "channel" -> guest.changes("The channel " + device.of("target", "name") + " is left out; protection needs no agent in the guest.");
            case "watchdog" -> guest.warns("Watchdog", "the watchdog device is left out", "stop the guest's watchdog daemon");
            case "iommu" -> guest.changes("The virtual IOMMU is left out.");
            case "crypto" -> guest.changes("The virtio crypto device is left out.");
            default -> {
                if (!NEEDS_NO_WORD.contains(device.name)) {
                    guest.warns("Device " + device.name, "is not known to this version and is left out", "check whether the guest needs it");
                }
            }
        }
    }

    private void disk(XmlTree disk) throws DomainException {
        String target = disk.of("target", "dev");
        String subject = "Disk " + target;
        String kind = disk.attribute("device").isEmpty() ? "disk" : disk.attribute("device");
        String source = disk.of("source", "file") + disk.of("source", "dev");
        if (kind.equals("cdrom") || kind.equals("floppy")) {
            guest.changes("The " + kind + " " + target + (source.isEmpty() ? "" : " with " + source) + " is left out.");
            return;
        }
        if (kind.equals("lun")) {
            guest.blocks(subject, "is a SCSI device of the host passed through", "make it a disk of type block");
            return;
        }
        String type = disk.attribute("type");
        if (!type.equals("file") && !type.equals("block")) {
            guest.blocks(subject, "its content is of type '" + type + "', not a file or block device of the host",
                    "copy it to a raw image on both hosts; each replica has an image of its own");
            return;
        }
        if (source.isEmpty()) {
            guest.blocks(subject, "names no file or device", "give it a source, or remove it");
            return;
        }
        String format = disk.of("driver", "type");
        boolean chain = disk.at("backingStore", "source").isPresent();
        boolean qcow2 = format.equals(Guest.Disk.QCOW2) && !chain;
        if (chain || !qcow2 && !format.isEmpty() && !format.equals("raw")) {
            guest.blocks(subject, source + " is " + (chain ? "a chain of images" : format) + ", and an image is raw or qcow2 without a backing file here",
                    "qemu-img convert -p -O raw " + source + " " + rawName(source) + ", while the guest is off, and name that file");
        }
        if (disk.child("encryption").isPresent() || disk.at("source", "encryption").isPresent()) {
            guest.blocks(subject, "its image is encrypted by QEMU", "encrypt within the guest, or below the image on the host");
        }
        if (disk.child("shareable").isPresent()) {
            guest.blocks(subject, "is shared with other guests", "a protected disk belongs to one guest: remove <shareable/>");
        }
        if (disk.child("iotune").isPresent()) {
            guest.changes("Limits of disk " + target + " (iotune) are not carried over.");
        }
        if (!disk.textOf("serial").isEmpty()) {
            guest.changes("Disk " + target + " has another serial number than " + disk.textOf("serial") + "; /dev/disk/by-id changes.");
        }
        String block = disk.of("blockio", "logical_block_size");
        int sectorBytes = block.isEmpty() ? 512 : (int) Quantity.whole(block, subject + "'s logical_block_size");
        if (sectorBytes != 512 && sectorBytes != 4096) {
            guest.blocks(subject, "has sectors of " + sectorBytes + " bytes", "512 and 4096 are possible");
        }
        String bus = disk.of("target", "bus").isEmpty() ? busOf(target) : disk.of("target", "bus");
        guest.movesDisk(new Guest.Disk(source, target, disk.child("readonly").isPresent(), sectorBytes, qcow2), bus);
    }

    private static String busOf(String target) {
        return target.startsWith("vd") ? "virtio" : target.startsWith("hd") ? "ide" : "scsi";
    }

    static String rawName(String source) {
        return source.replaceFirst("\\.(qcow2|qed|vmdk|vdi|vhdx?|img)$", "") + ".raw";
    }

    private void nic(XmlTree nic) throws DomainException {
        String mac = nic.of("mac", "address");
        String subject = "Interface " + (mac.isEmpty() ? Integer.toString(guest.nics.size()) : mac);
        String type = nic.attribute("type");
        String bridge = nic.of("source", "bridge");
        switch (type) {
            case "bridge" -> { }
            case "network" -> guest.warns(subject, "is in the libvirt network '" + nic.of("source", "network") + "'" + (bridge.isEmpty() ? "" : ", bridge " + bridge),
                    "a network that only this host knows (NAT) does not reach clients through the other host: use a bridge that both hosts have to the clients' network");
            case "direct" -> guest.warns(subject, "is attached directly to " + nic.of("source", "dev") + " (macvtap)", "put that interface into a bridge on both hosts");
            case "user" -> guest.warns(subject, "reaches the network through its QEMU process", "use a bridge that both hosts have to the clients' network");
            case "hostdev", "vhostuser", "vdpa" -> {
                guest.blocks(subject, "is of type '" + type + "': frames do not pass through the appliance", "make it a virtio interface on a bridge");
                return;
            }
            default -> guest.warns(subject, "is of type '" + type + "'", "use a bridge that both hosts have to the clients' network");
        }
        String model = nic.of("model", "type");
        if (!model.isEmpty() && !model.startsWith("virtio")) {
            guest.warns(subject, "is of model '" + model + "' today and becomes a virtio interface", "the guest needs the driver virtio_net; its name in the guest may change");
        }
        if (nic.child("vlan").isPresent()) {
            guest.warns(subject, "has a VLAN tag that libvirt sets", "set it at the bridge, or use a bridge of that VLAN");
        }
        if (nic.child("filterref").isPresent()) {
            guest.warns(subject, "has a network filter of libvirt's, which is not carried over", "filter at the bridge, on both hosts");
        }
        if (nic.child("bandwidth").isPresent()) {
            guest.changes("Limits of the interface " + mac + " (bandwidth) are not carried over.");
        }
        if (!nic.of("driver", "queues").isEmpty()) {
            guest.changes("Interfaces have one queue.");
        }
        String mtu = nic.of("mtu", "size");
        guest.nics.add(new Guest.Nic(mac, type.equals("bridge") || type.equals("network") ? bridge : "", mtu.isEmpty() ? 0 : (int) Quantity.whole(mtu, subject + "'s MTU")));
    }
}
