package org.plover.demo.cluster;

import jakarta.json.JsonObjectBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Looks at the replicas' images when everything is stopped in good order, so that what was in a journal is in them: are they equal, is
 * the file system whole, and does the service's own checker find its data whole. Images are looked at in copies and stay as they are.
 */
public final class DiskInspection {
    /** A file system's journal is committed every 5 s: after that an idle guest writes nothing. */
    private static final int SETTLE_SECONDS = 7;
    private static final long VERIFY_SECONDS_MAX = 600;
    private static final long FSCK_SECONDS_MAX = 300;
    private static final long CHECK_SECONDS_MAX = 900;
    /** e2fsck: errors were corrected, which a replay of the journal counts as. */
    private static final int E2FSCK_CORRECTED = 1;
    private static final Pattern VERDICT = Pattern.compile("PLOVER-GUEST-CHECK amcheck=(\\w+) checksums=(\\w+)");

    /** What was found; null: not looked for. */
    public record Findings(Boolean disksEqual, Boolean fsckClean, Boolean checksumsClean, Boolean amcheckClean, List<String> problems) {
        boolean clean() {
            return problems.isEmpty();
        }

        public void addTo(JsonObjectBuilder json) {
            add(json, "disksEqual", disksEqual);
            add(json, "fsckClean", fsckClean);
            add(json, "checksumsClean", checksumsClean);
            add(json, "amcheckClean", amcheckClean);
        }

        private static void add(JsonObjectBuilder json, String name, Boolean value) {
            if (value != null) {
                json.add(name, value);
            }
        }
    }

    private final ClusterSettings settings;
    private final List<Host> replicas;
    private final boolean database;
    private final Consumer<String> say;
    private final List<String> problems = new ArrayList<>();
    private boolean fsckClean = true;
    private boolean checksumsClean = true;
    private boolean amcheckClean = true;

    /** @param database whether the guest can check a database of its own */
    public DiskInspection(Cluster cluster, ClusterSettings settings, boolean database, Consumer<String> say) {
        this.settings = settings;
        this.replicas = cluster.hosts().stream().filter(host -> !host.disks().isEmpty()).toList();
        this.database = database;
        this.say = say;
    }

    /**
     * Has the running appliances compare memory and disks of both replicas, once the guest is quiet; then stops everything in good order and
     * looks at the images. Blocks for minutes where a database is checked.
     */
    public Findings stopAndRun(Cluster cluster) throws IOException, InterruptedException {
        say.accept("waiting for the guest to be quiet, comparing the replicas, stopping");
        Thread.sleep(SETTLE_SECONDS * 1000L);
        verify(cluster);
        cluster.stop();
        say.accept("looking at the disks");
        return run();
    }

    private void verify(Cluster cluster) throws IOException, InterruptedException {
        Host primary = cluster.primary().orElseThrow(() -> new IllegalStateException("nobody is primary at the end"));
        for (List<String> order : List.of(List.of("verify"), List.of("verify", "--disks", "--timeout", Long.toString(VERIFY_SECONDS_MAX)))) {
            Shell.Result verified = primary.plover(VERIFY_SECONDS_MAX + 10, order.toArray(String[]::new));
            say.accept(verified.output());
            if (verified.status() != 0) {
                problems.add("plover " + String.join(" ", order) + " ended with " + verified.status() + ": " + verified.output());
            }
        }
    }

    /** Looks at the images of a cluster that was stopped. */
    Findings run() throws IOException, InterruptedException {
        Boolean equal = replicas.size() < 2 ? null : equal();
        for (Host host : Boolean.TRUE.equals(equal) ? replicas.subList(0, 1) : replicas) {
            inspect(host);
        }
        return new Findings(equal, fsckClean, database ? checksumsClean : null, database ? amcheckClean : null, List.copyOf(problems));
    }

    private boolean equal() throws IOException {
        boolean equal = true;
        for (int i = 0; i < settings.disks().size(); i++) {
            Path first = replicas.get(0).disks().get(i);
            Path second = replicas.get(1).disks().get(i);
            long at = Files.mismatch(first, second);
            if (at >= 0) {
                equal = false;
                problems.add(first + " and " + second + " differ from byte " + at + " on");
            }
        }
        return equal;
    }

    private void inspect(Host host) throws IOException, InterruptedException {
        Path root = host.disks().get(0);
        Path copy = settings.work().resolve("inspected-" + host.name + ".img");
        Files.deleteIfExists(copy);
        try {
            Host.copySparse(root, copy);
            fsck(host, copy);
            if (database) {
                say.accept("a throwaway guest checks the database on host " + host.name + "'s disk; this takes minutes");
                check(host, copy);
            }
        } finally {
            Files.deleteIfExists(copy);
        }
    }

    private void fsck(Host host, Path image) throws IOException, InterruptedException {
        // First what a mount does: replay the journal and drop deleted files that were still open. Then all must be right.
        Shell.Result replayed = Shell.result(FSCK_SECONDS_MAX, List.of("e2fsck", "-p", image.toString()));
        Shell.Result checked = Shell.result(FSCK_SECONDS_MAX, List.of("e2fsck", "-fn", image.toString()));
        if (replayed.status() > E2FSCK_CORRECTED || checked.status() != 0) {
            fsckClean = false;
            problems.add("host " + host.name + ": e2fsck -p ended with " + replayed.status() + ", -fn with " + checked.status() + ": "
                    + replayed.output() + " " + checked.output());
        }
    }

    /** The guest's own programs look: they are sure to suit its data. Booting it shows that the disk can be booted from, too. */
    private void check(Host host, Path image) throws IOException, InterruptedException {
        Path console = settings.work().resolve("check-" + host.name + ".log");
        Files.deleteIfExists(console);
        Shell.result(CHECK_SECONDS_MAX, List.of("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
                "-accel", "tcg,thread=multi", "-cpu", "max", "-m", settings.memoryMiB() + "M", "-machine", "q35", "-rtc", "clock=vm,base=utc",
                "-chardev", "file,id=console,path=" + console, "-serial", "chardev:console",
                "-drive", "file=" + image + ",format=raw,if=virtio",
                "-kernel", settings.image().resolve("vmlinuz").toString(), "-initrd", settings.image().resolve("initrd").toString(),
                "-append", "console=ttyS0 quiet panic=-1 no_timer_check clocksource=hpet tsc=unstable root=/dev/vda rw plover.check"));
        Matcher verdict = VERDICT.matcher(Files.readString(console));
        boolean found = verdict.find();
        boolean amcheck = found && verdict.group(1).equals("clean");
        boolean checksums = found && verdict.group(2).equals("clean");
        amcheckClean &= amcheck;
        checksumsClean &= checksums;
        if (!amcheck || !checksums) {
            problems.add("host " + host.name + ": the database is not whole, see " + console);
        }
    }
}
