package org.plover.demo.chaos;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.plover.demo.cluster.Cluster;
import org.plover.demo.cluster.Host;
import org.plover.demo.cluster.Lab;
import org.plover.demo.cluster.Shell;

/** Makes faults: what kind is asked for, details by lot. */
final class Faults {
    /** With the defaults a silent host is given up well within this. */
    private static final int ELECTION_MILLIS = 1_000;
    private static final int REJOIN_SECONDS_MAX = 60;
    private static final int FILL_CHUNK_BYTES = 1 << 16;

    private final Cluster cluster;
    private final SplittableRandom random;

    Faults(Cluster cluster, SplittableRandom random) {
        this.cluster = cluster;
        this.random = random;
    }

    private Host host(String role) {
        Host primary = cluster.primary().orElseThrow(() -> new IllegalStateException("nobody is primary"));
        return cluster.hosts().stream().filter(h -> switch (role) {
            case "primary" -> h == primary;
            case "backup" -> !h.witness && h != primary;
            case "witness" -> h.witness;
            default -> throw new IllegalArgumentException("no such role: " + role);
        }).findFirst().orElseThrow();
    }

    /** A fault that strikes who has this role now. */
    Fault of(FaultKind kind, String role) {
        Host victim = kind.victim == FaultKind.Victim.NONE ? null : host(role);
        return switch (kind) {
            case KILL_APPLIANCE -> fault(kind, role, "", victim::killAppliance, between(300, 5_000), () -> cluster.start(victim));
            case KILL_QEMU -> fault(kind, role, "", () -> signal("KILL", victim.children()), between(300, 3_000), () -> { });
            case KILL_HOST -> fault(kind, role, "", victim::die, between(500, 6_000), () -> {
                victim.replace();
                cluster.start(victim);
            });
            case KILL_TWO -> killTwo(kind, role, victim);
            case KILL_AGAIN -> killAgain(kind, role, victim);
            case FREEZE -> freeze(kind, role, with(victim.pid(), victim.children()), between(ELECTION_MILLIS, 8_000));
            case FREEZE_APPLIANCE -> freeze(kind, role, List.of(victim.pid()), between(ELECTION_MILLIS, 5_000));
            case FREEZE_SHORT -> freeze(kind, role, with(victim.pid(), victim.children()), between(50, 600));
            case FREEZE_QEMU -> freeze(kind, role, victim.children(), between(200, 8_000));
            case CUT -> fault(kind, role, "", () -> cluster.lab().connect(victim.number, false), between(300, 8_000),
                    () -> cluster.lab().connect(victim.number, true));
            case CUT_SYNC -> fault(kind, role, "", () -> link("sync", victim, "down"), between(300, 8_000), () -> link("sync", victim, "up"));
            case ONE_WAY -> oneWay(kind, role, victim);
            case CUT_PAIR -> cutPair(kind, role, victim);
            case SLOW_LINK -> slowLink(kind, role, victim, (int) between(20, 50) * 1000, between(3_000, 10_000));
            case LOSSY_LINK -> lossyLink(kind, role, victim);
            case STORAGE_FULL -> fault(kind, role, "", () -> {
                fill(filler(victim));
                switchover();
            }, between(1_000, 4_000), () -> Files.delete(filler(victim)));
            case STORAGE_READ_ONLY -> storageReadOnly(kind, role, victim);
            case STARVE_BACKUP -> starve(kind, role, victim, (int) between(5, 30), between(3_000, 10_000));
            case SWITCHOVER -> fault(kind, role, "", this::switchover, between(0, 1_000), () -> { });
            case IMAGES_FULL -> fault(kind, role, "", () -> fill(imageFiller(victim)), between(4_000, 10_000),
                    () -> Files.delete(imageFiller(victim)));
            case CUT_REJOIN -> cutRejoin(kind, role, victim);
            case POWER_REJOIN -> powerRejoin(kind, role, victim);
            case LOSE_REPLICAS -> fault(kind, role, "", () -> killAll(true), between(500, 3_000), () -> { });
            case RESTART_ALL -> fault(kind, role, "", () -> killAll(false), between(500, 3_000), () -> { });
        };
    }

