package org.plover.api.policy;

/** Service: decides when an epoch ends. Providers carry the property {@code policy.id}. Thread-safe; must not block. */
public interface SyncPolicy {
    /** Service property that names the provider. */
    String ID = "policy.id";

    /** Name of this policy, for instance {@code idle}. */
    String id();

    /** Time between two samples of the guest's activity, in microseconds; may change at any time. */
    int sampleIntervalMicros();

    /** Asked on the primary after every sample while an epoch is running. */
    Decision decide(EpochView epoch);

    /**
     * Asked on both replicas: whether the guest counts as idle, given how long it has been without activity.
     *
     * @param busyPermille activity of the busiest vCPU during the last sample interval, 0 to 1000
     * @param idleSamples  samples in a row, before this one, for which this method said true
     */
    boolean isQuiet(int busyPermille, int idleSamples);
}
