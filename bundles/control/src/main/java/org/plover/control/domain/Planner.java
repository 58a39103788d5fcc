package org.plover.control.domain;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.plover.api.health.Finding;

/** Makes a {@link Plan} of a description. Stateless. */
public final class Planner {
    private static final int MEMORY_MIB_MIN = 32;
    private static final int MEMORY_MIB_MAX = 1 << 20;
    private static final Pattern MEMBER = Pattern.compile("([A-Za-z0-9_.-]+)=(replica|witness)@(\\S+):(\\d{1,5})");
    private static final Pattern MAC = Pattern.compile("[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}");
    private static final List<String> EXAMPLE = List.of("alpha=replica@192.0.2.1:7400", "beta=replica@192.0.2.2:7400", "gamma=witness@192.0.2.3:7400");

    private Planner() {
    }

    /**
     * What an operator may add to the description.
     *
     * @param name    name of the protected VM, or empty for the description's own
     * @param members all three, as in {@code members} of the configuration, or none
     * @param bridge  bridge of the interfaces whose bridge the description does not say, or empty
     */
    public record Wishes(String name, List<String> members, String bridge) {
        public Wishes {
            members = List.copyOf(members);
        }
    }

    /**
     * Plans the protection of the machine that a text describes. Changes nothing.
     *
     * @param text a libvirt domain in XML, or a QEMU command line
     * @param host the host to compare it with; only looked at
     * @throws DomainException if the text is neither, or is broken
     */
    public static Plan plan(String text, Wishes wishes, HostView host) throws DomainException {
        Guest guest = read(text);
        List<Finding> findings = new ArrayList<>(guest.findings);
        String name = name(guest, wishes, findings);
        hardware(guest, findings);
        List<String> members = members(wishes, findings);
        for (Guest.Disk disk : guest.disks) {
            disk(disk, host, findings);
        }
        readable("Kernel", guest.kernel, host, findings);
        readable("Initial RAM disk", guest.initrd, host, findings);
        List<String> nics = nics(guest, name, wishes.bridge(), host, findings);
        if (findings.stream().noneMatch(finding -> finding.level() == Finding.Level.ERROR)) {
            findings.add(0, Finding.ok("Guest", "nothing in its description keeps it from being protected"));
        }
        List<String> changes = new ArrayList<>(guest.changes);
        changes.add("The guest boots anew when it is first protected: shut it down where it runs now, and do not start it there again.");
        return new Plan(name, findings, changes, files(guest, name, members, nics));
    }

    private static Guest read(String text) throws DomainException {
        // A file may begin with a byte order mark.
        String begun = text.replaceFirst("^\uFEFF", "").strip();
        if (begun.startsWith("<")) {
            return LibvirtDomain.read(begun);
        } else if (!begun.isEmpty() && QemuCommandLine.looksLikeOne(begun)) {
            return QemuCommandLine.read(begun);
        }
        throw new DomainException("this is neither a libvirt domain (what 'virsh dumpxml NAME' prints, it begins with '<') nor a QEMU command line");
    }

    private static String name(Guest guest, Wishes wishes, List<Finding> findings) throws DomainException {
        if (!wishes.name().isEmpty() && !wishes.name().matches("[A-Za-z0-9_.-]+")) {
            throw new DomainException("'" + wishes.name() + "' is no name of a virtual machine: letters, digits, dot, dash and underscore");
        }
        String wanted = wishes.name().isEmpty() ? guest.name : wishes.name();
        String name = wanted.replaceAll("[^A-Za-z0-9_.-]+", "-").replaceAll("^-+|-+$", "");
        if (name.isEmpty()) {
            name = "guest";
        }
        if (!name.equals(wanted)) {
            findings.add(Finding.warning("Name", wanted.isEmpty() ? "the description has none" : "'" + wanted + "' cannot be part of a file's name",
                    "it is called " + name + " here; give another by --name"));
        }
        return name;
    }

