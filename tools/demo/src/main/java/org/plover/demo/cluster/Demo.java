package org.plover.demo.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.plover.demo.Service;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The demo's command line. */
@Command(name = "demo.sh", mixinStandardHelpOptions = true, sortOptions = false,
        description = {"Keeps a real Redis or PostgreSQL in a real virtual machine alive through the death of the host it runs on.",
            "Three appliances run on three hosts (network namespaces on this machine), a client on a fourth. Load runs over"
            + " long-lived connections, then a host is killed: its cables go silent and every process on it gets SIGKILL."},
        footer = {"", "Examples:",
            "  demo.sh --seconds 60 --kill primary     the host that serves the guest dies",
            "  demo.sh --kill backup --json out.json   the other one dies; figures go to out.json",
            "  demo.sh --cycles 3                      kill, bring an empty host back, kill again",
            "  demo.sh --disk --kill power             all hosts lose power; nothing that was acknowledged may be lost",
            "  demo.sh --service postgresql            a database on a disk, and its transactions",
            "  demo.sh --unreplicated                  the same guest without any protection, to compare with",
            "", "Exit status: 0 as promised, 1 something was lost, broken or did not come up, 2 wrong usage."})
public final class Demo implements Callable<Integer> {
    private static final String ROOT_DISK = "root.img";
    private static final int REDIS_CLIENTS = 32;
    private static final int POSTGRESQL_CLIENTS = 4;

    /** Which host the demo kills; power: all of them. */
    enum Victim { primary, backup, witness, power, none }

    @Spec
    private CommandSpec spec;

    @Option(names = "--seconds", defaultValue = "60", description = "How long load runs, for each cycle (default: ${DEFAULT-VALUE}).")
    int seconds;

    @Option(names = "--service", paramLabel = "NAME", defaultValue = "redis", description = "What the guest serves: redis or postgresql, which has a"
            + " disk (default: ${DEFAULT-VALUE}).")
    Service service;

    @Option(names = "--disk", description = "The guest has a disk, and Redis has every write on it before it says so.")
    boolean disk;

    @Option(names = "--clients", description = "Connections of redis-benchmark or pgbench; the checker's own come on top (default: " + REDIS_CLIENTS
            + ", with postgresql " + POSTGRESQL_CLIENTS + ").")
    Integer clientsWanted;
    int clients;

    @Option(names = "--pipeline", paramLabel = "N", defaultValue = "16", description = "Requests that each connection of redis-benchmark sends at once (default: ${DEFAULT-VALUE}).")
    int pipeline;

    @Option(names = "--value-bytes", paramLabel = "BYTES", defaultValue = "64", description = "Size of the values redis-benchmark writes (default: ${DEFAULT-VALUE}).")
    int valueBytes;

    @Option(names = "--scale", paramLabel = "N", defaultValue = "1", description = "Scale of pgbench: 100,000 accounts each (default: ${DEFAULT-VALUE}).")
    int scale;

    @Option(names = "--memory", paramLabel = "MIB", defaultValue = "256", description = "Memory of the guest (default: ${DEFAULT-VALUE}).")
    int memoryMiB;

    @Option(names = "--vcpus", defaultValue = "1", description = "Virtual CPUs of the guest (default: ${DEFAULT-VALUE}).")
    int vcpus;

    @Option(names = "--kill", defaultValue = "primary", description = "Whose host dies: ${COMPLETION-CANDIDATES}; power: all lose power at"
            + " once, and start again (default: ${DEFAULT-VALUE}).")
    Victim kill;

    @Option(names = "--cycles", defaultValue = "1", description = "How often to kill; the killed host comes back empty each time and"
            + " is brought in again (default: ${DEFAULT-VALUE}).")
    int cycles;

    @Option(names = "--unreplicated", description = "One host, nothing replicated, nothing killed: the baseline.")
    boolean unreplicated;

    @Option(names = "--keep", description = "Leave everything running at the end, until Ctrl-C, and say how to look at it.")
    boolean keep;

    @Option(names = "--image", paramLabel = "DIR", description = "A directory with vmlinuz and initrd to boot instead of the built-in"
            + " guest, and root.img if it has a disk; it gets its address from the kernel's ip= argument.")
    Path image;

    @Option(names = "--port", description = "TCP port of the guest to talk to; with --image it is only connected to"
            + " (default: the service's usual one).")
    Integer portWanted;
    int port;

    @Option(names = "--json", paramLabel = "FILE", description = "Where to write the figures.")
    Path json;

    @Option(names = "--verify-every", paramLabel = "N", defaultValue = "0", description = "Compare all guest memory of both replicas at every"
            + " N-th epoch; 0 for never. Makes pauses longer (default: ${DEFAULT-VALUE}).")
    int verifyEvery;

