package org.plover.demo.chaos;

import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.LocalTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.plover.demo.cluster.Cluster;
import org.plover.demo.cluster.ClusterSettings;
import org.plover.demo.cluster.DiskInspection;
import org.plover.demo.cluster.Host;

/** Inflicts one fault after the other on a cluster that serves clients; each time the guest has to become protected again. */
final class Campaign implements AutoCloseable {
    private static final int START_SECONDS_MAX = 180;
    private static final int PROTECT_SECONDS_MAX = 60;
    /** The guest's journal has to be replayed, and disks be compared. */
    private static final int PROTECT_WITH_DISK_SECONDS_MAX = 120;
    private static final int RECOVER_SECONDS_MAX = 20;
    private static final int AUDIT_SECONDS_MAX = 60;
    private static final int CALM_MILLIS_MIN = 500;
    private static final int CALM_MILLIS_MAX = 3_000;

    /** What an appliance says when it boots the guest anew. */
    private static final String COLD_START = "has lost the guest; booting the guest";

    private final Chaos options;
    private final Cluster cluster;
    private final ClusterSettings settings;
    private final SplittableRandom random;
    private final PrintWriter log;
    private final Judge judge;
    private final Faults faults;
    private final List<Inflicted> inflicted = new ArrayList<>();
    private final List<Reigns.Sighting> sightings = new ArrayList<>();
    private final Map<String, Long> failedSinceNanos = new HashMap<>();
    private WireWatch wire;
    private Clients clients;
    private DiskInspection.Findings disks;
    private int coldStarts;
    private int reign;
    private long startNanos = System.nanoTime();

    Campaign(Chaos options, Cluster cluster, ClusterSettings settings) throws IOException {
        this.settings = settings;
        this.options = options;
        this.cluster = cluster;
        this.random = new SplittableRandom(options.seed);
        this.log = new PrintWriter(Files.newBufferedWriter(cluster.work().resolve("chaos.log")), true);
        this.judge = new Judge(this::say);
        this.faults = new Faults(cluster, random.split());
    }

    Judge judge() {
        return judge;
    }

    Cluster cluster() {
        return cluster;
    }

    Faults faults() {
        return faults;
    }

    List<Inflicted> inflicted() {
        return inflicted;
    }

    List<Reigns.Sighting> sightings() {
        return sightings;
    }

    WireWatch wire() {
        return wire;
    }

    /** Three appliances, protected, with clients at work. */
    void start(int connections, int thinkMicros) throws IOException, InterruptedException {
        say("seed " + options.seed + ", logs in " + cluster.work());
        wire = new WireWatch(cluster, judge);
        for (Host host : cluster.hosts()) {
            cluster.start(host);
        }
        cluster.await("a backup is in sync", START_SECONDS_MAX, cluster::isProtected);
        clients = new Clients(cluster, judge, options.port, connections, thinkMicros, random.nextLong());
        cluster.await("clients are connected", START_SECONDS_MAX, () -> clients.connected(0) || !clients.isAlive());
        startNanos = System.nanoTime();
        say("protected, " + connections + " clients at work");
    }

    /** Faults until the time is over, or for a number of rounds in each of which every fault comes once. */
    void run(List<String> kinds, double minutes, int rounds) throws IOException, InterruptedException {
        long end = System.nanoTime() + (long) (minutes * 60e9);
        for (int round = 0; rounds == 0 || round < rounds; round++) {
            for (String kind : shuffled(kinds)) {
                if (rounds == 0 && System.nanoTime() >= end) {
                    return;
                }
                calm();
                inflict(kind);
            }
        }
    }

    private List<String> shuffled(List<String> kinds) {
        List<String> deck = new ArrayList<>(kinds);
        for (int i = deck.size() - 1; i > 0; i--) {
            deck.set(i, deck.set(random.nextInt(i + 1), deck.get(i)));
        }
        return deck;
    }

    private void calm() throws InterruptedException {
        Thread.sleep(random.nextInt(CALM_MILLIS_MIN, CALM_MILLIS_MAX));
    }