    private static void hardware(Guest guest, List<Finding> findings) {
        long mib = guest.memoryBytes >> 20;
        if (mib < MEMORY_MIB_MIN || mib > MEMORY_MIB_MAX) {
            findings.add(Finding.error("Memory", "the guest has " + mib + " MiB", "from " + MEMORY_MIB_MIN + " to " + MEMORY_MIB_MAX + " MiB can be protected"));
        } else if (guest.memoryBytes % (1 << 20) != 0) {
            findings.add(Finding.warning("Memory", "the guest has " + guest.memoryBytes + " bytes", "it gets " + mib + " MiB here, whole ones"));
        }
        if (guest.vcpus < 1 || guest.vcpus > 255) {
            findings.add(Finding.error("CPUs", "the guest has " + guest.vcpus, "from 1 to 255 can be protected"));
        } else if (guest.vcpus > 1) {
            findings.add(Finding.warning("CPUs", "the guest has " + guest.vcpus + "; with more than one, the two replicas run less alike and more has to be sent",
                    "give it as few as it needs"));
        }
    }

    private static List<String> members(Wishes wishes, List<Finding> findings) throws DomainException {
        if (wishes.members().isEmpty()) {
            findings.add(Finding.warning("Members", "none were given", "the files below have example addresses: put the three hosts' in, alike in all files"));
            return EXAMPLE;
        }
        long replicas = 0;
        for (String member : wishes.members()) {
            Matcher m = MEMBER.matcher(member);
            if (!m.matches() || Integer.parseInt(m.group(4)) < 1 || Integer.parseInt(m.group(4)) > 65_535) {
                throw new DomainException("'" + member + "' is no member: NAME=replica@HOST:PORT or NAME=witness@HOST:PORT");
            }
            replicas += m.group(2).equals("replica") ? 1 : 0;
        }
        if (wishes.members().size() != 3 || replicas != 2 || wishes.members().stream().map(Planner::nameOf).distinct().count() != 3) {
            throw new DomainException("a group has two replicas and a witness, each with a name of its own, and these are "
                    + String.join(" ", wishes.members()));
        }
        return wishes.members();
    }

    private static void disk(Guest.Disk disk, HostView host, List<Finding> findings) {
        String subject = "Image " + disk.source();
        OptionalLong bytes = host.bytesOf(disk.source());
        if (!disk.source().startsWith("/")) {
            findings.add(Finding.error(subject, "is not an absolute path", "name the image by its whole path"));
        } else if (disk.source().contains(",")) {
            findings.add(Finding.error(subject, "has a comma in its path", "rename it"));
        } else if (bytes.isEmpty()) {
            findings.add(Finding.warning(subject, "is not there or cannot be read on this host", "each replica's host needs an image of the same length"));
        } else if (disk.qcow2()) {
            findings.add(Finding.ok(subject, "qcow2; on the other replica's host: qemu-img create -f qcow2 " + disk.source() + " SIZE, with the virtual size that "
                    + "'qemu-img info' tells here"));
        } else if (bytes.getAsLong() == 0 || bytes.getAsLong() % disk.sectorBytes() != 0) {
            long next = Math.max(1, (bytes.getAsLong() + disk.sectorBytes() - 1) / disk.sectorBytes()) * disk.sectorBytes();
            findings.add(Finding.error(subject, "has " + bytes.getAsLong() + " bytes, which is no whole number of sectors of " + disk.sectorBytes(),
                    "truncate -s " + next + " " + disk.source()));
        } else {
            findings.add(Finding.ok(subject, bytes.getAsLong() + " bytes; on the other replica's host: truncate -s " + bytes.getAsLong() + " " + disk.source()));
        }
    }

    private static void readable(String subject, String path, HostView host, List<Finding> findings) {
        if (path.isEmpty()) {
            return;
        }
        if (host.bytesOf(path).isEmpty()) {
            findings.add(Finding.warning(subject, path + " is not there or cannot be read on this host", "put it on both replicas' hosts"));
        } else {
            findings.add(Finding.ok(subject, path + " is there; put the same on the other replica's host"));
        }
    }