    @Option(names = "--policy-config", paramLabel = "KEY=VALUE", description = "A setting of the sync policy (org.plover.policy.idle), may be repeated.")
    java.util.Map<String, String> policyConfig = new java.util.LinkedHashMap<>();

    @Option(names = "--plover", paramLabel = "DIR", required = true, hidden = true, description = "Unpacked distribution.")
    Path plover;

    @Option(names = "--guest", paramLabel = "DIR", hidden = true, description = "Built-in guest image.")
    Path guest;

    @Option(names = "--work", paramLabel = "DIR", required = true, hidden = true, description = "Directory for logs and data.")
    Path work;

    public static void main(String[] args) {
        System.exit(new CommandLine(new Demo()).setCaseInsensitiveEnumValuesAllowed(true).execute(args));
    }

    @Override
    public Integer call() {
        clients = clientsWanted != null ? clientsWanted : service == Service.POSTGRESQL ? POSTGRESQL_CLIENTS : REDIS_CLIENTS;
        port = portWanted != null ? portWanted : service.port;
        check();
        ClusterSettings settings = settings();
        try (Cluster cluster = new Cluster(settings)) {
            Thread hook = new Thread(cluster::close, "cleanup");
            Runtime.getRuntime().addShutdownHook(hook);
            boolean good = new Scenario(this, cluster, settings).run();
            if (keep) {
                cluster.sayHowToLook(service == Service.POSTGRESQL ? programs().resolve("psql") + " -U postgres" : "redis-cli");
                Thread.sleep(Long.MAX_VALUE);
            }
            return good ? 0 : 1;
        } catch (IOException | IllegalStateException e) {
            System.err.println("demo: " + e.getMessage());
            return 1;
        } catch (InterruptedException e) {
            return 1;
        }
    }

    private ClusterSettings settings() {
        Path root = imageDirectory().resolve(ROOT_DISK);
        List<Path> disks = hasDisk() || image != null && Files.exists(root) ? List.of(root) : List.of();
        return new ClusterSettings(plover, imageDirectory(), disks, work, memoryMiB, vcpus, port, verifyEvery, policyConfig, "", "",
                unreplicated, 0, keep);
    }

    boolean hasDisk() {
        return disk || service == Service.POSTGRESQL;
    }

    /** Where the built-in guests lie is the agreement with guest/build.sh. */
    private Path imageDirectory() {
        return image != null ? image : service == Service.POSTGRESQL ? guest.resolve("postgresql") : disk ? guest.resolve("disk") : guest;
    }

    /** Client programs that came with the guest. */
    Path programs() {
        return imageDirectory().resolve("client");
    }

    private void check() {
        range("--seconds", seconds, 5, 86_400);
        range("--clients", clients, 0, 1000);
        range("--pipeline", pipeline, 1, 1000);
        range("--value-bytes", valueBytes, 1, 1 << 20);
        range("--memory", memoryMiB, 64, 1 << 20);
        range("--scale", scale, 1, 100);
        range("--vcpus", vcpus, 1, 64);
        range("--cycles", cycles, 1, 1000);
        range("--port", port, 1, 65_535);
        range("--verify-every", verifyEvery, 0, 1_000_000);
        if (image == null && guest == null) {
            throw new ParameterException(spec.commandLine(), "neither --image nor the built-in guest is there");
        }
        List<String> files = hasDisk() ? List.of("vmlinuz", "initrd", ROOT_DISK) : List.of("vmlinuz", "initrd");
        for (String file : files) {
            if (!Files.isReadable(imageDirectory().resolve(file))) {
                throw new ParameterException(spec.commandLine(), (image != null ? "--image " : "guest image ") + imageDirectory() + ": there is no "
                        + file + " in it; it needs " + String.join(" and ", files));
            }
        }
        boolean killAsked = spec.commandLine().getParseResult().hasMatchedOption("--kill");
        if (unreplicated && !killAsked) {
            kill = Victim.none;
        }
        if (unreplicated && (cycles > 1 && kill == Victim.none || kill != Victim.none && kill != Victim.power)) {
            throw new ParameterException(spec.commandLine(), "--unreplicated has no host to spare; leave --kill and --cycles out");
        }
        if (kill == Victim.power && (!hasDisk() || image != null)) {
            throw new ParameterException(spec.commandLine(), "--kill power needs a built-in guest that keeps its data: add --disk or --service postgresql");
        }
    }

    private void range(String option, int value, int min, int max) {
        if (value < min || value > max) {
            throw new ParameterException(spec.commandLine(), option + " " + value + " is not within " + min + " to " + max);
        }
    }
}
