package org.plover.demo.chaos;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonWriter;
import jakarta.json.stream.JsonGenerator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.plover.demo.cluster.Cluster;
import org.plover.demo.cluster.ClusterSettings;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line of {@code itests/chaos.sh}. */
@Command(name = "chaos.sh", mixinStandardHelpOptions = true, sortOptions = false,
        description = {"Inflicts random faults on a protected guest and checks that its clients see one machine that forgets nothing.",
            "Clients' histories are checked for linearizability, the wire for frames of the guest from two hosts."},
        footer = {"", "Examples:",
            "  chaos.sh --minutes 20 --seed 7 --json chaos.json",
            "  chaos.sh --disk --minutes 10",
            "  chaos.sh --faults kill-host:primary,freeze:primary --rounds 5",
            "  chaos.sh --overload slow-backup --seconds 60", "",
            "Exit status: 0 nothing lost, stale or strange, 1 something was, or it did not come up, 2 wrong usage."})
public final class Chaos implements Callable<Integer> {
    /** How often each way of killing the primary comes in a round: what its figures are about should not rest on one. */
    private static final int PRIMARY_KILLS = 3;
    /** Of a data directory without a journal. */
    private static final int STORAGE_MIB = 96;
    private static final int JOURNAL_MIB = 1;
    /** A journal grows beyond its size while the images cannot take what is in it. */
    private static final int JOURNAL_STORAGE_MIB = 64;
    private static final int COPY_MIB_PER_SECOND = 48;

    @Spec
    private CommandSpec spec;

    @Option(names = "--minutes", defaultValue = "5", description = "How long faults go on (default: ${DEFAULT-VALUE}).")
    double minutes;

    @Option(names = "--seed", defaultValue = "1", description = "What chance begins with (default: ${DEFAULT-VALUE}).")
    long seed;

    @Option(names = "--disk", description = "The guest has a disk, and Redis has every write on it before it acknowledges it: not even the"
            + " loss of all hosts at once may lose one. Images and journals are in memory.")
    boolean disk;

    @Option(names = "--faults", split = ",", paramLabel = "KIND[:ROLE]", description = "Only these; role is primary, backup or witness."
            + " 'total-loss' stands for those that no guest's memory survives; without --disk its clients begin anew then. All kinds:"
            + " see --list.")
    List<String> faults = new ArrayList<>();

    @Option(names = "--list", description = "Show all kinds of faults and end.")
    boolean list;

    @Option(names = "--rounds", paramLabel = "N", defaultValue = "0", description = "End after each fault has come N times, instead of"
            + " after a time.")
    int rounds;

    @Option(names = "--overload", paramLabel = "KIND", converter = OverloadKind.class, description = "Instead of faults, too much to do:"
            + " flood, slow-backup, slow-link or fast-clients.")
    Overload.Kind overload;

    @Option(names = "--seconds", defaultValue = "30", description = "How long an overload lasts (default: ${DEFAULT-VALUE}).")
    int seconds;

    @Option(names = "--link-kilobits", defaultValue = "3000", description = "Rate of the backup's link in slow-link, kbit/s (default: ${DEFAULT-VALUE}).")
    int linkKilobits;

    @Option(names = "--backup-percent", defaultValue = "10", description = "Share of one processor that the backup's host has in slow-backup"
            + " (default: ${DEFAULT-VALUE}).")
    int backupPercent;

    @Option(names = "--flood-packets", defaultValue = "20000", description = "Packets per second in flood (default: ${DEFAULT-VALUE}).")
    int floodPackets;

    @Option(names = "--clients", defaultValue = "8", description = "Connections (default: ${DEFAULT-VALUE}).")
    int clients;

    @Option(names = "--think-millis", defaultValue = "10", description = "Mean time between an answer and the next command of a client"
            + " (default: ${DEFAULT-VALUE}).")
    int thinkMillis;

    @Option(names = "--json", paramLabel = "FILE", description = "Where to write the figures.")
    Path json;

    @Option(names = "--keep", description = "Leave everything running at the end, until Ctrl-C, and say how to look at it.")
    boolean keep;

    @Option(names = "--memory", paramLabel = "MIB", defaultValue = "256", description = "Memory of the guest (default: ${DEFAULT-VALUE}).")
    int memoryMiB;

    @Option(names = "--vcpus", defaultValue = "1", description = "Virtual CPUs of the guest (default: ${DEFAULT-VALUE}).")
    int vcpus;

    @Option(names = "--verify-every", paramLabel = "N", defaultValue = "0", description = "Compare all guest memory of both replicas at every"
            + " N-th epoch; 0 for never (default: ${DEFAULT-VALUE}).")
    int verifyEvery;

    @Option(names = "--port", defaultValue = "6379", hidden = true, description = "TCP port of the guest's service.")
    int port;

    @Option(names = "--plover", paramLabel = "DIR", hidden = true, description = "Unpacked distribution.")
    Path plover;

    @Option(names = "--guest", paramLabel = "DIR", hidden = true, description = "Guest image.")
    Path guest;

    @Option(names = "--work", paramLabel = "DIR", hidden = true, description = "Directory for logs and data.")
    Path work;

    /** {@code slow-link} for {@code SLOW_LINK}. */
    static final class OverloadKind implements CommandLine.ITypeConverter<Overload.Kind> {
        @Override
        public Overload.Kind convert(String word) {
            for (Overload.Kind kind : Overload.Kind.values()) {
                if (kind.word().equals(word)) {
                    return kind;
                }
            }
            throw new CommandLine.TypeConversionException("'" + word + "' is none of flood, slow-backup, slow-link, fast-clients");
        }
    }

