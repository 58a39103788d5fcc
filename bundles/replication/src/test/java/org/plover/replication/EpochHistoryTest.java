package org.plover.replication;

import static org.junit.Assert.assertEquals;

import java.util.List;
import org.junit.Test;
import org.plover.api.status.EpochRecord;
import org.plover.api.status.LatencyCounts;
import org.plover.api.status.Percentiles;

public class EpochHistoryTest {
    private final EpochHistory history = new EpochHistory();

    private static EpochRecord epoch(long number, int verified) {
        return new EpochRecord(number, 1, 10, number, 30, 20, 4, 2, 0, 0, 100, 1, "END_IDLE", verified);
    }

    @Test
    public void shouldCountEveryLatencyOnceHoweverManyThereWere() {
        for (int i = 0; i < 100_000; i++) {
            history.addLatency(20_000);
        }
        history.addLatency(20_001);
        history.addLatency(9_000_000_000L);
        LatencyCounts counts = history.latencies();
        assertEquals(counts.boundsMicros().size() + 1, counts.counts().size());
        assertEquals("20 microseconds lie within the first bound", 100_000L, (long) counts.counts().get(0));
        assertEquals(1L, (long) counts.counts().get(1));
        assertEquals("above all bounds", 1L, (long) counts.counts().get(counts.counts().size() - 1));
        assertEquals(100_000L * 20_000 + 20_001 + 9_000_000_000L, counts.sumNanos());
    }

    @Test
    public void shouldBeEmptyAtFirst() {
        assertEquals(0, history.committed());
        assertEquals(List.of(), history.since(0));
        assertEquals(Percentiles.NONE, history.latencyMicros());
    }

    @Test
    public void shouldTellTheEpochsAfterOne() {
        for (int i = 1; i <= 10; i++) {
            history.add(epoch(i, -1), 0);
        }
        assertEquals(List.of(9L, 10L), history.since(8).stream().map(EpochRecord::epoch).toList());
        assertEquals(List.of(), history.since(10));
    }

    @Test
    public void shouldTellWhatEndedLately() {
        for (int i = 1; i <= 10; i++) {
            history.add(epoch(i, -1), i * 100L);
        }
        assertEquals(List.of(10L, 9L), history.endedAfter(800).stream().map(EpochRecord::epoch).toList());
        assertEquals(List.of(), history.endedAfter(1000));
    }

    @Test
    public void shouldForgetTheOldestButCountAll() {
        for (int i = 1; i <= 5000; i++) {
            history.add(epoch(i, -1), 0);
        }
        assertEquals(5000, history.committed());
        List<EpochRecord> kept = history.since(0);
        assertEquals(4096, kept.size());
        assertEquals(5000 - 4096 + 1, kept.get(0).epoch());
        assertEquals(5000, kept.get(4095).epoch());
    }

    @Test
    public void shouldCountComparisonsAndWhatTheyFound() {
        history.add(epoch(1, -1), 0);
        history.add(epoch(2, 0), 0);
        history.add(epoch(3, 5), 0);
        assertEquals(2, history.verified());
        assertEquals(5, history.differing());
    }

    @Test
    public void shouldComputePercentiles() {
        for (int i = 100; i >= 1; i--) {
            history.addLatency(i * 1000L);
        }
        Percentiles p = history.latencyMicros();
        assertEquals(100, p.count());
        assertEquals(51, p.p50(), 0);
        assertEquals(100, p.p99(), 0);
        assertEquals(100, p.max(), 0);
        assertEquals(Percentiles.NONE, EpochHistory.of(List.of(), EpochRecord::pauseMicros));
        assertEquals(7, EpochHistory.of(List.of(epoch(7, -1)), EpochRecord::pauseMicros).p50(), 0);
    }
}
