package org.plover.benchmarks.disk;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.plover.benchmarks.Suite;

/**
 * What a guest gets of a disk of ours, beside QEMU's own file driver and qemu-nbd. All three are disks of one guest, measured in turns by
 * fio, so that whatever else the machine does meets all of them.
 */
public final class DiskSuite implements Suite {
    private static final int DISK_BYTES = 256 << 20;
    private static final int ROUNDS = Integer.getInteger("plover.disk.rounds", 5);
    private static final int SECONDS = Integer.getInteger("plover.disk.seconds", 2);
    private static final int GUEST_MEBIBYTES = 512;
    private static final long MINUTES_MAX = 40;
    private static final long END_SECONDS_MAX = 20;
    private static final Path BUILD = Path.of("benchmarks", "target");
    private static final String SAYS = "plover-benchmark: ";
    /** Heap and collector as the product has them. */
    private static final List<String> FLAGS = List.of("-XX:+UseSerialGC", "-Xms64m", "-Xmx384m", "-XX:+PerfDisableSharedMem",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
    /** Disks in the order in which the guest finds them. */
    private static final Map<String, String> WAYS = new LinkedHashMap<>();

    static {
        WAYS.put("vda", "file");
        WAYS.put("vdb", "ours");
        WAYS.put("vdc", "qemu-nbd");
    }

    private final List<Process> processes = new ArrayList<>();

    @Override
    public String name() {
        return "disk";
    }

    @Override
    public String question() {
        return "what does a guest get of a disk of ours, beside QEMU's own file driver?";
    }

    @Override
    public void run(PrintStream out) {
        try {
            Path guest = BUILD.resolve("disk-guest");
            finish(new ProcessBuilder("benchmarks/guest/build.sh", guest.toString()).inheritIO().start(), "benchmarks/guest/build.sh");
            Path images = Files.createTempDirectory(BUILD, "disk");
            Path sockets = Files.createTempDirectory("plover-disk");
            Thread cleaner = new Thread(() -> end(images, sockets));
            Runtime.getRuntime().addShutdownHook(cleaner);
            try {
                print(out, measure(guest, images, sockets));
            } finally {
                end(images, sockets);
                Runtime.getRuntime().removeShutdownHook(cleaner);
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException("the disk benchmark failed: " + e.getMessage(), e);
        }
    }

    private static void finish(Process process, String name) throws InterruptedException {
        if (process.waitFor() != 0) {
            throw new IllegalStateException("the disk benchmark failed: " + name + " did");
        }
    }

    // --- running ------------------------------------------------------------------------------------------------------

    /** KiB a second by job, way and round. */
    private Map<String, Map<String, Map<Integer, Long>>> measure(Path guest, Path images, Path sockets)
            throws IOException, InterruptedException {
        for (String disk : WAYS.keySet()) {
            fill(images.resolve(disk));
        }
        Process server = start(server(images, sockets));
        String[] serving = new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8)).readLine().split(" ");
        if (!serving[0].equals("serving")) {
            throw new IOException("the server said: " + String.join(" ", serving));
        }
        Path other = sockets.resolve("qemu-nbd");
        start(List.of("qemu-nbd", "--persistent", "--format=raw", "--export-name=disk", "--socket=" + other, images.resolve("vdc").toString()));
        while (!Files.exists(other)) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        Process qemu = start(qemu(guest, images.resolve("vda"), Path.of(serving[2]), serving[1], other));
        Thread watchdog = new Thread(() -> endIfTooLong(qemu));
        watchdog.setDaemon(true);
        watchdog.start();
        Map<String, Map<String, Map<Integer, Long>>> results = new LinkedHashMap<>();
        boolean ended = false;
        StringBuilder said = new StringBuilder();
        BufferedReader console = new BufferedReader(new InputStreamReader(qemu.getInputStream(), StandardCharsets.ISO_8859_1));
        for (String line = console.readLine(); line != null; line = console.readLine()) {
            said.append(line).append('\n');
            int at = line.indexOf(SAYS);
            String[] words = at < 0 ? new String[0] : line.substring(at + SAYS.length()).trim().split(" ");
            if (words.length == 5 && words[0].equals("result")) {
                results.computeIfAbsent(words[1], key -> new LinkedHashMap<>()).computeIfAbsent(WAYS.get(words[2]), key -> new TreeMap<>())
                        .put(Integer.parseInt(words[3]), Long.parseLong(words[4]));
            }
            ended |= words.length == 1 && words[0].equals("end");
        }
        if (!ended || said.indexOf(SAYS + "failed") >= 0) {
            throw new IOException("the guest did not measure everything; it said:\n" + said);
        }
        server.getOutputStream().close();
        return results;
    }

