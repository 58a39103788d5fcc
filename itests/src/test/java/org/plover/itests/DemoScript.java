package org.plover.itests;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;

/** {@code distribution/demo.sh} and {@code itests/chaos.sh}, run with the distribution that is there. */
final class DemoScript {

    private static final Path SCRIPT = Path.of(System.getProperty("plover.it.demo"));
    private static final Path CHAOS_SCRIPT = Path.of(System.getProperty("plover.it.chaos"));
    private static final Path TARGET = SCRIPT.resolveSibling("target");

    private DemoScript() {
    }

    static Command.Result run(Path directory, int secondsMax, String... arguments) throws IOException, InterruptedException {
        return run(SCRIPT, directory, secondsMax, arguments);
    }

    static Command.Result chaos(Path directory, int secondsMax, String... arguments) throws IOException, InterruptedException {
        return run(CHAOS_SCRIPT, directory, secondsMax, arguments);
    }

    private static Command.Result run(Path script, Path directory, int secondsMax, String... arguments)
            throws IOException, InterruptedException {
        haveBuilt();
        List<String> command = new ArrayList<>(List.of("bash", script.toString()));
        command.addAll(List.of(arguments));
        return Command.run(directory, secondsMax, command.toArray(String[]::new));
    }

    /** Where each run of the demo makes a directory for its logs. */
    static Path runs() {
        return TARGET.resolve("demo");
    }

    /** The script builds what was changed since it built last. What the archive holds already was built by others since then. */
    private static void haveBuilt() throws IOException {
        Path stamp = TARGET.resolve("demo-built");
        FileTime built = Files.getLastModifiedTime(Path.of(System.getProperty("plover.it.archive")));
        if (!Files.exists(stamp) || Files.getLastModifiedTime(stamp).compareTo(built) < 0) {
            Files.setLastModifiedTime(Files.write(stamp, new byte[0]), built);
        }
    }
}