    private static Fault fault(FaultKind kind, String role, String details, Fault.Step inject, long holdMillis, Fault.Step heal) {
        return new Fault(kind, role, details, inject, holdMillis, heal);
    }

    private long between(int min, int max) {
        return random.nextInt(min, max + 1);
    }

    private Fault freeze(FaultKind kind, String role, List<Long> pids, long millis) {
        return fault(kind, role, "for " + millis + " ms", () -> signal("STOP", pids), millis, () -> signal("CONT", pids));
    }

    private Fault killTwo(FaultKind kind, String role, Host victim) {
        Host witness = host("witness");
        return fault(kind, role, "and witness", () -> {
            victim.killAppliance();
            witness.killAppliance();
        }, between(500, 3_000), () -> {
            cluster.start(victim);
            cluster.start(witness);
        });
    }

    private Fault killAgain(FaultKind kind, String role, Host victim) {
        int times = random.nextInt(2, 5);
        int[] pauses = random.ints(times, 500, 4_000).toArray();
        return fault(kind, role, times + " times", () -> {
            for (int pause : pauses) {
                victim.killAppliance();
                cluster.start(victim);
                Thread.sleep(pause);
            }
        }, 0, () -> { });
    }

    private Fault oneWay(FaultKind kind, String role, Host victim) {
        boolean out = random.nextBoolean();
        String hook = out ? "egress" : "ingress";
        return fault(kind, role, out ? "nothing gets out" : "nothing gets in", () -> {
            nft(victim, "add table netdev chaos");
            nft(victim, "add chain netdev chaos c { type filter hook " + hook + " device sync priority 0 ; policy drop ; }");
        }, between(300, 8_000), () -> nft(victim, "delete table netdev chaos"));
    }

    private Fault cutRejoin(FaultKind kind, String role, Host victim) {
        long millis = between(0, 1_500);
        return fault(kind, role, millis + " ms after it has begun", () -> {
            rejoin(victim, millis);
            link("sync", victim, "down");
        }, between(500, 6_000), () -> link("sync", victim, "up"));
    }

    private Fault powerRejoin(FaultKind kind, String role, Host victim) {
        long millis = between(0, 1_500);
        return fault(kind, role, millis + " ms after it has begun", () -> {
            rejoin(victim, millis);
            killAll(false);
        }, between(500, 3_000), () -> { });
    }

    /** An empty host takes a host's place, and has been brought in for so long. */
    private void rejoin(Host victim, long millis) throws IOException, InterruptedException {
        victim.die();
        victim.replace();
        cluster.start(victim);
        cluster.await("host " + victim.name + " is being brought in", REJOIN_SECONDS_MAX, () -> cluster.primary().map(Host::status)
                .map(s -> s.getInt("synchronisationPercent") >= 0).orElse(false));
        Thread.sleep(millis);
    }

    private Fault lossyLink(FaultKind kind, String role, Host victim) {
        long percent = between(5, 25);
        return fault(kind, role, percent + " %", () -> {
            nft(victim, "add table netdev chaos");
            nft(victim, "add chain netdev chaos c { type filter hook ingress device sync priority 0 ; }");
            nft(victim, "add rule netdev chaos c numgen random mod 100 < " + percent + " drop");
        }, between(3_000, 10_000), () -> nft(victim, "delete table netdev chaos"));
    }

    private Fault cutPair(FaultKind kind, String role, Host victim) {
        List<Host> others = cluster.hosts().stream().filter(h -> h != victim).toList();
        Host other = others.get(random.nextInt(others.size()));
        String address = Lab.syncAddress(other.number);
        return fault(kind, role, victim.name + " and " + other.name, () -> {
            nft(victim, "add table ip chaos");
            nft(victim, "add chain ip chaos in { type filter hook input priority 0 ; }");
            nft(victim, "add chain ip chaos out { type filter hook output priority 0 ; }");
            nft(victim, "add rule ip chaos in ip saddr " + address + " drop");
            nft(victim, "add rule ip chaos out ip daddr " + address + " drop");
        }, between(300, 8_000), () -> nft(victim, "delete table ip chaos"));
    }

