package org.plover.demo.cluster;

import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonValue;
import jakarta.json.JsonWriter;
import jakarta.json.stream.JsonGenerator;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.plover.demo.Service;

/** What the demo does: start, protect, load, kill, bring back, check, report. */
final class Scenario {
    private static final int CHECKER_CONNECTIONS = 4;
    private static final long START_SECONDS_MAX = 180;
    private static final long PROTECT_SECONDS_MAX = 300;
    /** How long a killed host stays away before an empty one takes its place. */
    private static final int AWAY_SECONDS = 12;
    /** How long the hosts are without power. */
    private static final int DARK_SECONDS = 3;

    private final Demo options;
    private final Cluster cluster;
    private final ClusterSettings settings;
    private final Statistics statistics = new Statistics();
    private final long startNanos = System.nanoTime();
    private final List<Long> reprotectMillis = new ArrayList<>();
    private final List<String> problems = new ArrayList<>();
    private CheckerProcess checker;
    private Load load;
    private boolean loadFailed;
    private int kills;

    Scenario(Demo options, Cluster cluster, ClusterSettings settings) {
        this.options = options;
        this.cluster = cluster;
        this.settings = settings;
    }

    /** Runs it; whether everything was as promised. */
    boolean run() throws IOException, InterruptedException {
        try {
            if (options.unreplicated) {
                say("booting one guest without protection");
                cluster.startUnreplicated();
            } else {
                startCluster();
            }
            startClients();
            for (int cycle = 1; cycle <= options.cycles; cycle++) {
                cycle(cycle);
            }
            return report();
        } finally {
            if (load != null) {
                load.close();
            }
            if (checker != null) {
                checker.close();
            }
        }
    }

    private void startCluster() throws IOException, InterruptedException {
        say("starting three appliances on three hosts: replicas a and b, witness w");
        for (Host host : cluster.hosts()) {
            cluster.start(host);
        }
        cluster.await("the group forms and the guest boots", START_SECONDS_MAX, () -> cluster.primary().isPresent());
        say("guest runs on host " + cluster.primary().map(h -> h.name).orElse("?") + "; bringing a backup in");
        cluster.await("a backup is in sync", START_SECONDS_MAX, cluster::isProtected);
        say("protected: the death of any one host will be survived");
        cluster.sayWhereThePagesAre();
    }

    private void startClients() throws IOException, InterruptedException {
        List<String> checking = options.image == null
                ? List.of("--service", options.service.name(), "--connections", Integer.toString(CHECKER_CONNECTIONS), "--think-millis", "5",
                        "--answer-timeout-seconds", "30")
                : List.of("--probe-only", "--think-millis", "50");
        checker = new CheckerProcess(cluster, options.port, checking);
        cluster.await("the guest's service answers on port " + options.port, START_SECONDS_MAX, checker::works);
        if (options.image == null && options.clients > 0) {
            Load.prepare(options.service, cluster.lab(), Cluster.CLIENT, loadSettings());
        }
        startLoad();
        say("load runs: " + (options.image != null ? "connecting again and again" : CHECKER_CONNECTIONS + " checking connections"
                + (load == null ? "" : ", " + load.tool() + " with " + options.clients)));
        pollStatistics();
        statistics.forgetEpochs();
    }

    private void startLoad() throws IOException {
        if (options.image == null && options.clients > 0) {
            load = Load.on(options.service, cluster.lab(), Cluster.CLIENT, loadSettings());
        }
    }

    private LoadSettings loadSettings() {
        return new LoadSettings(options.programs(), cluster.guestAddress(), options.port, options.clients, options.pipeline, options.valueBytes,
                options.scale);
    }

    private void cycle(int number) throws IOException, InterruptedException {
        boolean kill = options.kill != Demo.Victim.none;
        int before = kill ? Math.max(2, options.seconds / 2) : options.seconds;
        watch(before);
        if (!kill) {
            return;
        }
        if (options.kill == Demo.Victim.power) {
            losePower(number);
        } else {
            killHost(number, before);
        }
        if (options.image == null) {
            checker.tell("audit");
        }
        // After a loss of power the clients have to come back first.
        watch(Math.max(2, options.seconds - before - (options.kill == Demo.Victim.power ? 0 : AWAY_SECONDS)));
    }

    private void killHost(int number, int before) throws IOException, InterruptedException {
        Host victim = victim();
        checker.tell("mark " + options.kill + "-" + number);
        say("*** killing host " + victim.name + " (" + options.kill + "): cables silent, SIGKILL to every process ***");
        victim.die();
        kills++;
        watch(Math.min(AWAY_SECONDS, options.seconds - before));
        say("an empty host " + victim.name + " takes its place");
        long since = System.nanoTime();
        victim.replace();
        cluster.start(victim);
        awaitProtectedAgain(since);
    }

