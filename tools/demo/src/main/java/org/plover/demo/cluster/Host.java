package org.plover.demo.cluster;

import jakarta.json.JsonObject;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** One host of the demo: a namespace, and an appliance in it with its own configuration and data. */
public final class Host {
    private static final long COPY_SECONDS_MAX = 300;
    /** What a file system needs for itself. */
    private static final int IMAGES_SPARE_MIB = 8;
    /** On the loopback of each host's own namespace. */
    private static final String CONSOLE_PORT = "8443";
    private static final long KEY_SECONDS_MAX = 120;
    private static final Pattern FINGERPRINT = Pattern.compile("sha256:[0-9a-f]{64}");

    public final String name;
    public final int number;
    public final boolean witness;
    private final Lab lab;
    private final Path plover;
    private final Path dir;
    private final Path ramDir;
    private final List<Path> masterDisks;
    private final List<Path> mounted = new ArrayList<>();
    private String key;
    private Process appliance;
    private ControlLine control;
    /** Where connections to the web console come in from outside of the namespace; null if there is no console. */
    private Path consoleSocket;
    private Relay console;
    private Process consoleRelay;

    Host(Lab lab, String name, int number, boolean witness, Path plover, Path dir, Path ramDir, List<Path> masterDisks) {
        this.lab = lab;
        this.name = name;
        this.number = number;
        this.witness = witness;
        this.plover = plover;
        this.dir = dir;
        this.ramDir = ramDir;
        this.masterDisks = witness ? List.of() : masterDisks;
        this.control = new ControlLine(data());
    }

    /** From the next start of the appliance it has a web console, which can be reached from outside of the namespace. */
    void offerConsole(Path socket) throws IOException {
        consoleSocket = socket;
        console = Relay.fromLoopback(socket);
    }

    /** The page "Protection" of this host's appliance, for a browser on this machine. */
    public String page() {
        return "https://127.0.0.1:" + console.port() + "/system/console/plover";
    }

    /** File with the password of the first administrator, {@code plover}. */
    public Path passwordFile() {
        return data().resolve("console-password");
    }

    public Path data() {
        return dir.resolve("data");
    }

    public Path log() {
        return dir.resolve("appliance.log");
    }

    /** Its own images of the guest's disks. */
    public List<Path> disks() {
        return masterDisks.stream().map(master -> diskDirectory().resolve(master.getFileName())).toList();
    }

    /** Copies the images, as an administrator does on every host. */
    public void installDisks() throws IOException, InterruptedException {
        for (int i = 0; i < masterDisks.size(); i++) {
            Files.createDirectories(disks().get(i).getParent());
            copySparse(masterDisks.get(i), disks().get(i));
        }
    }

    /** New disks of the same size, with nothing on them. */
    private void installEmptyDisks() throws IOException {
        for (int i = 0; i < masterDisks.size(); i++) {
            Files.createDirectories(disks().get(i).getParent());
            try (RandomAccessFile disk = new RandomAccessFile(disks().get(i).toFile(), "rw")) {
                disk.setLength(Files.size(masterDisks.get(i)));
            }
        }
    }

    static void copySparse(Path from, Path to) throws IOException, InterruptedException {
        Shell.run(COPY_SECONDS_MAX, List.of("cp", "--sparse=always", "--reflink=auto", from.toString(), to.toString()));
    }

    public boolean isUp() {
        return appliance != null && appliance.isAlive();
    }

    /**
     * Fingerprint of its key. The key is made once and kept apart from its data: an administrator puts it back on an empty host that
     * takes the place of one that died.
     */
    synchronized String key() throws IOException, InterruptedException {
        if (key == null) {
            String said = Shell.run(KEY_SECONDS_MAX, List.of(plover.toString(), "init", "--data", keys().toString()));
            Matcher m = FINGERPRINT.matcher(said);
            if (!m.find()) {
                throw new IOException("plover init names no key: " + said);
            }
            key = m.group();
        }
        return key;
    }

    private Path keys() {
        return dir.resolve("keys");
    }

