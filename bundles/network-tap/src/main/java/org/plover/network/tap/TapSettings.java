package org.plover.network.tap;

/** What can be tuned, valid as a whole; what each is for stands in {@link TapConfig}. */
record TapSettings(int announceCount, int announceIntervalMillis, int addressAgeSeconds, int queueFrames) {
    static final TapSettings DEFAULTS = new TapSettings(5, 100, 300, 1_000);

    /**
     * @throws IllegalArgumentException if a value is out of range; says which and what it may be
     */
    TapSettings {
        requireRange("announceCount", announceCount, 1, 100);
        requireRange("announceIntervalMillis", announceIntervalMillis, 1, 60_000);
        requireRange("addressAgeSeconds", addressAgeSeconds, 0, 86_400);
        requireRange("queueFrames", queueFrames, 16, 65_536);
    }

    private static void requireRange(String key, int value, int lowest, int highest) {
        if (value < lowest || value > highest) {
            throw new IllegalArgumentException(key + " is " + value + "; set it to a value from " + lowest + " to " + highest);
        }
    }
}