    /** {@code kind} or {@code kind:role}. */
    private void inflict(String what) throws IOException, InterruptedException {
        String[] words = what.split(":");
        FaultKind kind = FaultKind.of(words[0]).orElseThrow();
        // Drawn in any case, so that what follows does not depend on whether it was asked for.
        int dice = random.nextInt(kind.victim.roles.size());
        String role = words.length > 1 ? words[1] : kind.victim.roles.get(dice);
        Fault fault = faults.of(kind, role);
        say("--- " + fault.name() + " " + fault.details() + "   (" + cluster.describe() + ")");
        double at = seconds();
        long injectedNanos = System.nanoTime();
        judge.clock().begin();
        fault.inject().run();
        if (kind.losesTheGuest()) {
            injectedNanos = System.nanoTime();
            if (options.disk) {
                restartClients();
            }
        }
        Thread.sleep(fault.holdMillis());
        long healedNanos = System.nanoTime();
        fault.heal().run();
        startThoseThatAreDown(kind);
        if (kind.losesTheGuest() && !options.disk) {
            beginReign(kind);
        }
        long protectedMillis = awaitProtected(fault, healedNanos);
        long outageMillis = kind.losesTheGuest() ? (judge.clock().firstNanos() - injectedNanos) / 1_000_000
                : judge.clock().outageMillis(System.nanoTime());
        Inflicted result = new Inflicted(kind, role, at, outageMillis, judge.clock().longestWaitMillis(), protectedMillis);
        inflicted.add(result);
        say(String.format(Locale.ROOT, "    %s: outage %d ms, longest wait %d ms, held %d ms, protected again after %d ms   (%s)", fault.name(),
                result.outageMillis(), result.longestWaitMillis(), fault.holdMillis(), protectedMillis, cluster.describe()));
        judge.blameSilence(System.nanoTime());
        lookAtTheWire();
        if (protectedMillis < 0) {
            beginAnew();
        }
    }

    /**
     * Starts appliances that were killed, and those that stopped themselves. One whose storage failed starts anew by itself as soon
     * as it can write again; it is given time for that.
     */
    private void startThoseThatAreDown(FaultKind kind) throws IOException, InterruptedException {
        boolean mayHaveStopped = kind == FaultKind.STORAGE_FULL || kind == FaultKind.STORAGE_READ_ONLY;
        for (Host host : cluster.hosts()) {
            JsonObject status = host.status();
            boolean failed = status != null && status.getString("role").equals("FAILED");
            if (host.isUp() && !failed) {
                failedSinceNanos.remove(host.name);
                continue;
            }
            if (failed) {
                Long since = failedSinceNanos.putIfAbsent(host.name, System.nanoTime());
                if (since == null) {
                    say("    " + host.name + " has failed: " + status.getString("message"));
                }
                if (since == null || mayHaveStopped && System.nanoTime() - since < TimeUnit.SECONDS.toNanos(RECOVER_SECONDS_MAX)) {
                    continue;
                }
            }
            if (!mayHaveStopped && !kind.losesTheGuest()) {
                judge.anomaly("host " + host.name + " stopped by itself after " + kind.word);
            }
            say("    " + host.name + " is started again");
            failedSinceNanos.remove(host.name);
            host.killAppliance();
            cluster.start(host);
        }
    }

    /** Time from then until all is well and clients are served; -1 if it takes too long. */
    private long awaitProtected(Fault fault, long sinceNanos) throws InterruptedException, IOException {
        int secondsMax = options.disk ? PROTECT_WITH_DISK_SECONDS_MAX : PROTECT_SECONDS_MAX;
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(secondsMax);
        while (true) {
            long lookedNanos = System.nanoTime();
            if (isWell()) {
                long protectedNanos = System.nanoTime();
                while (judge.clock().lastNanos() < lookedNanos && System.nanoTime() < end) {
                    Thread.sleep(20);
                }
                if (judge.clock().lastNanos() >= lookedNanos) {
                    return (protectedNanos - sinceNanos) / 1_000_000;
                }
            }
            if (System.nanoTime() > end) {
                judge.anomaly("not " + (isWell() ? "serving" : "protected") + " within " + secondsMax + " s after " + fault.name() + ": "
                        + messages());
                return -1;
            }
            startThoseThatAreDown(fault.kind());
            Thread.sleep(100);
        }
    }

