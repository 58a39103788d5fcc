package org.plover.demo.cluster;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs the host's small commands (ip, kill) and waits for them. */
public final class Shell {
    private static final long SECONDS_MAX = 20;

    private Shell() {
    }

    /** Runs a command; its output. Throws IOException with the command and what it said if it fails. */
    public static String run(String... command) throws IOException, InterruptedException {
        Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
        p.getOutputStream().close();
        String output = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        if (!p.waitFor(SECONDS_MAX, TimeUnit.SECONDS)) {
            p.destroyForcibly();
            throw new IOException(String.join(" ", command) + ": does not end");
        }
        if (p.exitValue() != 0) {
            throw new IOException(String.join(" ", command) + ": " + (output.isEmpty() ? "exit code " + p.exitValue() : output));
        }
        return output;
    }

    /** Splits at blanks and runs. */
    public static String sh(String command) throws IOException, InterruptedException {
        return run(command.split(" "));
    }

    /** Ends a process: politely, then by force. */
    public static void end(Process process, long graceSeconds) throws InterruptedException {
        if (process == null) {
            return;
        }
        List<ProcessHandle> family = process.descendants().toList();
        process.destroy();
        if (!process.waitFor(graceSeconds, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            process.waitFor(5, TimeUnit.SECONDS);
        }
        family.forEach(ProcessHandle::destroyForcibly);
    }
}
