package org.plover.policy.idle;

/** Thresholds of the idle policy, valid as a whole; what each is for stands in {@link IdleConfig}. */
record IdleSettings(int sampleIntervalMicros, int busyPermilleMax, int idleSamples, int intervalMillisMin, int intervalMillisMax,
                    int idleIntervalMillisMax, int peerIdleWaitMillis, long heldBytesMax) {

    static final IdleSettings DEFAULTS = new IdleSettings(500, 50, 2, 1, 400, 1_000, 250, 4_194_304);

    /**
     * @throws IllegalArgumentException if a value is out of range or does not go with another; says which and what it may be
     */
    IdleSettings {
        requireRange("sampleIntervalMicros", sampleIntervalMicros, 50, 1_000_000);
        requireRange("busyPermilleMax", busyPermilleMax, 0, 1_000);
        requireRange("idleSamples", idleSamples, 1, 10_000);
        requireRange("intervalMillisMin", intervalMillisMin, 0, 60_000);
        requireRange("intervalMillisMax", intervalMillisMax, 1, 60_000);
        requireRange("idleIntervalMillisMax", idleIntervalMillisMax, 1, 600_000);
        requireRange("peerIdleWaitMillis", peerIdleWaitMillis, 0, 60_000);
        requireRange("heldBytesMax", heldBytesMax, 1, 1_073_741_824);
        requireNotAbove("intervalMillisMin", intervalMillisMin, "intervalMillisMax", intervalMillisMax);
        requireNotAbove("intervalMillisMax", intervalMillisMax, "idleIntervalMillisMax", idleIntervalMillisMax);
    }

    static IdleSettings of(IdleConfig config) {
        return new IdleSettings(config.sampleIntervalMicros(), config.busyPermilleMax(), config.idleSamples(), config.intervalMillisMin(),
                config.intervalMillisMax(), config.idleIntervalMillisMax(), config.peerIdleWaitMillis(), config.heldBytesMax());
    }

    private static void requireRange(String key, long value, long lowest, long highest) {
        if (value < lowest || value > highest) {
            throw new IllegalArgumentException(key + " is " + value + "; set it to a value from " + lowest + " to " + highest);
        }
    }

    private static void requireNotAbove(String lowKey, int low, String highKey, int high) {
        if (low > high) {
            throw new IllegalArgumentException(lowKey + " is " + low + " and " + highKey + " is " + high + "; lower the first or raise the second");
        }
    }
}