    /** Content that is no hole and no file system compresses; read once, so that all disks are equally cached. */
    private static void fill(Path image) throws IOException {
        byte[] piece = new byte[1 << 20];
        Random random = new Random(1);
        try (OutputStream to = Files.newOutputStream(image)) {
            for (int i = 0; i < DISK_BYTES / piece.length; i++) {
                random.nextBytes(piece);
                to.write(piece);
            }
        }
    }

    private static List<String> server(Path images, Path sockets) {
        List<String> java = new ArrayList<>(List.of(System.getProperty("java.home") + File.separator + "bin" + File.separator + "java"));
        for (String flag : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (flag.startsWith("--")) {
                java.add(flag); // access to memory and to native code
            }
        }
        java.addAll(FLAGS);
        java.addAll(List.of("-cp", System.getProperty("java.class.path"), DiskServerMain.class.getName(), images.resolve("vdb").toString(),
                images.resolve("journal").toString(), sockets.toString()));
        return java;
    }

    private static List<String> qemu(Path guest, Path file, Path ours, String export, Path other) {
        boolean kvm = Files.isWritable(Path.of("/dev/kvm"));
        return List.of("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-vga", "none", "-serial", "stdio",
                "-no-reboot", "-accel", kvm ? "kvm" : "tcg", "-cpu", "max", "-smp", "1", "-m", Integer.toString(GUEST_MEBIBYTES),
                "-machine", "q35", "-kernel", guest.resolve("vmlinuz").toString(), "-initrd", guest.resolve("initrd").toString(),
                "-append", "console=ttyS0 quiet " + (kvm ? "" : "clocksource=hpet tsc=unstable ") + "plover.rounds=" + ROUNDS
                        + " plover.seconds=" + SECONDS + " plover.disks=" + String.join(",", WAYS.keySet()),
                "-blockdev", "driver=raw,node-name=d0,file.driver=file,file.filename=" + file,
                "-device", "virtio-blk-pci,drive=d0",
                "-blockdev", "driver=nbd,node-name=d1,server.type=unix,server.path=" + ours + ",export=" + export,
                "-device", "virtio-blk-pci,drive=d1",
                "-blockdev", "driver=nbd,node-name=d2,server.type=unix,server.path=" + other + ",export=disk",
                "-device", "virtio-blk-pci,drive=d2");
    }

    private synchronized Process start(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        processes.add(process);
        return process;
    }

    private static void endIfTooLong(Process qemu) {
        try {
            if (!qemu.waitFor(MINUTES_MAX, TimeUnit.MINUTES)) {
                qemu.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void end(Path... directories) {
        for (int i = processes.size() - 1; i >= 0; i--) {
            Process process = processes.get(i);
            process.destroy();
            try {
                if (!process.waitFor(END_SECONDS_MAX, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
        processes.clear();
        for (Path directory : directories) {
            delete(directory);
        }
    }

    private static void delete(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path one : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(one);
            }
        } catch (IOException e) {
            System.err.println("could not be removed: " + directory + ": " + e.getMessage());
        }
    }

    // --- printing -----------------------------------------------------------------------------------------------------

    private static void print(PrintStream out, Map<String, Map<String, Map<Integer, Long>>> results) {
        out.printf("%nmedians of %d rounds of %d s by fio in the guest, direct I/O; of file: median (lowest to highest) of the rounds' ratios%n",
                ROUNDS, SECONDS);
        out.printf("%-20s %12s %12s %24s %12s %24s%n", "MiB/s", "file", "ours", "of file", "qemu-nbd", "of file");
        results.forEach((job, ways) -> {
            Map<Integer, Long> file = ways.get("file");
            out.printf("%-20s %12.1f", job, median(file.values().stream().mapToDouble(Long::doubleValue)) / 1024);
            for (String way : List.of("ours", "qemu-nbd")) {
                Map<Integer, Long> one = ways.get(way);
                double[] ratios = one.entrySet().stream().mapToDouble(e -> (double) e.getValue() / file.get(e.getKey())).sorted().toArray();
                out.printf(" %12.1f %24s", median(one.values().stream().mapToDouble(Long::doubleValue)) / 1024,
                        String.format("%.2fx (%.2f to %.2f)", ratios[ratios.length / 2], ratios[0], ratios[ratios.length - 1]));
            }
            out.println();
        });
    }

    private static double median(java.util.stream.DoubleStream values) {
        double[] sorted = values.sorted().toArray();
        return sorted[sorted.length / 2];
    }
}
