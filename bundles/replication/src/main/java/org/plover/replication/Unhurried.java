package org.plover.replication;

import org.plover.api.policy.Decision;
import org.plover.api.policy.EpochView;
import org.plover.api.policy.SyncPolicy;

/** What ends epochs while no sync policy is there, as in the moment in which one bundle is swapped for another: time alone. */
final class Unhurried implements SyncPolicy {
    static final SyncPolicy INSTANCE = new Unhurried();

    private static final int SAMPLE_MICROS = 2000;
    private static final int QUIET_PERMILLE = 50;
    private static final long INTERVAL_NANOS = 50_000_000;

    private Unhurried() {
    }

    @Override
    public String id() {
        return "none";
    }

    @Override
    public int sampleIntervalMicros() {
        return SAMPLE_MICROS;
    }

    @Override
    public Decision decide(EpochView epoch) {
        return epoch.ageNanos() >= INTERVAL_NANOS ? Decision.END_INTERVAL_MAX : Decision.CONTINUE;
    }

    @Override
    public boolean isQuiet(int busyPermille, int idleSamples) {
        return busyPermille <= QUIET_PERMILLE;
    }
}