    /** Both directions, by queues with a rate, one at the host and one at the switch. */
    Fault slowLink(FaultKind kind, String role, Host victim, int kilobits, long millis) {
        String rate = " root tbf rate " + kilobits + "kbit burst 32kb latency 100ms";
        return fault(kind, role, kilobits + " kbit/s", () -> {
            cluster.lab().in(victim.name, "tc qdisc add dev sync" + rate);
            cluster.lab().in(Lab.SWITCH, "tc qdisc add dev sync" + victim.number + rate);
        }, millis, () -> {
            cluster.lab().in(victim.name, "tc qdisc del dev sync root");
            cluster.lab().in(Lab.SWITCH, "tc qdisc del dev sync" + victim.number + " root");
        });
    }

    Fault starve(FaultKind kind, String role, Host victim, int percent, long millis) {
        Throttle[] throttle = new Throttle[1];
        return fault(kind, role, percent + " % of a processor", () -> throttle[0] = new Throttle(
                cluster.lab().namespace(victim.name), percent, with(victim.pid(), victim.children())), millis, () -> throttle[0].close());
    }

    private Fault storageReadOnly(FaultKind kind, String role, Host victim) {
        // A file system with files open for writing cannot be made read-only; this has the same effect on what matters.
        Path directory = victim.data().resolve("vm/redis");
        return fault(kind, role, "", () -> {
            Shell.run("chattr", "+i", directory.toString(), directory.resolve("votes").toString());
            switchover();
        }, between(1_000, 4_000), () -> Shell.run("chattr", "-i", directory.toString(), directory.resolve("votes").toString()));
    }

    private static Path filler(Host victim) {
        return victim.data().resolve("chaos-filler");
    }

    private static Path imageFiller(Host victim) {
        return victim.disks().get(0).resolveSibling("chaos-filler");
    }

    private static void fill(Path filler) throws IOException {
        byte[] chunk = new byte[FILL_CHUNK_BYTES];
        for (int size = FILL_CHUNK_BYTES; size >= 1; size /= 16) {
            try (java.io.OutputStream out = Files.newOutputStream(filler, java.nio.file.StandardOpenOption.CREATE,
                    java.nio.file.StandardOpenOption.APPEND)) {
                while (true) {
                    out.write(chunk, 0, size);
                }
            } catch (IOException e) {
                if (!String.valueOf(e.getMessage()).contains("No space left")) {
                    throw e;
                }
            }
        }
    }

    /** It need not come about: the point is that all have something to store. */
    private void switchover() throws InterruptedException {
        Host primary = cluster.primary().orElse(null);
        if (primary == null) {
            return;
        }
        try {
            primary.control().switchover();
        } catch (IOException refused) {
            System.out.println("           switchover: " + refused.getMessage());
        }
    }

    private void killAll(boolean replicasOnly) throws IOException, InterruptedException {
        List<Long> pids = new ArrayList<>();
        for (Host host : cluster.hosts()) {
            if (!replicasOnly || !host.witness) {
                pids.addAll(with(host.pid(), host.children()));
            }
        }
        signal("KILL", pids);
        for (Host host : cluster.hosts()) {
            if (!replicasOnly || !host.witness) {
                host.killAppliance();
            }
        }
    }

    private void link(String net, Host host, String state) throws IOException, InterruptedException {
        cluster.lab().in(Lab.SWITCH, "ip link set " + net + host.number + " " + state);
    }

    private void nft(Host host, String words) throws IOException, InterruptedException {
        cluster.lab().in(host.name, "nft " + words);
    }

    static List<Long> with(long pid, List<Long> others) {
        List<Long> all = new ArrayList<>(List.of(pid));
        all.addAll(others);
        return all;
    }

    static void signal(String name, List<Long> pids) throws IOException, InterruptedException {
        if (pids.isEmpty()) {
            return;
        }
        List<String> command = new ArrayList<>(List.of("kill", "-" + name));
        pids.forEach(p -> command.add(Long.toString(p)));
        try {
            Shell.run(command.toArray(String[]::new));
        } catch (IOException e) {
            // Some may have ended on their own.
            if (pids.stream().anyMatch(p -> ProcessHandle.of(p).isPresent()) && name.equals("STOP")) {
                throw e;
            }
        }
    }
}