    public static void main(String[] args) {
        System.exit(new CommandLine(new Chaos()).execute(args));
    }

    @Override
    public Integer call() throws IOException {
        if (list) {
            for (FaultKind kind : FaultKind.values()) {
                System.out.printf("  %-18s %-26s %s%s%n", kind.word, String.join(", ", kind.victim.roles), kind.what,
                        kind.needsDisk() ? " (needs --disk)" : "");
            }
            return 0;
        }
        List<String> deck = deck();
        ClusterSettings settings = settings();
        try (Cluster cluster = new Cluster(settings)) {
            Runtime.getRuntime().addShutdownHook(new Thread(cluster::close, "cleanup"));
            try (Campaign campaign = new Campaign(this, cluster, settings)) {
                return run(campaign, deck) ? 0 : 1;
            }
        } catch (IOException | IllegalStateException e) {
            System.err.println("chaos: " + e.getMessage());
            return 1;
        } catch (InterruptedException e) {
            return 1;
        }
    }

    private ClusterSettings settings() {
        if (!disk) {
            return new ClusterSettings(plover, guest, List.of(), work, memoryMiB, vcpus, port, verifyEvery, Map.of(), "", "", false, STORAGE_MIB, false);
        }
        Path image = guest.resolve("disk");
        // A small journal comes into the images soon; a slow copy can be interrupted.
        return new ClusterSettings(plover, image, List.of(image.resolve("root.img")), work, memoryMiB, vcpus, port, verifyEvery, Map.of(),
                "copyMiBPerSecondMax=I\"" + COPY_MIB_PER_SECOND + "\"\n", "journalBytesMax=L\"" + (JOURNAL_MIB << 20) + "\"\n", false,
                STORAGE_MIB + JOURNAL_STORAGE_MIB, false);
    }

    private boolean run(Campaign campaign, List<String> deck) throws IOException, InterruptedException {
        JsonObject figures;
        if (overload != null) {
            figures = new Overload(campaign, this).run();
        } else {
            campaign.start(clients, thinkMillis * 1000);
            campaign.run(deck, minutes, rounds);
            campaign.end();
            if (disk && !keep) {
                campaign.inspectDisks();
            }
            figures = Figures.of(campaign, seed);
        }
        System.out.println();
        figures.forEach((key, value) -> {
            if (!key.equals("log")) {
                System.out.printf("  %-26s %s%n", key, value);
            }
        });
        if (json != null) {
            try (JsonWriter writer = Json.createWriterFactory(Map.of(JsonGenerator.PRETTY_PRINTING, true)).createWriter(Files.newBufferedWriter(json))) {
                writer.writeObject(figures);
            }
        }
        boolean good = figures.getInt("lost") + figures.getInt("stale") + figures.getInt("anomalies") + figures.getInt("splitBrainSightings") == 0;
        System.out.println();
        campaign.say(good ? "as promised" : "NOT as promised; everything is in " + work);
        if (keep) {
            campaign.cluster().sayHowToLook("redis-cli");
            Thread.sleep(Long.MAX_VALUE);
        }
        return good;
    }

    private List<String> deck() {
        if (plover == null || guest == null || work == null) {
            throw new ParameterException(spec.commandLine(), "--plover, --guest and --work are needed; itests/chaos.sh gives them");
        }
        if (minutes <= 0 || minutes > 24 * 60 || rounds < 0 || clients < 1 || clients > 500 || thinkMillis < 0 || thinkMillis > 60_000) {
            throw new ParameterException(spec.commandLine(), "--minutes, --rounds, --clients or --think-millis is out of range");
        }
        if (seconds < 5 || linkKilobits < 100 || backupPercent < 1 || floodPackets < 1) {
            throw new ParameterException(spec.commandLine(), "--seconds, --link-kilobits, --backup-percent or --flood-packets is out of range");
        }
        if (disk && overload != null) {
            throw new ParameterException(spec.commandLine(), "--disk and --overload do not go together");
        }
        List<String> deck = new ArrayList<>();
        if (faults.isEmpty()) {
            for (FaultKind kind : FaultKind.values()) {
                if (kind.needsDisk() && !disk) {
                    continue;
                }
                for (String role : kind.victim.roles) {
                    for (int i = 0; i < (kind.killsThePrimary(role) ? PRIMARY_KILLS : 1); i++) {
                        deck.add(kind.word + ":" + role);
                    }
                }
            }
        }
        for (String fault : faults) {
            if (fault.equals("total-loss")) {
                deck.add(FaultKind.LOSE_REPLICAS.word);
                deck.add(FaultKind.RESTART_ALL.word);
                continue;
            }
            String[] words = fault.split(":");
            FaultKind kind = FaultKind.of(words[0]).orElseThrow(
                    () -> new ParameterException(spec.commandLine(), "--faults " + fault + ": no such kind; see --list"));
            if (kind.needsDisk() && !disk) {
                throw new ParameterException(spec.commandLine(), "--faults " + fault + ": needs --disk");
            }
            if (words.length > 2 || words.length == 2 && !kind.victim.roles.contains(words[1])) {
                throw new ParameterException(spec.commandLine(), "--faults " + fault + ": strikes one of " + kind.victim.roles);
            }
            deck.add(fault);
        }
        return deck;
    }
}
