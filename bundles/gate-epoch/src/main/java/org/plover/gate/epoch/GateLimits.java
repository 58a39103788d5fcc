package org.plover.gate.epoch;

/**
 * How much a gate may hold.
 *
 * @param bytesMax        bytes held in mode HOLDING before the guest's transmissions block
 * @param framesMax       frames held, in any mode
 * @param standbyBytesMax bytes kept in mode STANDBY before the oldest frames go
 */
record GateLimits(int bytesMax, int framesMax, int standbyBytesMax) {
    static final int BYTES_LOWEST = 131_072;
    static final int BYTES_HIGHEST = 1_073_741_824;
    static final int FRAMES_LOWEST = 64;
    static final int FRAMES_HIGHEST = 1_048_576;

    static final GateLimits DEFAULTS = new GateLimits(16_777_216, 32_768, 16_777_216);

    GateLimits {
        requireRange("bytesMax", bytesMax, BYTES_LOWEST, BYTES_HIGHEST);
        requireRange("framesMax", framesMax, FRAMES_LOWEST, FRAMES_HIGHEST);
        requireRange("standbyBytesMax", standbyBytesMax, BYTES_LOWEST, BYTES_HIGHEST);
    }

    private static void requireRange(String key, int value, int lowest, int highest) {
        if (value < lowest || value > highest) {
            throw new IllegalArgumentException(key + " is " + value + "; set it to a value from " + lowest + " to " + highest);
        }
    }
}