    private void installKey() throws IOException, InterruptedException {
        key();
        Files.createDirectories(data());
        for (String file : List.of("identity-password", "identity.p12")) {
            if (!Files.exists(data().resolve(file))) {
                Files.copy(keys().resolve(file), data().resolve(file), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }

    /** Starts an appliance with nothing but a configuration and its key: an empty host. */
    void start(String vmConfig, Map<String, String> otherConfigs) throws IOException, InterruptedException {
        installKey();
        Path config = dir.resolve("config");
        Files.createDirectories(config);
        Files.createDirectories(ramDir);
        Files.writeString(config.resolve("org.plover.vm~redis.config"), vmConfig);
        Files.writeString(config.resolve("org.plover.machine.qemu.config"), "ramDirectory=\"" + ramDir + "\"\n");
        for (Map.Entry<String, String> other : otherConfigs.entrySet()) {
            Files.writeString(config.resolve(other.getKey() + ".config"), other.getValue());
        }
        List<String> command = lab.on(name);
        command.addAll(List.of(plover.toString(), "run", "--config", config.toString(), "--data", data().toString(),
                "--name", name, "--http-port", consoleSocket == null ? "none" : CONSOLE_PORT));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
        builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        appliance = builder.start();
        control = new ControlLine(data());
        if (consoleSocket != null && (consoleRelay == null || !consoleRelay.isAlive())) {
            startConsoleRelay();
        }
    }

    private void startConsoleRelay() throws IOException {
        List<String> relay = lab.on(name);
        relay.addAll(List.of(ProcessHandle.current().info().command().orElse("java"), "-XX:+UseSerialGC", "-Xmx16m", "-XX:TieredStopAtLevel=1", "-cp",
                System.getProperty("java.class.path"), Relay.class.getName(), consoleSocket.toString(), CONSOLE_PORT));
        consoleRelay = new ProcessBuilder(relay).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(dir.resolve("relay.log").toFile())).start();
    }

    /**
     * Gives the data directory, and the directory of images if there are any, a file system of its own, kept in memory; {@link #close}
     * takes them away again. That of the images has just room for them.
     */
    void mountStorage(int mebibytes) throws IOException, InterruptedException {
        mount(data(), mebibytes);
        if (!masterDisks.isEmpty()) {
            long bytes = 0;
            for (Path master : masterDisks) {
                bytes += Files.size(master);
            }
            mount(diskDirectory(), (int) (bytes >> 20) + IMAGES_SPARE_MIB);
        }
    }

    private void mount(Path directory, int mebibytes) throws IOException, InterruptedException {
        Files.createDirectories(directory);
        Shell.run("mount", "-t", "tmpfs", "-o", "size=" + mebibytes + "m,mode=0755", "plover-" + name, directory.toString());
        mounted.add(directory);
    }

    private Path diskDirectory() {
        return dir.resolve("disks");
    }

    /** Process id of the appliance. Throws IllegalStateException if none was started. */
    public long pid() {
        if (appliance == null) {
            throw new IllegalStateException("no appliance on host " + name);
        }
        return appliance.pid();
    }

    /** Process ids of everything that the appliance has started: QEMU. */
    public List<Long> children() {
        return appliance == null ? List.of() : appliance.descendants().map(ProcessHandle::pid).toList();
    }

    /** Kills the appliance without a word, and waits until it and what depends on it is gone. Its data stay. */
    public void killAppliance() throws IOException, InterruptedException {
        if (appliance != null) {
            appliance.destroyForcibly();
            appliance.waitFor();
        }
        appliance = null;
        lab.killAll(name);
        deleteContent(ramDir);
    }

    /** Asks the appliance to end, and waits for it. Its data stay. */
    public void stopAppliance() throws InterruptedException {
        stopAppliance(15);
    }

    /** The same with a time of its own; false if it had to be killed. */
    boolean stopAppliance(int secondsMax) throws InterruptedException {
        boolean ended = Shell.end(appliance, secondsMax);
        appliance = null;
        return ended;
    }

    /** The host dies: its cables go silent, every process is killed, its memory and disks are lost. */
    public void die() throws IOException, InterruptedException {
        lab.connect(number, false);
        lab.killAll(name);
        appliance = null;
        wipe();
    }

    /** A new, empty host takes its place; its appliance is not started yet. */
    public void replace() throws IOException, InterruptedException {
        installEmptyDisks();
        lab.connect(number, true);
    }

    /** Its power is lost: what was in memory is gone, what is on its disks stays. Everything on it must have been killed. */
    void powerLost() throws IOException {
        appliance = null;
        deleteContent(ramDir);
    }

    /** Runs a command of the launcher on this host, on its data; what it said and how it ended. */
    Shell.Result plover(long secondsMax, String... words) throws IOException, InterruptedException {
        List<String> command = lab.on(name);
        command.add(plover.toString());
        command.addAll(List.of(words));
        command.addAll(List.of("--data", data().toString()));
        return Shell.result(secondsMax, command);
    }

    private void wipe() throws IOException {
        deleteContent(data());
        deleteContent(diskDirectory());
        deleteContent(ramDir);
    }

    /** Whether its appliance ended although nobody asked it to. */
    public boolean hasDied() {
        return appliance != null && !appliance.isAlive();
    }

    void askToStop() {
        if (appliance != null) {
            appliance.destroy();
        }
    }

    /** Takes away what is not to outlive the cluster. */
    void close() {
        try {
            if (console != null) {
                console.close();
                Shell.end(consoleRelay, 1);
                Files.deleteIfExists(consoleSocket);
            }
            deleteContent(ramDir);
            Files.deleteIfExists(ramDir);
            while (!mounted.isEmpty()) {
                Shell.run("umount", "--lazy", mounted.remove(0).toString());
            }
        } catch (IOException e) {
            System.err.println("demo: host " + name + " could not be cleaned up: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void deleteContent(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> files = Files.walk(directory)) {
            files.sorted(Comparator.reverseOrder()).filter(f -> !f.equals(directory)).forEach(f -> {
                try {
                    Files.deleteIfExists(f);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /** The appliance's status, or null if it does not answer. */
    public JsonObject status() {
        if (!isUp()) {
            return null;
        }
        try {
            return control.status();
        } catch (IOException e) {
            return null;
        }
    }

    public ControlLine control() {
        return control;
    }
}