    boolean isWell() {
        return cluster.isProtected() && cluster.hosts().stream().allMatch(h -> h.status() != null);
    }

    String messages() {
        StringBuilder s = new StringBuilder();
        for (Host host : cluster.hosts()) {
            JsonObject status = host.status();
            s.append(host.name).append(": ").append(status == null ? "no answer" : status.getString("role") + " view "
                    + status.getJsonNumber("view") + " '" + status.getString("message") + "'").append("; ");
        }
        return s.toString();
    }

    void lookAtTheWire() throws IOException {
        for (Reigns.Sighting sighting : wire.sightings()) {
            sightings.add(sighting);
            if (sightings.size() <= 20) {
                say("SPLIT BRAIN: host " + sighting.host() + " sent in the guest's name at "
                        + LocalTime.ofInstant(java.time.Instant.EPOCH.plus(sighting.epochMicros(), ChronoUnit.MICROS),
                                java.time.ZoneId.systemDefault()) + ": " + sighting.why());
            }
        }
    }

    /** The guest has lost its state, and is booted again. */
    private void beginReign(FaultKind kind) throws IOException {
        reign++;
        judge.beginReign(reign);
        judge.clock().forget();
        say("    the guest begins anew: " + kind.word);
        clients.tell("reign " + reign);
    }

    /** The guest has lost its memory, and is booted again from its disk; before that, so that no connection is said to have broken. */
    private void restartClients() throws IOException {
        reign++;
        say("    all connections are given up; what was acknowledged has to be there when the guest is");
        clients.tell("restart " + reign);
    }

    /** After a fault that was not got over, so that the others can still be tried. */
    private void beginAnew() throws IOException, InterruptedException {
        say("    everything is begun anew");
        for (Host host : cluster.hosts()) {
            host.die();
        }
        lookAtTheWire();
        wire.forget();
        beginReign(FaultKind.RESTART_ALL);
        for (Host host : cluster.hosts()) {
            host.replace();
            host.installDisks();
            cluster.start(host);
        }
        cluster.await("a backup is in sync", START_SECONDS_MAX, cluster::isProtected);
        cluster.await("clients are connected", START_SECONDS_MAX, () -> clients.connected(reign));
    }

    /** All keys are read once more; then nothing must be open. */
    void end() throws IOException, InterruptedException {
        if (!clients.audit(AUDIT_SECONDS_MAX)) {
            judge.anomaly("the keys could not all be read at the end: " + judge.open() + " operations are open");
        }
        Thread.sleep(1_100); // for the last frames to be old enough
        lookAtTheWire();
    }

    /** Stops everything in good order; images must be equal, and their file system whole. */
    void inspectDisks() throws IOException, InterruptedException {
        clients.close();
        coldStarts = coldStartsLogged();
        disks = new DiskInspection(cluster, settings, false, this::say).stopAndRun(cluster);
        disks.problems().forEach(judge::anomaly);
    }

    /** How often the guest was booted because nobody held it any more, as the appliances tell. */
    private int coldStartsLogged() throws IOException {
        int boots = 0;
        for (Host host : cluster.hosts()) {
            try (Stream<String> lines = Files.lines(host.log(), StandardCharsets.ISO_8859_1)) {
                boots += (int) lines.filter(line -> line.contains(COLD_START)).count();
            }
        }
        return boots;
    }

    /** What {@link #inspectDisks} has found, if it has looked. */
    void addDisksTo(JsonObjectBuilder json) {
        if (disks != null) {
            disks.addTo(json);
            json.add("coldStarts", coldStarts);
        }
    }

    void say(String text) {
        String line = String.format(Locale.ROOT, "%8.1f s  %s  %s", seconds(), LocalTime.now().truncatedTo(ChronoUnit.MILLIS), text);
        System.out.println(line);
        log.println(line);
    }

    double seconds() {
        return (System.nanoTime() - startNanos) / 1e9;
    }

    @Override
    public void close() throws InterruptedException {
        if (clients != null) {
            clients.close();
        }
        if (wire != null) {
            wire.close();
        }
        log.close();
    }
}