    private void awaitProtectedAgain(long since) throws InterruptedException {
        boolean[] back = {false};
        watchUntil(PROTECT_SECONDS_MAX, () -> back[0] = cluster.isProtected());
        if (!back[0]) {
            throw new IllegalStateException("not protected again within " + PROTECT_SECONDS_MAX + " s; see the logs in " + cluster.work());
        }
        long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - since);
        reprotectMillis.add(took);
        say("protected again after " + took + " ms");
    }

    /** All hosts at once; the guest can only come back from its disk. Connections break then: clients must come back, too. */
    private void losePower(int number) throws IOException, InterruptedException {
        say("*** every host loses power: SIGKILL to every process of all of them ***");
        loadFailed |= load != null && load.hasFailed();
        cluster.losePower();
        checker.tell("restart power-" + number);
        kills++;
        if (load != null) {
            load.close();
        }
        watch(DARK_SECONDS);
        say("power is back");
        long since = System.nanoTime();
        if (options.unreplicated) {
            cluster.startUnreplicated();
        } else {
            statistics.appliancesRestarted();
            for (Host host : cluster.hosts()) {
                cluster.start(host);
            }
            awaitProtectedAgain(since);
        }
        boolean[] serves = {false};
        watchUntil(START_SECONDS_MAX, () -> serves[0] = serves());
        if (!serves[0]) {
            throw new IllegalStateException("no service within " + START_SECONDS_MAX + " s after the power came back; see the logs in " + cluster.work());
        }
        startLoad();
    }

    /** Whether a client gets through to the guest's service. */
    private boolean serves() {
        try {
            return Shell.result(5, connect()).status() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private List<String> connect() {
        List<String> command = cluster.lab().on(Cluster.CLIENT);
        command.addAll(options.service == Service.POSTGRESQL
                ? List.of(options.programs().resolve("psql").toString(), "-h", cluster.guestAddress(), "-p", Integer.toString(options.port),
                        "-U", "postgres", "-c", "SELECT 1")
                : List.of("redis-cli", "-h", cluster.guestAddress(), "-p", Integer.toString(options.port), "GET", "nothing"));
        return command;
    }

    private Host victim() {
        Host primary = cluster.primary().orElseThrow(() -> new IllegalStateException("nobody is primary"));
        return switch (options.kill) {
            case primary -> primary;
            case backup -> cluster.hosts().stream().filter(h -> !h.witness && h != primary).findFirst().orElseThrow();
            case witness -> cluster.hosts().stream().filter(h -> h.witness).findFirst().orElseThrow();
            case power, none -> throw new IllegalStateException("no single host is to be killed");
        };
    }

    private interface Until {
        boolean reached();
    }

    private void watch(int seconds) throws InterruptedException {
        watchUntil(seconds, () -> false);
    }

    /** Shows a line a second until the time is over or something is reached. */
    private void watchUntil(int seconds, Until until) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        long nextLine = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
        while (System.nanoTime() < end && !until.reached()) {
            Thread.sleep(100);
            if (System.nanoTime() >= nextLine) {
                nextLine += TimeUnit.SECONDS.toNanos(1);
                pollStatistics();
                line();
            }
        }
    }

    private void watchUntil(long seconds, Until until) throws InterruptedException {
        watchUntil((int) seconds, until);
    }

    private void pollStatistics() {
        cluster.primary().ifPresent(host -> {
            JsonObject status = host.status();
            if (status != null) {
                statistics.poll(host, status);
            }
        });
    }

    private void line() {
        JsonObject status = cluster.primary().map(Host::status).orElse(null);
        StringBuilder s = new StringBuilder();
        if (!options.unreplicated) {
            s.append(cluster.describe());
            if (status != null) {
                s.append(String.format(Locale.ROOT, "  view %d  epoch %d  same %.0f %%  pause %.1f ms  held %d",
                        status.getJsonNumber("view").longValue(), status.getJsonNumber("epoch").longValue(),
                        status.getJsonNumber("samePagesPercent").doubleValue(),
                        status.getJsonObject("pauseMillis").getJsonNumber("p50").doubleValue(), status.getInt("heldFrames")));
                s.append(status.getBoolean("protectedNow") ? "  protected" : "  NOT PROTECTED");
            }
        }
        if (load != null) {
            s.append(String.format(Locale.ROOT, "  load %.0f/s", load.ratePerSecond()));
        }
        say(s.toString().strip() + "  |  " + checker.lastLine());
    }

    private void say(String text) {
        System.out.printf(Locale.ROOT, "%7.1f s  %s%n", (System.nanoTime() - startNanos) / 1e9, text);
    }

    // ---- the end ----

    private boolean report() throws IOException, InterruptedException {
        pollStatistics();
        loadFailed |= load != null && load.hasFailed();
        double rate = load == null ? 0 : load.overallPerSecond();
        double loadSeconds = load == null ? 0 : load.seconds();
        if (load != null) {
            load.close();
        }
        say("checking every acknowledged write");
        JsonObject checked = checker.stop();
        if (load == null) {
            rate = checked.containsKey("throughputPerSecond") ? checked.getJsonNumber("throughputPerSecond").doubleValue() : 0;
            loadSeconds = checked.getJsonNumber("seconds").doubleValue();
        }
        Optional<DiskInspection.Findings> disks = inspectDisks();
        JsonObject result = result(checked, rate, loadSeconds, disks);
        print(result);
        statistics.write(cluster.work().resolve("epochs.jsonl"));
        if (options.json != null) {
            try (JsonWriter writer = Json.createWriterFactory(Map.of(JsonGenerator.PRETTY_PRINTING, true))
                    .createWriter(Files.newBufferedWriter(options.json))) {
                writer.writeObject(result);
            }
        }
        for (JsonValue problem : checked.containsKey("problems") ? checked.getJsonArray("problems") : JsonValue.EMPTY_JSON_ARRAY) {
            System.out.println("  problem: " + problem);
        }
        if (loadFailed) {
            System.out.println("  problem: a connection of " + load.tool() + " ended early: " + load.lastWords());
        }
        disks.ifPresent(found -> problems.addAll(found.problems()));
        problems.forEach(problem -> System.out.println("  problem: " + problem));
        boolean good = checked.getBoolean("clean") && !loadFailed && statistics.differing() == 0 && problems.isEmpty();
        say(good ? "as promised" : "NOT as promised; logs are in " + cluster.work());
        return good;
    }

    /** Stops everything in good order and looks at the disks; empty if there are none, or if the guest is to run on. */
    private Optional<DiskInspection.Findings> inspectDisks() throws IOException, InterruptedException {
        if (settings.disks().isEmpty() || options.keep) {
            return Optional.empty();
        }
        DiskInspection inspection = new DiskInspection(cluster, settings, options.service == Service.POSTGRESQL, this::say);
        if (options.unreplicated) {
            cluster.stop();
            return Optional.of(inspection.run());
        }
        return Optional.of(inspection.stopAndRun(cluster));
    }

    private JsonObject result(JsonObject checked, double rate, double seconds,
            Optional<DiskInspection.Findings> disks) {
        JsonObjectBuilder json = Json.createObjectBuilder();
        json.add("scenario", scenario() + (options.cycles > 1 ? "-x" + options.cycles : ""));
        json.add("seconds", Math.round(seconds * 10) / 10.0);
        json.add("throughputPerSecond", Math.round(rate * 10) / 10.0);
        JsonObject latency = checked.getJsonObject("latencyMillis");
        json.add("latencyMillis", Json.createObjectBuilder().add("p50", latency.get("p50")).add("p99", latency.get("p99")));
        statistics.addTo(json);
        JsonArrayBuilder outages = Json.createArrayBuilder();
        checked.getJsonArray("outages").forEach(o -> outages.add(o.asJsonObject().get("millis")));
        json.add("outageMillis", outages);
        int broken = checked.containsKey("connectionsBroken") ? checked.getInt("connectionsBroken") : checked.getInt("connectsFailed");
        json.add("connectionsBroken", broken + (loadFailed ? 1 : 0));
        json.add("acknowledgedWrites", checked.containsKey("acknowledgedWrites") ? checked.getInt("acknowledgedWrites") : 0);
        json.add("lostWrites", checked.containsKey("lostWrites") ? checked.getInt("lostWrites") : 0);
        json.add("staleReads", checked.containsKey("staleReads") ? checked.getInt("staleReads") : 0);
        JsonArrayBuilder reprotect = Json.createArrayBuilder();
        reprotectMillis.forEach(reprotect::add);
        json.add("reprotectMillis", reprotect);
        json.add("kills", kills);
        disks.ifPresent(found -> found.addTo(json));
        return json.build();
    }

    private String scenario() {
        String guest = options.service == Service.POSTGRESQL ? "postgresql-" : options.disk ? "disk-" : "";
        return guest + (options.unreplicated ? "unreplicated" + (options.kill == Demo.Victim.power ? "-kill-power" : "") : "kill-" + options.kill);
    }

    private static void print(JsonObject result) {
        System.out.println();
        result.forEach((key, value) -> System.out.printf("  %-26s %s%n", key, value));
        System.out.println();
    }
}
