package org.plover.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonReader;
import jakarta.json.JsonValue;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** The demo as a user runs it: the host that serves the guest dies under load. */
public class KillPrimaryIT {

    private static final int DEMO_SECONDS_MAX = 420;
    /** An outage beyond this is no failover but a guest that was booted anew, or that came back by luck. */
    private static final int OUTAGE_MILLIS_MAX = 10_000;
    private static final int PREFIX_RADIX = 36;
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");

    private static final List<String> NUMBERS = List.of("seconds", "throughputPerSecond", "epochs", "samePagesPercent",
            "connectionsBroken", "acknowledgedWrites", "lostWrites", "staleReads");
    private static final List<String> PERCENTILES = List.of("latencyMillis", "epochIntervalMillis", "pauseMillis", "dirtyPages",
            "transferredBytesPerEpoch", "inputConsensusMicros");
    private static final List<String> LISTS = List.of("outageMillis", "reprotectMillis");

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    @Test
    public void shouldLoseNothingWhenThePrimarysHostDiesUnderLoad() throws Exception {
        Path json = folder.getRoot().toPath().resolve("result.json");
        Set<Path> before = runs();
        Command.Result result = DemoScript.run(folder.getRoot().toPath(), DEMO_SECONDS_MAX,
                "--seconds", "20", "--kill", "primary", "--verify-every", "5", "--json", json.toString());
        System.out.println(result.output());
        assertEquals(result.output(), 0, result.exitCode());

        JsonObject figures = read(json);
        hasEveryKey(figures);
        assertEquals("kill-primary", figures.getString("scenario"));
        assertEquals(0, figures.getInt("connectionsBroken"));
        assertEquals(0, figures.getInt("lostWrites"));
        assertEquals(0, figures.getInt("staleReads"));
        assertTrue("writes were acknowledged", figures.getInt("acknowledgedWrites") > 0);
        assertTrue("the other load ran too", figures.getJsonNumber("throughputPerSecond").doubleValue() > 0);
        assertTrue("epochs were committed", figures.getInt("epochs") > 0);
        assertTrue("memory of both replicas was compared", figures.getInt("epochsVerified") > 0);
        assertEquals("pages that differed", 0, figures.getInt("pagesDiffering"));
        assertEquals("one host died: " + figures, 1, figures.getJsonArray("outageMillis").size());
        double outage = figures.getJsonArray("outageMillis").getJsonNumber(0).doubleValue();
        assertTrue("the backup took over: " + outage + " ms", outage > 0 && outage < OUTAGE_MILLIS_MAX);
        assertEquals("it was protected again: " + figures, 1, figures.getJsonArray("reprotectMillis").size());
        assertTrue(figures.toString(), figures.getJsonArray("reprotectMillis").getJsonNumber(0).longValue() > 0);

        Set<Path> ran = runs();
        ran.removeAll(before);
        // The script becomes the demo, which names its namespaces and its memory after its process.
        nothingIsLeft("plv" + Long.toString(result.pid(), PREFIX_RADIX), ran.stream().map(Path::toString).toList());
    }

    private static void hasEveryKey(JsonObject figures) {
        for (String key : NUMBERS) {
            assertEquals(key, JsonValue.ValueType.NUMBER, figures.getOrDefault(key, JsonValue.NULL).getValueType());
        }
        for (String key : PERCENTILES) {
            JsonObject spread = figures.getJsonObject(key);
            for (String percentile : List.of("p50", "p99")) {
                assertEquals(key + "." + percentile, JsonValue.ValueType.NUMBER,
                        spread.getOrDefault(percentile, JsonValue.NULL).getValueType());
            }
        }
        for (String key : LISTS) {
            assertEquals(key, JsonValue.ValueType.ARRAY, figures.getOrDefault(key, JsonValue.NULL).getValueType());
        }
    }

    private static void nothingIsLeft(String prefix, List<String> runDirectories) throws Exception {
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

    private static JsonObject read(Path json) throws IOException {
        try (JsonReader reader = Json.createReader(Files.newBufferedReader(json))) {
            return reader.readObject();
        }
    }
}
