package org.plover.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** One run of the demo that has to come out as promised and to leave nothing behind. */
final class DemoRun {

    private static final int PREFIX_RADIX = 36;
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");

    private DemoRun() {
    }

    /** Runs it to its end in an empty directory; its figures. */
    static JsonObject asPromised(Path directory, int secondsMax, String... arguments) throws IOException, InterruptedException {
        Path json = directory.resolve("result.json");
        Set<Path> before = runs();
        List<String> words = new ArrayList<>(List.of(arguments));
        words.addAll(List.of("--json", json.toString()));
        Command.Result result = DemoScript.run(directory, secondsMax, words.toArray(String[]::new));
        System.out.println(result.output());
        assertEquals(result.output(), 0, result.exitCode());
        Set<Path> ran = runs();
        ran.removeAll(before);
        // The script becomes the demo, which names its namespaces and its memory after its process.
        nothingIsLeft("plv" + Long.toString(result.pid(), PREFIX_RADIX), ran.stream().map(Path::toString).toList());
        try (JsonReader reader = Json.createReader(Files.newBufferedReader(json))) {
            return reader.readObject();
        }
    }

    /** What no scenario excuses. */
    static void losesNothing(JsonObject figures) {
        assertEquals("connections broken", 0, figures.getInt("connectionsBroken"));
        assertEquals("lost writes", 0, figures.getInt("lostWrites"));
        assertEquals("stale reads", 0, figures.getInt("staleReads"));
        assertTrue("writes were acknowledged", figures.getInt("acknowledgedWrites") > 0);
        assertTrue("the other load ran too", figures.getJsonNumber("throughputPerSecond").doubleValue() > 0);
        assertTrue("epochs were committed", figures.getInt("epochs") > 0);
    }

    /** Both replicas have the same on their disks, and it is whole. */
    static void keepsDisks(JsonObject figures, String... findings) {
        List<String> all = new ArrayList<>(List.of("disksEqual", "fsckClean"));
        all.addAll(List.of(findings));
        for (String finding : all) {
            assertTrue(finding + ": " + figures, figures.getBoolean(finding));
        }
    }

    private static void nothingIsLeft(String prefix, List<String> runDirectories) throws IOException, InterruptedException {
        Command.Result namespaces = Command.run(SHARED_MEMORY, "ip", "netns", "list");
        assertEquals(namespaces.output(), 0, namespaces.exitCode());
        assertEquals("network namespaces", List.of(), namespaces.output().lines().filter(line -> line.startsWith(prefix + "-")).toList());
        assertFalse("guest memory", Files.exists(SHARED_MEMORY.resolve(prefix)));

        assertEquals("directories of this run", 1, runDirectories.size());
        Set<String> marks = new HashSet<>(runDirectories);
        marks.add(SHARED_MEMORY.resolve(prefix) + "/");
        Map<Long, String> left = new TreeMap<>();
        ProcessHandle.allProcesses().forEach(process -> {
            String commandLine = commandLine(process.pid());
            if (marks.stream().anyMatch(commandLine::contains)) {
                left.put(process.pid(), commandLine);
            }
        });
        assertEquals("processes", Map.of(), left);
    }

    private static String commandLine(long pid) {
        try {
            return new String(Files.readAllBytes(Path.of("/proc/" + pid + "/cmdline")), StandardCharsets.UTF_8).replace('\0', ' ');
        } catch (IOException ended) {
            return "";
        }
    }

    private static Set<Path> runs() throws IOException {
        if (!Files.exists(DemoScript.runs())) {
            return new HashSet<>();
        }
        try (Stream<Path> runs = Files.list(DemoScript.runs())) {
            // By name: the directory may be called by another path.
            return new HashSet<>(runs.map(Path::getFileName).toList());
        }
    }
}
