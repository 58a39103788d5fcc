package org.plover.demo.chaos;

import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonValue;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.plover.demo.cluster.Cluster;
import org.plover.demo.cluster.Host;
import org.plover.demo.cluster.Load;
import org.plover.demo.cluster.Shell;

/**
 * Too much to do, for a while: what the guest still does, what the appliances say, how much memory they take, whether the backup
 * is dropped when it cannot follow and comes back when it can. The clients' histories are checked as ever.
 */
final class Overload {
    enum Kind {
        FLOOD, SLOW_BACKUP, SLOW_LINK, FAST_CLIENTS;

        String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    private static final int CALM_SECONDS = 10;
    private static final int BACK_SECONDS_MAX = 120;
    /** Heap and direct memory have 384 MiB each at most; the rest is code, classes, stacks. */
    private static final int ANONYMOUS_MIB_MAX = 1_000;

    private final Campaign campaign;
    private final Kind kind;
    private final int seconds;
    private final Chaos options;
    private final Cluster cluster;
    private final Resources resources = new Resources();
    private final Map<String, String> lastSaid = new LinkedHashMap<>();
    private final List<String> said = new ArrayList<>();
    private Load load;
    private boolean dropped;

    Overload(Campaign campaign, Chaos options) {
        this.campaign = campaign;
        this.options = options;
        this.kind = options.overload;
        this.seconds = options.seconds;
        this.cluster = campaign.cluster();
    }

    JsonObject run() throws IOException, InterruptedException {
        campaign.start(options.clients, options.thinkMillis * 1000);
        Judge judge = campaign.judge();
        try {
            if (kind == Kind.SLOW_BACKUP || kind == Kind.SLOW_LINK) {
                startLoad(16, 4); // something to fall behind with
            }
            double before = watch(CALM_SECONDS, "before");
            judge.clock().begin();
            double during = overloaded();
            long since = System.nanoTime();
            long outage = judge.clock().outageMillis(since);
            while (!campaign.isWell() && System.nanoTime() - since < TimeUnit.SECONDS.toNanos(BACK_SECONDS_MAX)) {
                look();
                Thread.sleep(200);
            }
            long back = (System.nanoTime() - since) / 1_000_000;
            if (!campaign.isWell()) {
                judge.anomaly("not protected within " + BACK_SECONDS_MAX + " s after " + kind.word() + ": " + campaign.messages());
                back = -1;
            }
            campaign.say("protected again after " + back + " ms");
            double after = watch(CALM_SECONDS, "after");
            judge.blameSilence(System.nanoTime());
            if (load != null && load.hasFailed()) {
                judge.anomaly("redis-benchmark ended: " + load.lastWords());
            }
            campaign.end();
            if (resources.anonymousMiBMax() > ANONYMOUS_MIB_MAX) {
                judge.anomaly("an appliance has grown to " + resources.anonymousMiBMax() + " MiB");
            }
            return figures(before, during, after, outage, back);
        } finally {
            if (load != null) {
                load.close();
            }
        }
    }

    private void startLoad(int connections, int pipeline) throws IOException {
        load = new Load(cluster.lab(), Cluster.CLIENT, cluster.guestAddress(), 6379, connections, pipeline, 1024);
    }

    private double overloaded() throws IOException, InterruptedException {
        campaign.say("--- " + kind.word() + " for " + seconds + " s");
        Host primary = cluster.primary().orElseThrow();
        Host backup = cluster.hosts().stream().filter(h -> !h.witness && h != primary).findFirst().orElseThrow();
        switch (kind) {
            case FLOOD -> {
                Process flood = flood();
                try {
                    return watch(seconds, "during");
                } finally {
                    Shell.end(flood, 1);
                }
            }
            case FAST_CLIENTS -> {
                startLoad(100, 50);
                double rate = watch(seconds, "during");
                load.close();
                load = null;
                return rate;
            }
            case SLOW_BACKUP, SLOW_LINK -> {
                Fault fault = kind == Kind.SLOW_BACKUP
                        ? campaign.faults().starve(FaultKind.STARVE_BACKUP, "backup", backup, options.backupPercent, 0)
                        : campaign.faults().slowLink(FaultKind.SLOW_LINK, "backup", backup, options.linkKilobits, 0);
                fault.inject().run();
                try {
                    return watch(seconds, "during");
                } finally {
                    fault.heal().run();
                }
            }
            default -> throw new IllegalStateException();
        }
    }

