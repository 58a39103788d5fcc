package org.plover.disk.nbd;

/** What can be tuned, valid as a whole; what each is for stands in {@link NbdDiskConfig}. */
record StoreSettings(long journalBytesMax, long writebackBytesMax, long heldBytesMax) {
    static final StoreSettings DEFAULTS = new StoreSettings(256L << 20, 32L << 20, 128L << 20);

    /** @throws IllegalArgumentException if a value is out of range; says which and what it may be */
    StoreSettings {
        requireRange("journalBytesMax", journalBytesMax, 1L << 20, 64L << 30);
        requireRange("writebackBytesMax", writebackBytesMax, 1L << 16, 4L << 30);
        requireRange("heldBytesMax", heldBytesMax, 1L << 20, 16L << 30);
    }

    private static void requireRange(String key, long value, long lowest, long highest) {
        if (value < lowest || value > highest) {
            throw new IllegalArgumentException(key + " is " + value + "; set it to a value from " + lowest + " to " + highest);
        }
    }

    /** Length of one file of the journal, in whole blocks. */
    long segmentBytes() {
        return journalBytesMax / Journal.SEGMENTS / 4096 * 4096;
    }
}
