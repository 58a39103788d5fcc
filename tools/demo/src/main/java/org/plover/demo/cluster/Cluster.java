package org.plover.demo.cluster;

import jakarta.json.JsonObject;
import jakarta.json.JsonValue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/** The demo's hosts, its guest, and what is on them; everything is gone after {@link #close}. */
public final class Cluster implements AutoCloseable {
    public static final String CLIENT = "c";
    private static final int CLIENT_NUMBER = 100;
    private static final int GUEST_NUMBER = 10;
    /** Long enough for a journal to be brought into its images. */
    private static final int STOP_SECONDS_MAX = 120;
    private static final int GROUP_PORT = 7700;
    public static final String MAC = "52:54:00:50:4c:01";

    private final ClusterSettings options;
    private final Path work;
    private final Path ramRoot;
    private final Lab lab;
    private final List<Host> hosts = new ArrayList<>();
    private Process plainQemu;
    private boolean closed;

    public Cluster(ClusterSettings options) throws IOException, InterruptedException {
        this.options = options;
        this.work = options.work();
        Files.createDirectories(work);
        String prefix = "plv" + Long.toString(ProcessHandle.current().pid(), 36);
        this.ramRoot = Path.of("/dev/shm/" + prefix);
        this.lab = new Lab(prefix);
        try {
            lab.addClient(CLIENT, CLIENT_NUMBER);
            String[] names = options.unreplicated() ? new String[] {"a"} : new String[] {"a", "b", "w"};
            for (int i = 0; i < names.length; i++) {
                lab.addHost(names[i], i + 1);
                hosts.add(new Host(lab, names[i], i + 1, names[i].equals("w"), options.plover().resolve("bin/plover"),
                        work.resolve(names[i]), ramRoot.resolve(names[i]), options.disks()));
                if (options.storageMiB() > 0) {
                    hosts.get(i).mountStorage(options.storageMiB());
                }
                hosts.get(i).installDisks();
                if (options.console()) {
                    Files.createDirectories(ramRoot);
                    hosts.get(i).offerConsole(ramRoot.resolve(names[i] + ".console"));
                }
            }
        } catch (IOException | InterruptedException e) {
            lab.close();
            hosts.forEach(Host::close);
            throw e;
        }
    }

    public Lab lab() {
        return lab;
    }

    public List<Host> hosts() {
        return hosts;
    }

    public Path work() {
        return work;
    }

    public String guestAddress() {
        return Lab.clientAddress(GUEST_NUMBER);
    }

    private String kernelArguments() {
        // An emulated timer may come late on a busy host, and the kernel's test of it would then give up.
        return "console=ttyS0 quiet panic=-1 no_timer_check " + (options.disks().isEmpty() ? "" : "root=/dev/vda rw ") + "ip=" + guestAddress() + "::" + Lab.clientAddress(1) + ":255.255.255.0::eth0:off";
    }

    /** Starts an appliance on a host that has none. */
    public void start(Host host) throws IOException, InterruptedException {
        String members = hosts.stream().map(h -> '"' + h.name + "\\=" + (h.witness ? "witness" : "replica") + "@"
                + Lab.syncAddress(h.number) + ":" + GROUP_PORT + '"').collect(Collectors.joining(","));
        String config = "self=\"" + host.name + "\"\n"
                + "members=[" + members + "]\n"
                + "kernel=\"" + options.image().resolve("vmlinuz") + "\"\n"
                + "initrd=\"" + options.image().resolve("initrd") + "\"\n"
                + "kernelArguments=\"" + kernelArguments().replace("=", "\\=") + "\"\n"
                + "memoryMiB=I\"" + options.memoryMiB() + "\"\n"
                + (host.disks().isEmpty() ? "" : "disks=[" + host.disks().stream()
                        .map(disk -> '"' + disk.toString().replace("=", "\\=") + '"').collect(Collectors.joining(",")) + "]\n")
                + "vcpus=I\"" + options.vcpus() + "\"\n"
                + "nics=[\"" + MAC + "@" + Lab.BRIDGE + "/plv-redis\"]\n"
                + "verifyIntervalEpochs=I\"" + options.verifyEvery() + "\"\n"
                + options.vmConfig();
        Map<String, String> others = new LinkedHashMap<>();
        if (!host.disks().isEmpty() && !options.diskConfig().isEmpty()) {
            others.put("org.plover.disk.nbd", options.diskConfig());
        }
        if (!options.policyConfig().isEmpty()) {
            others.put("org.plover.policy.idle", options.policyConfig().entrySet().stream()
                    .map(e -> e.getKey() + "=\"" + e.getValue() + "\"\n").collect(Collectors.joining()));
        }
        others.put("org.plover.peers", "security=\"tls\"\npins=[" + pins() + "]\n");
        host.start(config, others);
    }

    /** Every host knows the keys of all, as an operator would have told it. */
    private String pins() throws IOException, InterruptedException {
        List<String> pins = new ArrayList<>();
        for (Host host : hosts) {
            pins.add('"' + host.name + "\\=" + host.key() + '"');
        }
        return String.join(",", pins);
    }

