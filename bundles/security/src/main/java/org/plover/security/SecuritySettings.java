package org.plover.security;

/** What can be tuned, valid as a whole; what each is for stands in {@link SecurityConfig}. */
record SecuritySettings(int attemptsFree, int attemptsMax, int addressAttemptsMax, int lockSeconds, int sessionIdleMinutes, int sessionHoursMax) {
    static final SecuritySettings DEFAULTS = new SecuritySettings(5, 20, 100, 900, 30, 12);

    /** @throws IllegalArgumentException if a value is out of range or does not go with another; says which and what it may be */
    SecuritySettings {
        requireRange("attemptsFree", attemptsFree, 1, 100);
        requireRange("attemptsMax", attemptsMax, 1, 1000);
        requireRange("addressAttemptsMax", addressAttemptsMax, 1, 100_000);
        requireRange("lockSeconds", lockSeconds, 1, 86_400);
        requireRange("sessionIdleMinutes", sessionIdleMinutes, 1, 1440);
        requireRange("sessionHoursMax", sessionHoursMax, 1, 720);
        requireNotAbove("attemptsFree", attemptsFree, "attemptsMax", attemptsMax);
        requireNotAbove("attemptsMax", attemptsMax, "addressAttemptsMax", addressAttemptsMax);
    }

    static SecuritySettings of(SecurityConfig config) {
        return new SecuritySettings(config.attemptsFree(), config.attemptsMax(), config.addressAttemptsMax(), config.lockSeconds(),
                config.sessionIdleMinutes(), config.sessionHoursMax());
    }

    private static void requireRange(String key, int value, int lowest, int highest) {
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
