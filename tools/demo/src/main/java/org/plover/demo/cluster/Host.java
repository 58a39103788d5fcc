package org.plover.demo.cluster;

import jakarta.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** One host of the demo: a namespace, and an appliance in it with its own configuration and data. */
final class Host {
    final String name;
    final int number;
    final boolean witness;
    private final Lab lab;
    private final Path plover;
    private final Path dir;
    private final Path ramDir;
    private Process appliance;
    private ControlLine control;

    Host(Lab lab, String name, int number, boolean witness, Path plover, Path dir, Path ramDir) {
        this.lab = lab;
        this.name = name;
        this.number = number;
        this.witness = witness;
        this.plover = plover;
        this.dir = dir;
        this.ramDir = ramDir;
        this.control = new ControlLine(data());
    }

    Path data() {
        return dir.resolve("data");
    }

    Path log() {
        return dir.resolve("appliance.log");
    }

    boolean isUp() {
        return appliance != null && appliance.isAlive();
    }

    /** Starts an appliance with nothing but a configuration: an empty host. */
    void start(String vmConfig, Map<String, String> otherConfigs) throws IOException {
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
                "--name", name, "--http-port", "none"));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
        builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        appliance = builder.start();
        control = new ControlLine(data());
    }

    /** The host dies: its cables go silent, every process is killed, its memory and disks are lost. */
    void die() throws IOException, InterruptedException {
        lab.connect(number, false);
        lab.killAll(name);
        appliance = null;
        wipe();
    }

    /** A new, empty host takes its place; its appliance is not started yet. */
    void replace() throws IOException, InterruptedException {
        lab.connect(number, true);
    }

    private void wipe() throws IOException {
        delete(data());
        delete(ramDir);
    }

    /** Whether its appliance ended although nobody asked it to. */
    boolean hasDied() {
        return appliance != null && !appliance.isAlive();
    }

    void askToStop() {
        if (appliance != null) {
            appliance.destroy();
        }
    }

    /** Asks the appliance to end, and cleans up what a killed one has left. */
    void stop() throws InterruptedException {
        Shell.end(appliance, 15);
        appliance = null;
        try {
            delete(ramDir);
        } catch (IOException e) {
            System.err.println("demo: " + ramDir + " could not be removed: " + e.getMessage());
        }
    }

    private static void delete(Path tree) throws IOException {
        if (!Files.exists(tree)) {
            return;
        }
        try (Stream<Path> files = Files.walk(tree)) {
            files.sorted(Comparator.reverseOrder()).forEach(f -> {
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
    JsonObject status() {
        if (!isUp()) {
            return null;
        }
        try {
            return control.status();
        } catch (IOException e) {
            return null;
        }
    }

    ControlLine control() {
        return control;
    }
}
