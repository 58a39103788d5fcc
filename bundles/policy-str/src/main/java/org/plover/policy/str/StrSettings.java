package org.plover.policy.str;

/** Thresholds of the STR policy, valid as a whole; what each is for stands in {@link StrConfig}. */
record StrSettings(int intervalMillis, int sampleIntervalMicros, long heldBytesMax) {

    static final StrSettings DEFAULTS = new StrSettings(100, 1_000, 4_194_304);

    /**
     * @throws IllegalArgumentException if a value is out of range; says which and what it may be
     */
    StrSettings {
        requireRange("intervalMillis", intervalMillis, 1, 60_000);
        requireRange("sampleIntervalMicros", sampleIntervalMicros, 50, 1_000_000);
        requireRange("heldBytesMax", heldBytesMax, 1, 1_073_741_824);
    }

    static StrSettings of(StrConfig config) {
        return new StrSettings(config.intervalMillis(), config.sampleIntervalMicros(), config.heldBytesMax());
    }

    private static void requireRange(String key, long value, long lowest, long highest) {
        if (value < lowest || value > highest) {
            throw new IllegalArgumentException(key + " is " + value + "; set it to a value from " + lowest + " to " + highest);
        }
    }
}
