package org.plover.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import jakarta.json.JsonObject;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** The demo as a user runs it: all three hosts lose power at once, and all that is left of the guest is its disk. */
public class PowerLossIT {

    private static final int DEMO_SECONDS_MAX = 600;

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    @Test
    public void shouldHaveEveryAcknowledgedWriteOnItsDiskWhenAllHostsLosePower() throws Exception {
        JsonObject figures = DemoRun.asPromised(folder.getRoot().toPath(), DEMO_SECONDS_MAX,
                "--disk", "--kill", "power", "--seconds", "12");
        assertEquals("disk-kill-power", figures.getString("scenario"));
        DemoRun.losesNothing(figures);
        DemoRun.keepsDisks(figures);
        assertEquals("power was lost once: " + figures, 1, figures.getInt("kills"));
        assertEquals("it was protected again: " + figures, 1, figures.getJsonArray("reprotectMillis").size());
        assertTrue("clients came back: " + figures, figures.getJsonArray("outageMillis").getJsonNumber(0).doubleValue() > 0);
    }
}
