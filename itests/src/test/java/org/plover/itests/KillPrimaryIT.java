package org.plover.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import jakarta.json.JsonObject;
import jakarta.json.JsonValue;
import java.util.List;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** The demo as a user runs it: the host that serves the guest dies under load. */
public class KillPrimaryIT {

    private static final int DEMO_SECONDS_MAX = 420;
    /** An outage beyond this is no failover but a guest that was booted anew, or that came back by luck. */
    private static final int OUTAGE_MILLIS_MAX = 10_000;

    private static final List<String> NUMBERS = List.of("seconds", "throughputPerSecond", "epochs", "samePagesPercent",
            "connectionsBroken", "acknowledgedWrites", "lostWrites", "staleReads");
    private static final List<String> PERCENTILES = List.of("latencyMillis", "epochIntervalMillis", "pauseMillis", "dirtyPages",
            "transferredBytesPerEpoch", "inputConsensusMicros");
    private static final List<String> LISTS = List.of("outageMillis", "reprotectMillis");

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    @Test
    public void shouldLoseNothingWhenThePrimarysHostDiesUnderLoad() throws Exception {
        JsonObject figures = DemoRun.asPromised(folder.getRoot().toPath(), DEMO_SECONDS_MAX,
                "--seconds", "20", "--kill", "primary", "--verify-every", "5");
        hasEveryKey(figures);
        assertEquals("kill-primary", figures.getString("scenario"));
        DemoRun.losesNothing(figures);
        assertTrue("memory of both replicas was compared", figures.getInt("epochsVerified") > 0);
        assertEquals("pages that differed", 0, figures.getInt("pagesDiffering"));
        assertEquals("one host died: " + figures, 1, figures.getJsonArray("outageMillis").size());
        double outage = figures.getJsonArray("outageMillis").getJsonNumber(0).doubleValue();
        assertTrue("the backup took over: " + outage + " ms", outage > 0 && outage < OUTAGE_MILLIS_MAX);
        assertEquals("it was protected again: " + figures, 1, figures.getJsonArray("reprotectMillis").size());
        assertTrue(figures.toString(), figures.getJsonArray("reprotectMillis").getJsonNumber(0).longValue() > 0);
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
}
