package org.plover.demo.cluster;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The command line of {@code itests/rejoin.sh}: a large disk is brought to a backup, the link is cut in the middle, and what had been
 * copied by then must not be sent again. Then the backup is away for a while: only what has changed since may be compared.
 */
@Command(name = "rejoin.sh", mixinStandardHelpOptions = true, sortOptions = false,
        description = {"Cuts the link between the replicas while a large disk is copied to the backup, and shows what had to be copied again.",
            "Exit status: 0 as promised, 1 not."})
public final class Rejoin implements Callable<Integer> {
    private static final int CHUNK_BYTES = 1 << 20;
    private static final int BLOCK_BYTES = 4096;
    private static final int SECONDS_MAX = 900;
    private static final int AWAY_SECONDS = 8;
    private static final Pattern COMPARED = Pattern.compile("disks: (\\d+) chunks of 1 MiB compared with the fresh backup's, (\\d+) blocks differed"
            + " and were sent, in (\\d+) ms");

    @Option(names = "--disk-mib", defaultValue = "4096", description = "Length of the second disk, MiB (default: ${DEFAULT-VALUE}).")
    int diskMiB;

    @Option(names = "--data-mib", defaultValue = "1536", description = "How much of it has data on both hosts, MiB; a quarter of that differs"
            + " (default: ${DEFAULT-VALUE}).")
    int dataMiB;

    @Option(names = "--copy-mib-per-second", defaultValue = "16", description = "copyMiBPerSecondMax (default: ${DEFAULT-VALUE}).")
    int copyMiBPerSecond;

    @Option(names = "--cut-after-seconds", defaultValue = "10", description = "How long the copy runs before it is cut (default: ${DEFAULT-VALUE}).")
    int cutAfterSeconds;

    @Option(names = "--seed", defaultValue = "1", description = "What random data begin with (default: ${DEFAULT-VALUE}).")
    long seed;

    @Option(names = "--plover", paramLabel = "DIR", required = true, hidden = true)
    Path plover;

    @Option(names = "--guest", paramLabel = "DIR", required = true, hidden = true)
    Path guest;

    @Option(names = "--work", paramLabel = "DIR", required = true, hidden = true)
    Path work;

    private final long startNanos = System.nanoTime();

    /** What the primary has logged of one copy. */
    private record Copy(long chunks, long blocks, long millis) { }

    public static void main(String[] args) {
        System.exit(new CommandLine(new Rejoin()).execute(args));
    }

    @Override
    public Integer call() {
        try {
            Files.createDirectories(work);
            Path data = work.resolve("data.img");
            makeData(data);
            Path image = guest.resolve("disk");
            ClusterSettings settings = new ClusterSettings(plover, image, List.of(image.resolve("root.img"), data), work, 256, 1, 6379, 0, Map.of(),
                    "copyMiBPerSecondMax=I\"" + copyMiBPerSecond + "\"\n", "", false, 0, false);
            try (Cluster cluster = new Cluster(settings)) {
                Runtime.getRuntime().addShutdownHook(new Thread(cluster::close, "cleanup"));
                return run(cluster, settings) ? 0 : 1;
            }
        } catch (IOException | IllegalStateException e) {
            System.err.println("rejoin: " + e.getMessage());
            return 1;
        } catch (InterruptedException e) {
            return 1;
        }
    }

    private boolean run(Cluster cluster, ClusterSettings settings) throws IOException, InterruptedException {
        Host a = cluster.hosts().get(0);
        Host b = cluster.hosts().get(1);
        makeDifferent(b.disks().get(1));
        long before = differingBlocks(a, b);
        say("the data disks have " + diskMiB + " MiB, of which " + blocks(before) + " differ");
        for (Host host : cluster.hosts()) {
            cluster.start(host);
        }
        cluster.await("a copy of the disks begins", SECONDS_MAX, () -> percent(cluster) >= 1);
        TimeUnit.SECONDS.sleep(cutAfterSeconds);
        cluster.lab().in(Lab.SWITCH, "ip link set sync" + b.number + " down");
        say("*** the link to the backup is cut, at " + percent(cluster) + " % ***");
        long atCut = differingBlocks(a, b);
        say("when it was cut, " + blocks(atCut) + " of the data disk still differed");
        boolean early = cluster.isProtected();
        cluster.lab().in(Lab.SWITCH, "ip link set sync" + b.number + " up");
        say("the link is back");
        cluster.await("the backup is in sync", SECONDS_MAX, cluster::isProtected);
        List<Copy> first = copies(a);
        Copy resumed = first.get(first.size() - 1);
        say("protected; the copy that was resumed: " + describe(resumed));

        say("*** the backup's appliance is killed, and the guest writes meanwhile ***");
        b.killAppliance();
        cluster.await("the backup is missed", SECONDS_MAX, () -> !cluster.isProtected());
        write(cluster);
        TimeUnit.SECONDS.sleep(AWAY_SECONDS);
        cluster.start(b);
        cluster.await("the backup is in sync again", SECONDS_MAX, cluster::isProtected);
        List<Copy> second = copies(cluster.primary().orElseThrow());
        Copy back = second.get(second.size() - 1);
        say("protected again; the copy to one that was away: " + describe(back));

        cluster.stop();
        DiskInspection.Findings found = new DiskInspection(cluster, settings, false, this::say).run();
        found.problems().forEach(problem -> System.out.println("  problem: " + problem));
        return verdict(before, atCut, resumed, back, early, first.size(), second.size() - first.size(), found);
    }

