package org.plover.replication;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.plover.api.disk.DiskFormat;
import org.plover.api.disk.DiskSpec;
import org.plover.api.disk.DisksSpec;
import org.plover.api.group.Group;
import org.plover.api.group.Member;
import org.plover.api.group.MemberKind;
import org.plover.api.machine.MachineSpec;
import org.plover.api.machine.NicSpec;
import org.plover.api.network.PortSpec;

/**
 * A VM's configuration, checked.
 *
 * @param name     name of the VM, from the configuration's file name
 * @param group    its members
 * @param machine  its hardware
 * @param ports    where its interfaces appear on this host
 * @param disks    its disks on this host
 * @param stateDir directory for what this member must remember
 */
record VmSettings(String name, Group group, MachineSpec machine, List<PortSpec> ports, DisksSpec disks, Path stateDir) {
    private static final Pattern MEMBER = Pattern.compile("\\s*([A-Za-z0-9_.-]+)=(replica|witness)@(\\[[0-9a-fA-F:.]+]|[^:\\s]+):(\\d{1,5})\\s*");
    private static final Pattern NIC = Pattern.compile("\\s*((?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2})@([^/\\s]*)(?:/(\\S{1,15}))?\\s*");
    private static final Pattern DISK = Pattern.compile("\\s*([^,]+?)((?:,(?:sector=(?:512|4096)|format=(?:raw|qcow2)|readonly))*)\\s*");
    private static final int TAP_NAME_MAX = 15;
    static final String HAND_OVER = "handover";
    private static final String REPORT = "report";

    /** Checks a configuration. Throws IllegalArgumentException with one sentence that names the key, the value and what is wanted. */
    static VmSettings of(String name, VmConfig config, Path dataDir) {
        Group group = group(name, config);
        range("memoryMiB", config.memoryMiB(), 32, 1 << 20);
        range("vcpus", config.vcpus(), 1, 255);
        range("mtu", config.mtu(), 576, 9000);
        checkLive(config);
        boolean replica = group.me().kind() == MemberKind.REPLICA;
        if (replica && config.kernel().isBlank()) {
            throw new IllegalArgumentException("kernel is not set; name the kernel image that the guest boots");
        }
        Path dir = dataDir.resolve("vm").resolve(name);
        List<NicSpec> nics = new ArrayList<>();
        List<PortSpec> ports = new ArrayList<>();
        Set<String> macs = new HashSet<>();
        for (String nic : config.nics()) {
            if (nic.isBlank()) {
                continue;
            }
            Matcher m = NIC.matcher(nic);
            if (!m.matches()) {
                throw new IllegalArgumentException("nics: '" + nic + "' is not MAC@BRIDGE or MAC@BRIDGE/TAP, for instance 52:54:00:12:34:56@br0");
            }
            String mac = m.group(1).toLowerCase(Locale.ROOT);
            if ((Integer.parseInt(mac.substring(0, 2), 16) & 1) != 0) {
                throw new IllegalArgumentException("nics: " + mac + " is a multicast address; the second digit must be even");
            }
            if (!macs.add(mac)) {
                throw new IllegalArgumentException("nics: " + mac + " is used twice");
            }
            int number = nics.size();
            nics.add(new NicSpec(mac, config.mtu()));
            ports.add(new PortSpec(number, m.group(3) != null ? m.group(3) : tapName(name, number), m.group(2), config.mtu(), mac));
        }
        MachineSpec machine = new MachineSpec(name, dir.resolve("run"), config.memoryMiB(), config.vcpus(), Path.of(config.kernel()),
                config.initrd().isBlank() ? null : Path.of(config.initrd()), config.kernelArguments(), nics);
        return new VmSettings(name, group, machine, ports, new DisksSpec(name, dir.resolve("disks"), dir.resolve("run"), disks(config)), dir);
    }

    private static List<DiskSpec> disks(VmConfig config) {
        List<DiskSpec> disks = new ArrayList<>();
        for (String disk : config.disks()) {
            if (disk.isBlank()) {
                continue;
            }
            Matcher m = DISK.matcher(disk);
            if (!m.matches()) {
                throw new IllegalArgumentException("disks: '" + disk + "' is not PATH, or PATH with some of ,format=qcow2 ,sector=4096 ,readonly"
                        + " behind it");
            }
            Path image = Path.of(m.group(1)).toAbsolutePath().normalize();
            if (disks.stream().anyMatch(other -> other.image().equals(image))) {
                throw new IllegalArgumentException("disks: " + image + " is used twice");
            }
            List<String> options = List.of(m.group(2).split(","));
            DiskFormat format = options.contains("format=qcow2") ? DiskFormat.QCOW2
                    : options.contains("format=raw") ? DiskFormat.RAW : DiskFormat.UNSTATED;
            if (format == DiskFormat.QCOW2 && options.contains("format=raw")) {
                throw new IllegalArgumentException("disks: '" + disk + "' names two formats");
            }
            disks.add(new DiskSpec(image, options.contains("sector=4096") ? 4096 : 512, options.contains("readonly"), format));
        }
        return disks;
    }

