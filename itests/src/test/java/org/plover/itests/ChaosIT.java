package org.plover.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/**
 * A short run of what {@code itests/chaos.sh} does for hours, on a guest with a disk: the primary is killed, frozen, cut off, and its QEMU
 * killed.
 */
public class ChaosIT {

    private static final int SECONDS_MAX = 600;
    private static final String SEED = "20261123";
    private static final List<String> FAULTS = List.of("kill-appliance:primary", "freeze:primary", "cut-sync:primary", "kill-qemu:primary");
    private static final int PREFIX_RADIX = 36;
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    @Test
    public void shouldLookLikeOneMachineThatForgetsNothingWhateverHappensToThePrimary() throws Exception {
        Path json = folder.getRoot().toPath().resolve("chaos.json");
        Command.Result result = DemoScript.chaos(folder.getRoot().toPath(), SECONDS_MAX, "--disk", "--seed", SEED, "--rounds", "1",
                "--faults", String.join(",", FAULTS), "--json", json.toString());
        System.out.println(result.output());
        assertEquals(result.output(), 0, result.exitCode());

        JsonObject figures;
        try (JsonReader reader = Json.createReader(Files.newBufferedReader(json))) {
            figures = reader.readObject();
        }
        for (String fault : FAULTS) {
            assertEquals(fault, 1, figures.getJsonObject("faults").getInt(fault.substring(0, fault.indexOf(':'))));
        }
        assertEquals("lost", 0, figures.getInt("lost"));
        assertEquals("stale", 0, figures.getInt("stale"));
        assertEquals("anomalies", 0, figures.getInt("anomalies"));
        assertEquals("split-brain sightings", 0, figures.getInt("splitBrainSightings"));
        assertTrue("both replicas have the same on their disks: " + figures, figures.getBoolean("disksEqual"));
        assertTrue("the file system is whole: " + figures, figures.getBoolean("fsckClean"));
        assertTrue("clients were served: " + figures, figures.getInt("operations") > 0);
        assertTrue("the capture saw the guest's answers: " + figures,
                figures.getInt("guestFramesSeen") >= figures.getInt("operations") / 2);
        assertEquals("it was protected again each time: " + figures, FAULTS.size(), figures.getJsonObject("protectedAgainMillis").getInt("count"));
        assertTrue("a killed primary was noticed: " + figures, figures.getJsonObject("primaryKillOutageMillis").getInt("max") > 0);

        String prefix = "plv" + Long.toString(result.pid(), PREFIX_RADIX);
        Command.Result namespaces = Command.run(SHARED_MEMORY, "ip", "netns", "list");
        assertFalse(namespaces.output(), namespaces.output().lines().anyMatch(line -> line.startsWith(prefix + "-")));
        assertFalse("guest memory", Files.exists(SHARED_MEMORY.resolve(prefix)));
        assertFalse("file systems of the run", Files.readString(Path.of("/proc/mounts")).contains("-" + result.pid() + "/"));
    }
}