    private static List<String> nics(Guest guest, String name, String wanted, HostView host, List<Finding> findings) {
        List<String> nics = new ArrayList<>();
        if (guest.nics.isEmpty()) {
            findings.add(Finding.warning("Interfaces", "the guest has none", "nobody could notice that it lives on; add one"));
        }
        for (Guest.Nic nic : guest.nics) {
            String bridge = nic.bridge().isEmpty() || !wanted.isEmpty() && !host.hasBridge(nic.bridge()) ? wanted : nic.bridge();
            if (bridge.isEmpty()) {
                bridge = "br0";
                findings.add(Finding.warning("Bridge", "none is known for interface " + nics.size(), "br0 is assumed; give another by --bridge"));
            }
            if (!host.hasBridge(bridge)) {
                findings.add(Finding.warning("Bridge " + bridge, "is not there on this host", "make it on both replicas' hosts, without spanning tree: ip link add " + bridge
                        + " type bridge stp_state 0 forward_delay 0"));
            }
            String mac = nic.mac();
            if (!MAC.matcher(mac).matches()) {
                mac = madeUp(name, nics.size());
                findings.add(Finding.warning("Interface " + nics.size(), nic.mac().isEmpty() ? "has no MAC address" : "'" + nic.mac() + "' is no MAC address",
                        mac + " was made from the name; it must be the same on both replicas"));
            }
            nics.add(mac + "@" + bridge);
        }
        return nics;
    }

    /** The same on every host, and in QEMU's own range. */
    private static String madeUp(String name, int number) {
        long hash = 0xcbf29ce484222325L;
        for (byte b : (name + "/" + number).getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        return String.format("52:54:00:%02x:%02x:%02x", hash >>> 40 & 0xff, hash >>> 48 & 0xff, hash >>> 56 & 0xff);
    }

    private static String nameOf(String member) {
        return member.substring(0, member.indexOf('='));
    }

    private static List<Plan.PlannedFile> files(Guest guest, String name, List<String> members, List<String> nics) {
        List<Plan.PlannedFile> files = new ArrayList<>();
        if (!guest.machineType.isEmpty() && !guest.machineType.equals("q35") || !guest.cpuModel.isEmpty()) {
            StringBuilder text = new StringBuilder("# For every protected VM on this host; the same on both replicas.\n");
            if (!guest.machineType.isEmpty() && !guest.machineType.equals("q35")) {
                text.append("machineType = ").append(guest.machineType).append('\n');
            }
            if (!guest.cpuModel.isEmpty()) {
                text.append("cpuModel = ").append(guest.cpuModel.replaceAll("[\\r\\n]", " ")).append('\n');
            }
            files.add(new Plan.PlannedFile("org.plover.machine.qemu.cfg", "", "On both replicas, if they have no such file yet; else put these lines into it.", text.toString()));
        }
        for (String member : members) {
            boolean witness = member.contains("=witness@");
            files.add(new Plan.PlannedFile("org.plover.vm~" + name + ".config", nameOf(member), "On " + nameOf(member) + ", the " + (witness ? "witness" : "host of a replica") + ".",
                    file(guest, nameOf(member), witness, members, nics)));
        }
        return files;
    }

    private static String file(Guest guest, String self, boolean witness, List<String> members, List<String> nics) {
        StringBuilder text = new StringBuilder();
        line(text, "self", self);
        line(text, "members", members);
        if (!witness) {
            line(text, "kernel", guest.kernel.isEmpty() ? "/var/lib/plover/vmlinuz" : guest.kernel);
            if (!guest.initrd.isEmpty() || guest.kernel.isEmpty()) {
                line(text, "initrd", guest.initrd.isEmpty() ? "/var/lib/plover/initrd" : guest.initrd);
            }
        }
        if (!guest.kernelArguments.isEmpty() || guest.kernel.isEmpty()) {
            line(text, "kernelArguments", guest.kernelArguments.isEmpty() ? "root=/dev/vda1 console=ttyS0 quiet" : guest.kernelArguments);
        }
        line(text, "memoryMiB", (int) Math.min(MEMORY_MIB_MAX, guest.memoryBytes >> 20));
        line(text, "vcpus", (int) Math.min(255, guest.vcpus));
        line(text, "nics", nics);
        int mtu = guest.nics.stream().mapToInt(Guest.Nic::mtu).max().orElse(0);
        if (mtu > 1500) {
            line(text, "mtu", Math.min(9000, mtu));
        }
        if (!witness && !guest.disks.isEmpty()) {
            line(text, "disks", guest.disks.stream().map(Guest.Disk::configured).toList());
        }
        return text.toString();
    }

    private static void line(StringBuilder text, String key, Object value) {
        text.append(key).append('=').append(ConfigText.value(value)).append('\n');
    }
}