    /** Checks the keys that take effect while the VM runs. */
    static void checkLive(VmConfig config) {
        range("verifyIntervalEpochs", config.verifyIntervalEpochs(), 0, 1_000_000);
        range("epochTimeoutMillis", config.epochTimeoutMillis(), 100, 600_000);
        range("inputBacklogBytesMax", config.inputBacklogBytesMax(), 65536, 1 << 30);
        range("diskEpochMiBMax", config.diskEpochMiBMax(), 1, 65536);
        range("copyMiBPerSecondMax", config.copyMiBPerSecondMax(), 0, 1_000_000);
        if (!config.onDiskError().equals(HAND_OVER) && !config.onDiskError().equals(REPORT)) {
            throw new IllegalArgumentException("onDiskError: '" + config.onDiskError() + "' is neither " + HAND_OVER + " nor " + REPORT);
        }
    }

    private static Group group(String name, VmConfig config) {
        String[] texts = config.members() == null ? new String[0] : config.members();
        List<Member> members = new ArrayList<>();
        for (String text : texts) {
            Matcher m = MEMBER.matcher(text);
            if (!m.matches()) {
                throw new IllegalArgumentException("members: '" + text + "' is not NAME=replica@HOST:PORT or NAME=witness@HOST:PORT");
            }
            if (members.size() == Group.SIZE || Integer.parseInt(m.group(4)) < 1 || Integer.parseInt(m.group(4)) > 65535) {
                throw new IllegalArgumentException("members: '" + text + "' is not one of exactly " + Group.SIZE
                        + " members, each with a port from 1 to 65535");
            }
            members.add(new Member(members.size(), m.group(1), MemberKind.valueOf(m.group(2).toUpperCase(Locale.ROOT)), m.group(3),
                    Integer.parseInt(m.group(4))));
        }
        int self = -1;
        for (Member member : members) {
            if (member.name().equals(config.self())) {
                self = member.index();
            }
        }
        if (members.size() == Group.SIZE && self < 0) {
            throw new IllegalArgumentException("self: '" + config.self() + "' is not among the members "
                    + members.stream().map(Member::name).toList());
        }
        return new Group(name, Math.max(0, self), members);
    }

    private static String tapName(String vm, int nic) {
        String start = "plv-" + vm;
        String end = "-" + nic;
        return start.substring(0, Math.min(start.length(), TAP_NAME_MAX - end.length())) + end;
    }

    private static void range(String key, long value, long min, long max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(key + ": " + value + " is not within " + min + " to " + max);
        }
    }

    /**
     * Whether only keys differ that take effect while the VM runs: those of {@link #checkLive}, and the addresses of the other
     * members, which {@code Transport.readdress} changes.
     */
    boolean sameButForLive(VmSettings other) {
        return name.equals(other.name) && sameMembers(group, other.group) && machine.equals(other.machine) && ports.equals(other.ports)
                && disks.equals(other.disks) && stateDir.equals(other.stateDir);
    }

    private static boolean sameMembers(Group one, Group two) {
        if (one.self() != two.self() || !one.me().equals(two.me())) {
            return false;
        }
        return one.members().stream().allMatch(m -> two.member(m.index()).name().equals(m.name()) && two.member(m.index()).kind() == m.kind());
    }

    /**
     * What must be alike on both replicas for the state of one to fit into the other, as {@code key=value} lines. Kernel and
     * initial RAM disk are not in it: they are in the guest's memory once it has booted.
     *
     * @param diskBytes how long the disks are, as far as that is known
     */
    String hardware(long[] diskBytes) {
        StringBuilder text = new StringBuilder("memoryMiB=" + machine.memoryMiB() + "\nvcpus=" + machine.vcpus() + "\n");
        for (int i = 0; i < machine.nics().size(); i++) {
            NicSpec nic = machine.nics().get(i);
            text.append("nic ").append(i).append('=').append(nic.mac()).append(", mtu ").append(nic.mtu()).append('\n');
        }
        for (int i = 0; i < disks.disks().size(); i++) {
            DiskSpec disk = disks.disks().get(i);
            text.append("disk ").append(i).append('=').append(i < diskBytes.length ? Long.toString(diskBytes[i]) : "unknown").append(" bytes, sector ").append(disk.sectorBytes())
                    .append(disk.readOnly() ? ", read-only" : "").append('\n');
        }
        return text.toString();
    }

    /** Where the other replica's {@link #hardware} differs from this one's: a sentence for each difference. */
    List<String> differences(long[] diskBytes, String theirs, String theirName) {
        Map<String, String> mine = lines(hardware(diskBytes));
        Map<String, String> other = lines(theirs);
        Set<String> keys = new TreeSet<>(mine.keySet());
        keys.addAll(other.keySet());
        List<String> differences = new ArrayList<>();
        for (String key : keys) {
            if (!Objects.equals(mine.get(key), other.get(key))) {
                differences.add(key + " is " + mine.getOrDefault(key, "not there") + " here and " + other.getOrDefault(key, "not there")
                        + " on " + theirName);
            }
        }
        return differences;
    }

    private static Map<String, String> lines(String text) {
        Map<String, String> values = new TreeMap<>();
        for (String line : text.split("\n")) {
            int equals = line.indexOf('=');
            if (equals > 0) {
                values.put(line.substring(0, equals), line.substring(equals + 1));
            }
        }
        return values;
    }
}