    private Process flood() throws IOException {
        List<String> command = cluster.lab().on(Cluster.CLIENT);
        command.addAll(List.of("nice", System.getProperty("java.home") + "/bin/java", "-XX:+UseSerialGC", "-Xmx32m", "-XX:TieredStopAtLevel=1",
                "-cp", System.getProperty("java.class.path"), Flood.class.getName(), cluster.guestAddress(), "6379",
                Integer.toString(options.floodPackets)));
        Process process = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(cluster.work().resolve("flood.log").toFile()).start();
        process.getOutputStream().close();
        return process;
    }

    /** Watches for a while; operations of the checked clients in a second. */
    private double watch(int howLong, String phase) throws IOException, InterruptedException {
        long start = System.nanoTime();
        long first = campaign.judge().operations();
        for (int second = 1; second <= howLong; second++) {
            long rest = start + TimeUnit.SECONDS.toNanos(second) - System.nanoTime();
            if (rest > 0) {
                TimeUnit.NANOSECONDS.sleep(rest);
            }
            look();
            if (second % 5 == 0) {
                resources.take(campaign.seconds(), cluster.hosts());
            }
        }
        double rate = Math.round((campaign.judge().operations() - first) / ((System.nanoTime() - start) / 1e10)) / 10.0;
        campaign.say(phase + ": " + rate + " operations/s" + (load == null ? "" : ", redis-benchmark " + Math.round(load.ratePerSecond()) + "/s"));
        campaign.lookAtTheWire();
        return rate;
    }

    /** Notes what each appliance says of itself whenever that is something else than before. */
    private void look() {
        for (Host host : cluster.hosts()) {
            JsonObject status = host.status();
            String now = status == null ? "no answer" : status.getString("role") + (status.getBoolean("protectedNow") ? ", protected: " : ": ")
                    + status.getString("message");
            if (status != null && status.getString("role").equals("PRIMARY")) {
                for (JsonValue member : status.getJsonArray("members")) {
                    JsonObject m = member.asJsonObject();
                    dropped |= !m.getString("name").equals("w") && !m.getBoolean("inSync");
                }
            }
            // Digits aside, or a progress in percent would be something else each time.
            if (!now.replaceAll("\\d+", "").equals(String.valueOf(lastSaid.put(host.name, now)).replaceAll("\\d+", ""))) {
                said.add(String.format(Locale.ROOT, "%.1f s %s %s", campaign.seconds(), host.name, now));
                campaign.say("    " + host.name + ": " + now);
            }
        }
    }

    private JsonObject figures(double before, double during, double after, long outage, long back) {
        Judge judge = campaign.judge();
        JsonObjectBuilder json = Json.createObjectBuilder();
        json.add("overload", kind.word());
        json.add("seconds", seconds);
        json.add("seed", options.seed);
        json.add("operations", judge.operations());
        json.add("lost", judge.lost());
        json.add("stale", judge.stale());
        json.add("anomalies", judge.anomalies());
        json.add("splitBrainSightings", campaign.sightings().size());
        json.add("operationsPerSecond", Json.createObjectBuilder().add("before", before).add("during", during).add("after", after));
        json.add("longestSilenceMillis", outage);
        json.add("longestWaitMillis", judge.clock().longestWaitMillis());
        json.add("backupDropped", dropped);
        json.add("protectedAgainMillis", back);
        resources.addTo(json);
        JsonArrayBuilder lines = Json.createArrayBuilder();
        said.forEach(lines::add);
        json.add("status", lines);
        JsonArrayBuilder problems = Json.createArrayBuilder();
        judge.problems().stream().limit(100).forEach(problems::add);
        json.add("problems", problems);
        return json.build();
    }
}
