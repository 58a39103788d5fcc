package org.plover.consensus.paxos;

/** A consistent set of the tunable values; cores read the current one whenever they need a value. */
record Settings(int heartbeatMillis, int electionTimeoutMillisMin, int electionTimeoutMillisMax, int windowEntriesMax, long windowBytesMax,
                int batchBytesMax, long peerWindowBytesMax, long logBytesMax) {
    static final Settings DEFAULT = new Settings(20, 150, 1000, 65536, 16L << 20, 256 << 10, 8L << 20, 64L << 20);

    Settings {
        atLeast("heartbeatMillis", heartbeatMillis, 1);
        if (electionTimeoutMillisMin < 3 * heartbeatMillis) {
            throw new IllegalArgumentException("electionTimeoutMillisMin is " + electionTimeoutMillisMin
                    + ", needs at least three times heartbeatMillis (" + heartbeatMillis + "): raise it, or lower heartbeatMillis");
        }
        atLeast("electionTimeoutMillisMax", electionTimeoutMillisMax, electionTimeoutMillisMin);
        atLeast("windowEntriesMax", windowEntriesMax, 1);
        atLeast("windowBytesMax", windowBytesMax, 1 << 16);
        atLeast("batchBytesMax", batchBytesMax, 1 << 10);
        if (batchBytesMax > 1 << 20) {
            throw new IllegalArgumentException("batchBytesMax is " + batchBytesMax + ", must be at most " + (1 << 20));
        }
        atLeast("peerWindowBytesMax", peerWindowBytesMax, 1 << 16);
        atLeast("logBytesMax", logBytesMax, windowBytesMax);
    }

    long heartbeatNanos() {
        return heartbeatMillis * 1_000_000L;
    }

    long electionTimeoutNanosMin() {
        return electionTimeoutMillisMin * 1_000_000L;
    }

    long electionTimeoutNanosMax() {
        return electionTimeoutMillisMax * 1_000_000L;
    }

    private static void atLeast(String key, long value, long least) {
        if (value < least) {
            throw new IllegalArgumentException(key + " is " + value + ", must be at least " + least);
        }
    }
}
