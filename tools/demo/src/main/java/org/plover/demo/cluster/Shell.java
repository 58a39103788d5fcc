package org.plover.demo.cluster;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Runs the host's small commands (ip, kill) and waits for them. */
public final class Shell {
    private static final long SECONDS_MAX = 20;

    private Shell() {
    }

    /** What a command has said, and how it ended. */
    record Result(int status, String output) { }

    /** Runs a command; its output. Throws IOException with the command and what it said if it fails. */
    public static String run(String... command) throws IOException, InterruptedException {
        return run(SECONDS_MAX, List.of(command));
    }

    /** The same with a time of its own. */
    static String run(long secondsMax, List<String> command) throws IOException, InterruptedException {
        Result result = result(secondsMax, command);
        if (result.status() != 0) {
            throw new IOException(String.join(" ", command) + ": "
                    + (result.output().isEmpty() ? "exit code " + result.status() : result.output()));
        }
        return result.output();
    }

    /** Runs a command that may fail. Throws IOException if it cannot be run or does not end in time. */
    static Result result(long secondsMax, List<String> command) throws IOException, InterruptedException {
        Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
        p.getOutputStream().close();
        CompletableFuture<String> output = CompletableFuture.supplyAsync(() -> {
            try {
                return new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            } catch (IOException e) {
                return "its output could not be read: " + e.getMessage();
            }
        });
        if (!p.waitFor(secondsMax, TimeUnit.SECONDS)) {
            p.destroyForcibly();
            throw new IOException(String.join(" ", command) + ": does not end");
        }
        return new Result(p.exitValue(), output.join());
    }

    /** Splits at blanks and runs. */
    public static String sh(String command) throws IOException, InterruptedException {
        return run(command.split(" "));
    }

    /** Ends a process: politely, then by force, of which false tells. */
    public static boolean end(Process process, long graceSeconds) throws InterruptedException {
        if (process == null) {
            return true;
        }
        List<ProcessHandle> family = process.descendants().toList();
        process.destroy();
        boolean ended = process.waitFor(graceSeconds, TimeUnit.SECONDS);
        if (!ended) {
            process.destroyForcibly();
            process.waitFor(5, TimeUnit.SECONDS);
        }
        family.forEach(ProcessHandle::destroyForcibly);
        return ended;
    }
}
