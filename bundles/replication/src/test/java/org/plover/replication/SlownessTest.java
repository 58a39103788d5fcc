package org.plover.replication;

import static org.junit.Assert.assertEquals;

import java.util.List;
import org.junit.Test;
import org.plover.api.status.EpochRecord;
import org.plover.replication.Slowness.Figures;

public class SlownessTest {
    private final Slowness slowness = new Slowness();

    private static Figures epochs(int intervalMillis, int commitMillis, int applyMillis) {
        EpochRecord r = new EpochRecord(7, 1, intervalMillis * 1000L, 5000, commitMillis * 1000L, applyMillis * 1000L, 900, 100, 0, 0, 3 << 20, 5,
                "END_INTERVAL_MAX", -1);
        return new Figures(List.of(r, r), 50, 0, 0, 0, 0);
    }

    private String judge(long held, long backlog, long waiting, long control, long bulk) {
        return slowness.judge(new Figures(List.of(), held, backlog, waiting, control, bulk));
    }

    @Test
    public void shouldSayNothingOfAGroupThatKeepsUp() {
        assertEquals("", judge(0, 0, 0, 0, 0));
        assertEquals("", slowness.judge(epochs(100, 30, 60)));
        assertEquals("an epoch that the policy lets grow old slows nobody", "", slowness.judge(epochs(2000, 30, 60)));
    }

    @Test
    public void shouldSayWhatAnEpochsTimeGoesInto() {
        assertEquals("epochs take 840 ms (backup applies slowly: 610 ms of it)", slowness.judge(epochs(840, 90, 610)));
        assertEquals("epochs take 840 ms (backup has an epoch's state late: after 600 ms, of 3.0 MiB to be sent)",
                slowness.judge(epochs(840, 600, 90)));
    }

    @Test
    public void shouldStayWithItsWordUntilThingsAreClearlyBetter() {
        assertEquals("", slowness.judge(epochs(400, 100, 150)));
        slowness.judge(epochs(500, 100, 250));
        assertEquals("epochs take 400 ms (backup applies slowly: 150 ms of it)", slowness.judge(epochs(400, 100, 150)));
        assertEquals("", slowness.judge(epochs(300, 80, 100)));
        assertEquals("", slowness.judge(epochs(400, 100, 150)));
    }

    @Test
    public void shouldNameEveryQueueThatIsFull() {
        assertEquals("output has waited 1500 ms for its epoch; the guest has yet to take up 2.0 MiB of input; 3.0 MiB of input wait to be"
                        + " agreed on; the network to the backup is slow: 4.0 MiB of messages wait for it; the network to the backup is slow:"
                        + " 20.0 MiB of state wait for it",
                judge(1500, 2 << 20, 3 << 20, 4 << 20, 20 << 20));
        assertEquals("", judge(499, 1000, 1000, 1000, 1000));
    }
}
