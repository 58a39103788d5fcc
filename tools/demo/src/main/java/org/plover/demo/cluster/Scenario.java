package org.plover.demo.cluster;

import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonReader;
import jakarta.json.JsonValue;
import jakarta.json.JsonWriter;
import jakarta.json.stream.JsonGenerator;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** What the demo does: start, protect, load, kill, bring back, check, report. */
final class Scenario {
    private static final int CHECKER_CONNECTIONS = 4;
    private static final long START_SECONDS_MAX = 180;
    private static final long PROTECT_SECONDS_MAX = 120;
    private static final long AUDIT_SECONDS_MAX = 120;
    /** How long a killed host stays away before an empty one takes its place. */
    private static final int AWAY_SECONDS = 12;

    private final Demo options;
    private final Cluster cluster;
    private final Statistics statistics = new Statistics();
    private final long startNanos = System.nanoTime();
    private final List<Long> reprotectMillis = new ArrayList<>();
    private Process checker;
    private Load load;
    private String checkerLine = "";
    private int kills;

    Scenario(Demo options, Cluster cluster) {
        this.options = options;
        this.cluster = cluster;
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
            startLoad();
            if (options.unreplicated) {
                watch(options.seconds);
            } else {
                for (int cycle = 1; cycle <= options.cycles; cycle++) {
                    cycle(cycle);
                }
            }
            return report();
        } finally {
            if (load != null) {
                load.close();
            }
            Shell.end(checker, 2);
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
    }

    private void startLoad() throws IOException, InterruptedException {
        List<String> command = cluster.lab().on(Cluster.CLIENT);
        command.addAll(List.of(System.getProperty("java.home") + "/bin/java", "-XX:+UseSerialGC", "-Xmx96m", "-XX:TieredStopAtLevel=1",
                "-cp", System.getProperty("java.class.path"), "org.plover.demo.Checker", "--host", cluster.guestAddress(),
                "--port", Integer.toString(options.port), "--json", reportFile().toString(), "--connect-timeout-seconds", "120"));
        command.addAll(options.image == null
                ? List.of("--connections", Integer.toString(CHECKER_CONNECTIONS), "--think-millis", "5")
                : List.of("--probe-only", "--think-millis", "50"));
        Files.deleteIfExists(reportFile());
        Path output = cluster.work().resolve("checker.log");
        checker = new ProcessBuilder(command).redirectError(cluster.work().resolve("checker.err").toFile())
                .redirectOutput(output.toFile()).start();
        File file = output.toFile();
        cluster.await("the guest's service answers on port " + options.port, START_SECONDS_MAX, () -> {
            if (!checker.isAlive()) {
                throw new IllegalStateException("the service could not be reached; see " + cluster.work().resolve("checker.err"));
            }
            return file.length() > 0;
        });
        if (options.image == null && options.clients > 0) {
            load = new Load(cluster.lab(), Cluster.CLIENT, cluster.guestAddress(), options.port, options.clients,
                    options.pipeline, options.valueBytes);
        }
        say("load runs: " + (options.image == null ? CHECKER_CONNECTIONS + " checking connections, redis-benchmark with "
                + options.clients : "connecting again and again"));
        pollStatistics();
        statistics.forgetEpochs();
    }

    private Path reportFile() {
        return cluster.work().resolve("checker.json");
    }

    private void cycle(int number) throws IOException, InterruptedException {
        boolean kill = options.kill != Demo.Victim.none;
        int before = kill ? Math.max(2, options.seconds / 2) : options.seconds;
        watch(before);
        if (!kill) {
            return;
        }
        Host victim = victim();
        mark(options.kill + "-" + number);
        say("*** killing host " + victim.name + " (" + options.kill + "): cables silent, SIGKILL to every process ***");
        victim.die();
        kills++;
        watch(Math.min(AWAY_SECONDS, options.seconds - before));
        say("an empty host " + victim.name + " takes its place");
        long since = System.nanoTime();
        victim.replace();
        cluster.start(victim);
        boolean[] back = {false};
        watchUntil(PROTECT_SECONDS_MAX, () -> back[0] = cluster.isProtected());
        if (!back[0]) {
            throw new IllegalStateException("not protected again within " + PROTECT_SECONDS_MAX + " s; see the logs in " + cluster.work());
        }
        long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - since);
        reprotectMillis.add(took);
        say("protected again after " + took + " ms");
        watch(Math.max(2, options.seconds - before - AWAY_SECONDS));
    }

    private Host victim() {
        Host primary = cluster.primary().orElseThrow(() -> new IllegalStateException("nobody is primary"));
        return switch (options.kill) {
            case primary -> primary;
            case backup -> cluster.hosts().stream().filter(h -> !h.witness && h != primary).findFirst().orElseThrow();
            case witness -> cluster.hosts().stream().filter(h -> h.witness).findFirst().orElseThrow();
            case none -> throw new IllegalStateException("nobody is to be killed");
        };
    }

    private void mark(String name) throws IOException {
        tell("mark " + name);
    }

    private void tell(String line) throws IOException {
        OutputStream in = checker.getOutputStream();
        in.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        in.flush();
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
        try {
            List<String> lines = Files.readAllLines(cluster.work().resolve("checker.log"));
            checkerLine = lines.isEmpty() ? "" : lines.get(lines.size() - 1);
        } catch (IOException e) {
            checkerLine = "";
        }
        say(s.toString().strip() + "  |  " + checkerLine);
    }

    private void say(String text) {
        System.out.printf(Locale.ROOT, "%7.1f s  %s%n", (System.nanoTime() - startNanos) / 1e9, text);
    }

    // ---- the end ----

    private boolean report() throws IOException, InterruptedException {
        pollStatistics();
        boolean loadFailed = load != null && load.hasFailed();
        double rate = load == null ? 0 : load.overallPerSecond();
        double loadSeconds = load == null ? 0 : load.seconds();
        if (load != null) {
            load.close();
        }
        say("checking every acknowledged write");
        tell("stop");
        if (!checker.waitFor(AUDIT_SECONDS_MAX, TimeUnit.SECONDS)) {
            throw new IllegalStateException("the checker did not end; see " + cluster.work());
        }
        if (!Files.exists(reportFile())) {
            throw new IllegalStateException("the checker left no report; see " + cluster.work().resolve("checker.err"));
        }
        JsonObject checked;
        try (JsonReader reader = Json.createReader(Files.newBufferedReader(reportFile()))) {
            checked = reader.readObject();
        }
        if (load == null) {
            rate = checked.containsKey("throughputPerSecond") ? checked.getJsonNumber("throughputPerSecond").doubleValue() : 0;
            loadSeconds = checked.getJsonNumber("seconds").doubleValue();
        }
        JsonObject result = result(checked, rate, loadSeconds, loadFailed);
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
            System.out.println("  problem: redis-benchmark ended early: " + load.lastWords());
        }
        boolean good = checked.getBoolean("clean") && !loadFailed && statistics.differing() == 0;
        say(good ? "as promised" : "NOT as promised; logs are in " + cluster.work());
        return good;
    }

    private JsonObject result(JsonObject checked, double rate, double seconds, boolean loadFailed) {
        JsonObjectBuilder json = Json.createObjectBuilder();
        json.add("scenario", options.unreplicated ? "unreplicated" : "kill-" + options.kill + (options.cycles > 1 ? "-x" + options.cycles : ""));
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
        return json.build();
    }

    private static void print(JsonObject result) {
        System.out.println();
        result.forEach((key, value) -> System.out.printf("  %-26s %s%n", key, value));
        System.out.println();
    }
}
