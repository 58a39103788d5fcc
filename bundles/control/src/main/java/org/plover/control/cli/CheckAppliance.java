package org.plover.control.cli;

import jakarta.json.JsonException;
import jakarta.json.JsonValue;
import jakarta.json.spi.JsonProvider;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.plover.control.wire.Protocol;

/** An appliance that is started only to check the host, as a child process. */
final class CheckAppliance {
    /** Start, checks and stop of the child; a slow host takes some ten seconds. */
    private static final int SECONDS_MAX = 120;
    private static final int LAST_LINES = 15;

    private CheckAppliance() {
    }

    /**
     * Runs {@code bin/plover run --check} and returns the findings it prints.
     *
     * @param notRunning why no running appliance could be asked
     */
    static List<JsonValue> findings(Main main, CliException.NotRunning notRunning) {
        Path launcher = main.home() == null ? null : main.home().resolve("bin/plover");
        if (launcher == null || !Files.isExecutable(launcher)) {
            throw new CliException(Exit.UNREACHABLE, notRunning.getMessage() + "; to check the host without one, call this by the "
                    + "script bin/plover of the installation" + (launcher == null ? "" : " (" + launcher + " is not there)"), notRunning);
        }
        main.terminal.err.println("plover: no appliance runs here; one is started for the check, which takes some seconds");
        main.terminal.err.flush();
        List<String> lines = output(launcher, main.data().toAbsolutePath().normalize());
        int begin = lines.indexOf(Protocol.FINDINGS_BEGIN);
        int end = lines.lastIndexOf(Protocol.FINDINGS_END);
        if (begin < 0 || end < begin) {
            throw new CliException(Exit.FAILED, "the appliance that was started for the check ended without findings; its last lines:\n  "
                    + String.join("\n  ", lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size())));
        }
        try (var reader = JsonProvider.provider().createReader(
                new StringReader(String.join("\n", lines.subList(begin + 1, end))))) {
            return reader.readArray();
        } catch (JsonException e) {
            throw new CliException(Exit.FAILED, "the findings of the check are no JSON: " + e.getMessage(), e);
        }
    }

    private static List<String> output(Path launcher, Path data) {
        Process child;
        try {
            child = new ProcessBuilder(launcher.toString(), "run", "--check", "--data", data.toString())
                    .redirectErrorStream(true)
                    .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .start();
        } catch (IOException e) {
            throw new CliException(Exit.FAILED, launcher + " cannot be started: " + e.getMessage(), e);
        }
        CompletableFuture<List<String>> lines = CompletableFuture.supplyAsync(() -> read(child));
        try {
            return lines.get(SECONDS_MAX, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new CliException(Exit.FAILED, "the appliance that was started for the check has not ended within " + SECONDS_MAX
                    + " s and was stopped; run '" + launcher + " run --check' to see what it does", e);
        } catch (ExecutionException | InterruptedException e) {
            throw new CliException(Exit.FAILED, "the check's output cannot be read: " + e.getMessage(), e);
        } finally {
            // The script's own child first: it would outlive the script.
            child.descendants().forEach(ProcessHandle::destroy);
            child.destroy();
        }
    }

    private static List<String> read(Process child) {
        List<String> lines = new ArrayList<>();
        try (var reader = child.inputReader()) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                lines.add(line);
            }
        } catch (IOException e) {
            lines.add("(its output ended with: " + e.getMessage() + ")");
        }
        return lines;
    }
}
