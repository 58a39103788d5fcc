package org.plover.itests;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A command that is run to its end. */
final class Command {

    private static final int SECONDS_MAX = 60;

    private Command() {
    }

    /** What came of it: its exit code, and all it wrote to standard output and standard error. */
    record Result(long pid, int exitCode, String output) {
    }

    /** Runs it in a directory, with nothing to read; fails if it has not ended within a minute. */
    static Result run(Path directory, String... command) throws IOException, InterruptedException {
        return run(directory, SECONDS_MAX, command);
    }

    static Result run(Path directory, int secondsMax, String... command) throws IOException, InterruptedException {
        // By a file and not by a pipe: a command that hangs must not make its reader hang too.
        Path output = Files.createTempFile("command", ".out");
        try {
            Process process = new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true)
                    .redirectOutput(output.toFile()).start();
            process.getOutputStream().close();
            if (!process.waitFor(secondsMax, TimeUnit.SECONDS)) {
                process.destroy();
                if (!process.waitFor(secondsMax, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
                throw new AssertionError(String.join(" ", command) + " has not ended within " + secondsMax + " s; it said:\n"
                        + Files.readString(output));
            }
            return new Result(process.pid(), process.exitValue(), new String(Files.readAllBytes(output), StandardCharsets.UTF_8));
        } finally {
            Files.delete(output);
        }
    }
}