    /** The same guest in one QEMU on one host, its interface on the same bridge, nothing in between. */
    void startUnreplicated() throws IOException, InterruptedException {
        if (plainQemu == null) {
            lab.in("a", "ip tuntap add plain mode tap");
            lab.in("a", "ip link set plain master " + Lab.BRIDGE);
            lab.in("a", "ip link set plain up");
        }
        List<String> command = lab.on("a");
        command.addAll(List.of("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
                "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", Integer.toString(options.vcpus()),
                "-m", options.memoryMiB() + "M", "-machine", "q35", "-rtc", "clock=vm,base=utc",
                "-chardev", "file,id=console,path=" + work.resolve("console.log"), "-serial", "chardev:console",
                "-netdev", "tap,id=n0,ifname=plain,script=no,downscript=no",
                "-device", "virtio-net-pci,romfile=,disable-modern=on,disable-legacy=off,netdev=n0,mac=" + MAC,
                "-kernel", options.image().resolve("vmlinuz").toString(), "-initrd", options.image().resolve("initrd").toString(),
                "-append", kernelArguments() + " clocksource=hpet tsc=unstable"));
        for (Path disk : hosts.get(0).disks()) {
            command.addAll(List.of("-drive", "file=" + disk + ",format=raw,if=virtio"));
        }
        plainQemu = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(work.resolve("qemu.log").toFile()).start();
        plainQemu.getOutputStream().close();
    }

    /**
     * The power of all hosts is lost at the same moment: every process is killed, files stay. What the kernel of this machine has not
     * written to its own disk yet stays as well.
     */
    void losePower() throws IOException, InterruptedException {
        lab.killAll(hosts.stream().map(host -> host.name).toList());
        for (Host host : hosts) {
            lab.awaitEmpty(host.name);
            host.powerLost();
        }
        if (plainQemu != null) {
            plainQemu.waitFor();
        }
    }

    /** Stops all appliances and guests in good order; files stay. Throws IllegalStateException if one does not end in time. */
    public void stop() throws InterruptedException {
        // All at once, or the ones left over would begin to take over from each other.
        hosts.forEach(Host::askToStop);
        List<String> late = new ArrayList<>();
        for (Host host : hosts) {
            if (!host.stopAppliance(STOP_SECONDS_MAX)) {
                late.add(host.name);
            }
        }
        Shell.end(plainQemu, 5);
        if (!late.isEmpty()) {
            throw new IllegalStateException("appliances did not end within " + STOP_SECONDS_MAX + " s and were killed: " + late);
        }
    }

    /** Who says that it is primary and serves; the highest view wins. */
    public Optional<Host> primary() {
        Host best = null;
        long bestView = -1;
        for (Host host : hosts) {
            JsonObject s = host.status();
            if (s != null && s.getString("role").equalsIgnoreCase("PRIMARY") && s.getJsonNumber("view").longValue() > bestView) {
                best = host;
                bestView = s.getJsonNumber("view").longValue();
            }
        }
        return Optional.ofNullable(best);
    }

    /** Whether a primary says that the death of any host would be survived. */
    public boolean isProtected() {
        return primary().map(Host::status).map(s -> s.getBoolean("protectedNow")).orElse(false);
    }

    /** Waits; throws IllegalStateException that says what did not happen and where to look. */
    public void await(String what, long seconds, BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (!condition.getAsBoolean()) {
            for (Host host : hosts) {
                if (host.hasDied()) {
                    throw new IllegalStateException(what + ": the appliance on host " + host.name + " ended; see " + host.log());
                }
            }
            if (plainQemu != null && !plainQemu.isAlive()) {
                throw new IllegalStateException(what + ": QEMU ended; see " + work.resolve("qemu.log"));
            }
            if (System.nanoTime() > end) {
                throw new IllegalStateException(what + ": not within " + seconds + " s; see the logs in " + work);
            }
            Thread.sleep(20);
        }
    }

    /** One line about every host. */
    public String describe() {
        StringBuilder s = new StringBuilder();
        for (Host host : hosts) {
            JsonObject status = host.status();
            s.append(s.isEmpty() ? "" : "  ").append(host.name).append(':')
                    .append(status == null ? host.isUp() ? "starting" : "DOWN" : status.getString("role").toLowerCase());
        }
        return s.toString();
    }

    /** Where the pages are, if there are any. */
    void sayWhereThePagesAre() {
        if (options.console()) {
            System.out.println("The page \"Protection\" (the certificate is self-signed, the user is plover):");
            for (Host host : hosts) {
                System.out.println("  host " + host.name + ": " + host.page() + "  password: cat " + host.passwordFile());
            }
            System.out.println();
        }
    }

    /** @param client program with which a person talks to the guest's service */
    public void sayHowToLook(String client) {
        System.out.println();
        sayWhereThePagesAre();
        System.out.println("Everything keeps running until Ctrl-C. To look at it, in another shell:");
        for (Host host : hosts) {
            System.out.println("  " + options.plover().resolve("bin/plover") + " status --data " + host.data());
        }
        System.out.println("  ip netns exec " + lab.namespace(CLIENT) + " " + client + " -h " + guestAddress() + " -p " + options.port());
        System.out.println("  logs: " + work + "/*/appliance.log");
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            // All at once, or the ones left over would begin to take over from each other.
            hosts.forEach(Host::askToStop);
            for (Host host : hosts) {
                host.stopAppliance();
            }
            Shell.end(plainQemu, 1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        lab.close();
        hosts.forEach(Host::close);
        try {
            Files.deleteIfExists(ramRoot);
        } catch (IOException e) {
            System.err.println("demo: " + ramRoot + " could not be removed: " + e.getMessage());
        }
    }

    /** The first value of a field among the members in a status. */
    static boolean inSync(JsonObject status, String member) {
        for (JsonValue v : status.getJsonArray("members")) {
            JsonObject m = v.asJsonObject();
            if (m.getString("name").equals(member)) {
                return m.getBoolean("inSync");
            }
        }
        return false;
    }
}
