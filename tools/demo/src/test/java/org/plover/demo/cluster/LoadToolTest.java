package org.plover.demo.cluster;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.util.Optional;
import org.junit.Test;

public class LoadToolTest {

    @Test
    public void shouldReadBothRatesOfRedisBenchmark() {
        LoadTool.Rates rates = LoadTool.REDIS_BENCHMARK
                .rates("SET: rps=4460.0 (overall: 4321.5) avg_msec=7.1 (overall: 7.0)").orElseThrow();
        assertEquals(4460.0, rates.perSecond(), 0);
        assertEquals(Optional.of(4321.5), rates.overallPerSecond());
    }

    @Test
    public void shouldReadTransactionsPerSecondOfPgbench() {
        LoadTool.Rates rates = LoadTool.PGBENCH.rates("progress: 5.0 s, 20.2 tps, lat 177.184 ms stddev 98.447, 0 failed").orElseThrow();
        assertEquals(20.2, rates.perSecond(), 0);
        assertEquals(Optional.empty(), rates.overallPerSecond());
    }

    @Test
    public void shouldNotTakeOtherLinesForRates() {
        assertEquals(Optional.empty(), LoadTool.PGBENCH.rates("pgbench (15.20 (Debian 15.20-0+deb12u1))"));
        assertEquals(Optional.empty(), LoadTool.REDIS_BENCHMARK.rates("WARNING: Could not fetch server CONFIG"));
    }

    @Test
    public void shouldNoticeThatOneOfSeveralConnectionsFailed() {
        assertTrue(LoadTool.PGBENCH.isFailure(
                "pgbench: error: client 3 aborted in command 6 (SQL) of script 0; perhaps the backend died while processing"));
        assertTrue(LoadTool.REDIS_BENCHMARK.isFailure("Error: Connection reset by peer"));
        assertFalse(LoadTool.REDIS_BENCHMARK.isFailure("WARNING: Could not fetch server CONFIG"));
    }
}
