package org.plover.demo.cluster;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The checker, in a process of its own on the client's host. */
final class CheckerProcess implements AutoCloseable {
    private static final long AUDIT_SECONDS_MAX = 120;

    private final Path work;
    private final Process process;

    CheckerProcess(Cluster cluster, int port, List<String> options) throws IOException {
        this.work = cluster.work();
        List<String> command = cluster.lab().on(Cluster.CLIENT);
        command.addAll(List.of(System.getProperty("java.home") + "/bin/java", "-XX:+UseSerialGC", "-Xmx96m", "-XX:TieredStopAtLevel=1",
                "-cp", System.getProperty("java.class.path"), "org.plover.demo.Checker", "--host", cluster.guestAddress(),
                "--port", Integer.toString(port), "--json", report().toString(), "--connect-timeout-seconds", "240"));
        command.addAll(options);
        Files.deleteIfExists(report());
        process = new ProcessBuilder(command).redirectError(work.resolve("checker.err").toFile())
                .redirectOutput(output().toFile()).start();
    }

    private Path report() {
        return work.resolve("checker.json");
    }

    private Path output() {
        return work.resolve("checker.log");
    }

    /** Whether all its connections are open. Throws IllegalStateException if it has given up. */
    boolean works() {
        if (!process.isAlive()) {
            throw new IllegalStateException("the service could not be reached; see " + work.resolve("checker.err"));
        }
        return output().toFile().length() > 0;
    }

    /** Gives it a command: see {@code checker --help}. */
    void tell(String line) throws IOException {
        OutputStream in = process.getOutputStream();
        in.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        in.flush();
    }

    /** What it has said last. */
    String lastLine() {
        try {
            List<String> lines = Files.readAllLines(output());
            return lines.isEmpty() ? "" : lines.get(lines.size() - 1);
        } catch (IOException e) {
            return "";
        }
    }

    /** Stops it, and waits for its report. */
    JsonObject stop() throws IOException, InterruptedException {
        tell("stop");
        if (!process.waitFor(AUDIT_SECONDS_MAX, TimeUnit.SECONDS)) {
            throw new IllegalStateException("the checker did not end; see " + work);
        }
        if (!Files.exists(report())) {
            throw new IllegalStateException("the checker left no report; see " + work.resolve("checker.err"));
        }
        try (JsonReader reader = Json.createReader(Files.newBufferedReader(report()))) {
            return reader.readObject();
        }
    }

    @Override
    public void close() throws InterruptedException {
        Shell.end(process, 2);
    }
}
