package org.plover.benchmarks.consensus;

import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.plover.benchmarks.Latencies;
import org.plover.benchmarks.Suite;

/**
 * How long an input waits for agreement, beside a message to the witness and back. No JMH: the tail matters, and it takes
 * several processes.
 */
public final class ConsensusSuite implements Suite {
    private static final long SECONDS_MAX = 120;
    private static final long END_SECONDS_MAX = 10;
    /** Heap and collector as the product has them. */
    private static final List<String> FLAGS = List.of("-XX:+UseSerialGC", "-Xms64m", "-Xmx384m", "-XX:+PerfDisableSharedMem",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");

    private final List<Process> members = new ArrayList<>();

    @Override
    public String name() {
        return "consensus";
    }

    @Override
    public String question() {
        return "how long does an input wait for agreement, beside a round trip over bare TCP?";
    }

    @Override
    public void run(PrintStream out) {
        try {
            if ((int) Files.getAttribute(Path.of("/proc/self"), "unix:uid") != 0) {
                out.printf("%nThe consensus benchmark makes network namespaces, so it has to be run as root.%n");
                return;
            }
            Path results = Files.createTempDirectory("plover-consensus-benchmark");
            try (Lab lab = new Lab()) {
                // for a run that is interrupted; finds nothing to do after one that ended
                Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                    killMembers();
                    lab.close();
                    delete(results);
                }));
                try {
                    measure(lab, results);
                } finally {
                    killMembers();
                }
                print(out, results);
            } finally {
                delete(results);
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException("the consensus benchmark failed: " + e.getMessage(), e);
        }
    }

    private void measure(Lab lab, Path results) throws IOException, InterruptedException {
        for (int i = Lab.HOSTS - 1; i >= 0; i--) {
            start(lab, i, results);
        }
        Process leader = members.get(members.size() - 1);
        end(leader, SECONDS_MAX, results);
        for (Process other : members) {
            if (other != leader) {
                other.getOutputStream().close();
                end(other, END_SECONDS_MAX, results);
            }
        }
    }

    private synchronized void start(Lab lab, int member, Path results) throws IOException {
        List<String> java = new ArrayList<>(List.of(System.getProperty("java.home") + File.separator + "bin" + File.separator + "java"));
        for (String flag : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (flag.startsWith("--")) {
                java.add(flag); // access to memory and to native code
            }
        }
        java.addAll(FLAGS);
        java.addAll(List.of("-cp", System.getProperty("java.class.path"), MemberMain.class.getName(),
                Integer.toString(member), results.toString()));
        File log = log(results).toFile();
        members.add(new ProcessBuilder(lab.on(member, java))
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log)).redirectError(ProcessBuilder.Redirect.appendTo(log)).start());
    }

    private static void end(Process member, long secondsMax, Path results) throws IOException, InterruptedException {
        if (!member.waitFor(secondsMax, TimeUnit.SECONDS) || member.exitValue() != 0) {
            throw new IllegalStateException("the consensus benchmark failed: a member did, or did not end in time;"
                    + " the members said:\n" + Files.readString(log(results)));
        }
    }

    private static Path log(Path results) {
        return results.resolve("log");
    }

    private synchronized void killMembers() {
        for (Process member : members) {
            member.destroyForcibly();
        }
        for (Process member : members) {
            member.onExit().join();
        }
    }

    private static void print(PrintStream out, Path results) throws IOException {
        Map<String, long[]> nanos = new LinkedHashMap<>();
        nanos.put("bare TCP", Way.BARE.read(results, "leader"));
        nanos.put("1 at a time, at the leader", Way.ONE.read(results, "leader"));
        nanos.put("1 at a time, at the backup", Way.ONE.read(results, "backup"));
        nanos.put("8 in flight, at the leader", Way.EIGHT.read(results, "leader"));
        nanos.put("8 in flight, at the backup", Way.EIGHT.read(results, "backup"));
        out.printf("%n%d inputs of %d bytes between network namespaces, from proposed to delivered, and as many bare round trips%n",
                Way.ROUNDS * Way.ROUND_TRIPS, Way.MESSAGE_BYTES);
        Latencies.print(out, nanos, "bare TCP");
    }

    private static void delete(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | java.io.UncheckedIOException e) {
            if (Files.exists(directory)) {
                System.err.println("could not delete " + directory + ": " + e.getMessage());
            }
        }
    }
}
