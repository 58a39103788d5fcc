package org.plover.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import jakarta.json.JsonObject;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** The demo as a user runs it with a database: the host that serves it dies under load. */
public class PostgresqlIT {

    private static final int DEMO_SECONDS_MAX = 900;
    /** Less than a boot of the guest takes. */
    private static final int OUTAGE_MILLIS_MAX = 15_000;

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    @Test
    public void shouldKeepADatabaseWholeWhenThePrimarysHostDiesUnderLoad() throws Exception {
        JsonObject figures = DemoRun.asPromised(folder.getRoot().toPath(), DEMO_SECONDS_MAX,
                "--service", "postgresql", "--kill", "primary", "--seconds", "12");
        assertEquals("postgresql-kill-primary", figures.getString("scenario"));
        DemoRun.losesNothing(figures);
        DemoRun.keepsDisks(figures, "checksumsClean", "amcheckClean");
        double outage = figures.getJsonArray("outageMillis").getJsonNumber(0).doubleValue();
        assertTrue("the backup took over: " + outage + " ms", outage > 0 && outage < OUTAGE_MILLIS_MAX);
        assertEquals("it was protected again: " + figures, 1, figures.getJsonArray("reprotectMillis").size());
    }
}
