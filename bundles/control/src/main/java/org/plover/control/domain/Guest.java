package org.plover.control.domain;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.plover.api.health.Finding;

/** What a description says of a virtual machine, collected while it is read, in the words of its own world where they matter. */
final class Guest {
    String name = "";
    long memoryBytes;
    long vcpus = 1;
    String kernel = "";
    String initrd = "";
    String kernelArguments = "";
    /** {@code q35}, {@code pc}, {@code microvm}, or empty if the description leaves it open. */
    String machineType = "";
    /** A CPU model by name, or empty for what the host has. */
    String cpuModel = "";
    final List<Disk> disks = new ArrayList<>();
    final List<Nic> nics = new ArrayList<>();
    final List<Finding> findings = new ArrayList<>();
    final Set<String> changes = new LinkedHashSet<>();

    /**
     * @param source      path of the image on the host
     * @param before      what the guest calls it today, such as {@code vda}
     * @param sectorBytes 512 or 4096
     * @param qcow2       whether the image is in that format; else it is raw
     */
    record Disk(String source, String before, boolean readOnly, int sectorBytes, boolean qcow2) {
        static final String QCOW2 = "qcow2";

        /** As the configuration has it. */
        String configured() {
            return source + (qcow2 ? ",format=" + QCOW2 : "") + (sectorBytes == 4096 ? ",sector=4096" : "") + (readOnly ? ",readonly" : "");
        }
    }

    /**
     * @param mac    MAC address, or empty
     * @param bridge bridge on the host, or empty if the description does not say
     * @param mtu    0 if not said
     */
    record Nic(String mac, String bridge, int mtu) {
    }

    void blocks(String subject, String text, String remedy) {
        findings.add(Finding.error(subject, text, remedy));
    }

    void warns(String subject, String text, String remedy) {
        findings.add(Finding.warning(subject, text, remedy));
    }

    void changes(String sentence) {
        changes.add(sentence);
    }

    /** The guest has to find the disk under another name, by another driver. */
    void movesDisk(Disk disk, String bus) {
        disks.add(disk);
        String now = "vd" + (char) ('a' + disks.size() - 1);
        if (!bus.equals("virtio")) {
            warns("Disk " + (disk.before().isEmpty() ? disk.source() : disk.before()), "is on " + bus + " today and becomes a virtio disk, /dev/" + now,
                    "the guest needs the driver virtio_blk in its initrd; name file systems by UUID in its /etc/fstab and in root=");
        } else if (!disk.before().isEmpty() && !disk.before().equals(now)) {
            changes("Disk " + disk.before() + " becomes /dev/" + now + ".");
        }
    }
}