    private boolean verdict(long before, long atCut, Copy resumed, Copy back, boolean early, int firstCopies, int secondCopies,
            DiskInspection.Findings found) {
        System.out.println();
        print("differed at the start", blocks(before));
        print("differed at the cut", blocks(atCut));
        print("copied before the cut", blocks(before - atCut));
        print("compared after the cut", resumed.chunks + " MiB");
        print("sent after the cut", blocks(resumed.blocks) + " (both disks)");
        print("compared after an absence", back.chunks + " MiB");
        print("sent after an absence", blocks(back.blocks));
        print("disksEqual", found.disksEqual());
        print("fsckClean", found.fsckClean());
        System.out.println();
        boolean cutInTheMiddle = !early && atCut > 0 && atCut < before && firstCopies == 1 && secondCopies == 1;
        if (!cutInTheMiddle) {
            System.out.println("  problem: the copy was not cut in the middle; choose another --cut-after-seconds");
        }
        boolean good = cutInTheMiddle && resumed.blocks < before && back.chunks < resumed.chunks && found.clean();
        say(good ? "as promised" : "NOT as promised; logs are in " + work);
        return good;
    }

    private static void print(String key, Object value) {
        System.out.printf("  %-26s %s%n", key, value);
    }

    private static String blocks(long count) {
        return String.format(Locale.ROOT, "%d blocks (%.1f MiB)", count, count * (double) BLOCK_BYTES / CHUNK_BYTES);
    }

    private static String describe(Copy copy) {
        return copy.chunks + " MiB compared, " + blocks(copy.blocks) + " sent, in " + copy.millis + " ms";
    }

    private static int percent(Cluster cluster) {
        return cluster.primary().map(Host::status).map(status -> status.getInt("synchronisationPercent")).orElse(-1);
    }

    /** Copies of disks that a primary has brought to their end. */
    private static List<Copy> copies(Host primary) throws IOException {
        try (Stream<String> lines = Files.lines(primary.log(), StandardCharsets.ISO_8859_1)) {
            List<Copy> copies = lines.map(COMPARED::matcher).filter(Matcher::find)
                    .map(m -> new Copy(Long.parseLong(m.group(1)), Long.parseLong(m.group(2)), Long.parseLong(m.group(3)))).toList();
            if (copies.isEmpty()) {
                throw new IOException(primary.log() + ": no copy of disks has come to its end");
            }
            return copies;
        }
    }

    private static void write(Cluster cluster) throws IOException, InterruptedException {
        List<String> command = cluster.lab().on(Cluster.CLIENT);
        command.addAll(List.of("redis-benchmark", "-h", cluster.guestAddress(), "-p", "6379", "-t", "set", "-n", "2000", "-d", "1024", "-r", "2000",
                "-c", "16", "-P", "4", "-q"));
        Shell.run(SECONDS_MAX, command);
    }

    // ---- the data disk ----

    private void makeData(Path file) throws IOException {
        try (RandomAccessFile disk = new RandomAccessFile(file.toFile(), "rw")) {
            disk.setLength((long) diskMiB * CHUNK_BYTES);
        }
        fill(file, diskMiB / 8, dataMiB, new SplittableRandom(seed));
    }

    /** Half of what differs is other data, a quarter has nothing here, a quarter has nothing on the other. */
    private void makeDifferent(Path file) throws IOException {
        int different = dataMiB / 4;
        fill(file, diskMiB / 8 + dataMiB / 3, different / 2, new SplittableRandom(seed + 1));
        fill(file, diskMiB / 8, different / 4, null);
        fill(file, diskMiB / 8 + dataMiB, different / 4, new SplittableRandom(seed + 2));
    }

    /** @param random null for zeros */
    private static void fill(Path file, int fromMiB, int countMiB, SplittableRandom random) throws IOException {
        byte[] chunk = new byte[CHUNK_BYTES];
        try (FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE)) {
            for (int i = 0; i < countMiB; i++) {
                if (random != null) {
                    random.nextBytes(chunk);
                }
                ByteBuffer bytes = ByteBuffer.wrap(chunk);
                long at = (long) (fromMiB + i) * CHUNK_BYTES;
                while (bytes.hasRemaining()) {
                    at += out.write(bytes, at);
                }
            }
        }
    }

    /** On the data disk, which the guest does not touch. */
    private static long differingBlocks(Host a, Host b) throws IOException {
        long count = 0;
        byte[] one = new byte[CHUNK_BYTES];
        byte[] other = new byte[CHUNK_BYTES];
        try (RandomAccessFile first = new RandomAccessFile(a.disks().get(1).toFile(), "r");
                RandomAccessFile second = new RandomAccessFile(b.disks().get(1).toFile(), "r")) {
            for (long left = first.length(); left > 0; left -= CHUNK_BYTES) {
                first.readFully(one);
                second.readFully(other);
                for (int at = 0; at < CHUNK_BYTES && !Arrays.equals(one, at, CHUNK_BYTES, other, at, CHUNK_BYTES); at += BLOCK_BYTES) {
                    count += Arrays.equals(one, at, at + BLOCK_BYTES, other, at, at + BLOCK_BYTES) ? 0 : 1;
                }
            }
        }
        return count;
    }

    private void say(String text) {
        System.out.printf(Locale.ROOT, "%7.1f s  %s%n", (System.nanoTime() - startNanos) / 1e9, text);
    }
}
