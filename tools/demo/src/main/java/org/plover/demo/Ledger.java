package org.plover.demo;

import java.util.BitSet;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * What one connection has written and what of it was acknowledged; judges everything that is read back.
 *
 * <p>Writes are numbered 1, 2, 3, ... Each sets one of a few keys to its number and appends the number to a list. A
 * connection has one operation under way at a time, so at most one write, the last, can be of unknown outcome: after
 * it was sent and before its acknowledgement, or for ever when the connection broke in between. After a restart of the server
 * that was announced, {@link #settle} finds out, or the write is made again.
 */
final class Ledger {

    /** What a value that was read says about the server. */
    enum Verdict {
        /** The last acknowledged value, or the one of the write whose outcome is unknown. */
        CURRENT,
        /** Older than what was acknowledged, or nothing: an acknowledged write is not there. */
        STALE,
        /** Never written to this key. */
        CORRUPT
    }

    private final String prefix;
    /** Last acknowledged number per key; 0: none. */
    private final long[] acknowledged;
    private long acknowledgedWrites;
    /** Key of the write of unknown outcome, whose number is {@code acknowledgedWrites + 1}; -1: none. */
    private int unknownKey = -1;

    private final BitSet lost = new BitSet();
    private final BitSet seen = new BitSet();
    private final BitSet duplicated = new BitSet();
    private final BitSet misordered = new BitSet();
    private long lastSeen;
    private long corruptEntries;
    private long corruptEntriesMax;
    private final BitSet corruptKeys = new BitSet();

    Ledger(String prefix, int keys) {
        this.prefix = prefix;
        this.acknowledged = new long[keys];
    }

    int keys() {
        return acknowledged.length;
    }

    String key(int key) {
        return prefix + ":key:" + key;
    }

    String list() {
        return prefix + ":writes";
    }

    /** Numbers the next write, whose outcome is unknown until {@link #acknowledge()}. */
    long begin(int key) {
        if (unknownKey >= 0) {
            throw new IllegalStateException(prefix + ": write " + (acknowledgedWrites + 1) + " is still under way");
        }
        unknownKey = key;
        return acknowledgedWrites + 1;
    }

    void acknowledge() {
        if (unknownKey < 0) {
            throw new IllegalStateException(prefix + ": no write is under way");
        }
        acknowledged[unknownKey] = ++acknowledgedWrites;
        unknownKey = -1;
    }

    /** Whether the outcome of a write is unknown. */
    boolean isUnknown() {
        return unknownKey >= 0;
    }

    /** Number of the write of unknown outcome. */
    long unknownNumber() {
        return acknowledgedWrites + 1;
    }

    int unknownKey() {
        return unknownKey;
    }

    /**
     * After a whole list was read from a server where nothing can be under way any more: a write of unknown outcome that is there
     * counts as acknowledged. One that is not there stays unknown, and is to be made again.
     */
    void settle() {
        if (isUnknown() && seen.get(index(unknownNumber()))) {
            acknowledge();
        }
    }

    long acknowledgedWrites() {
        return acknowledgedWrites;
    }

    /** A key that has an acknowledged value, or -1 before the first one. */
    int anyWrittenKey(RandomGenerator random) {
        if (acknowledgedWrites == 0) {
            return -1;
        }
        int key = random.nextInt(acknowledged.length);
        while (acknowledged[key] == 0) {
            key = (key + 1) % acknowledged.length;
        }
        return key;
    }

    /** Judges a value that was read; null: there was none. */
    Verdict judge(int key, String read) {
        if (read == null) {
            return acknowledged[key] == 0 ? Verdict.CURRENT : Verdict.STALE;
        }
        long value = number(read);
        if (value == acknowledged[key] || key == unknownKey && value == acknowledgedWrites + 1) {
            return Verdict.CURRENT;
        }
        return value > 0 && value < acknowledged[key] ? Verdict.STALE : Verdict.CORRUPT;
    }

    // --- audits, of which there may be several: what one of them has found stays found ---

    /** Judges the present value of a key: an acknowledged last write that is not there any more is a lost one. */
    void auditKey(int key, String read) {
        switch (judge(key, read)) {
            case CURRENT -> { }
            case STALE -> lost.set(index(acknowledged[key]));
            case CORRUPT -> {
                corruptKeys.set(key);
                lost.set(index(acknowledged[key]));
            }
            default -> throw new IllegalStateException();
        }
    }

    /** The list is read from its start. */
    void beginList() {
        seen.clear();
        lastSeen = 0;
        corruptEntries = 0;
    }

    /** Judges the next part of the list, in the order of the list. */
    void auditList(List<String> entries) {
        for (String entry : entries) {
            long value = number(entry);
            boolean unknown = unknownKey >= 0 && value == acknowledgedWrites + 1;
            if (value < 1 || value > acknowledgedWrites && !unknown) {
                corruptEntries++;
            } else if (seen.get(index(value))) {
                duplicated.set(index(value));
            } else {
                seen.set(index(value));
                if (value < lastSeen) {
                    misordered.set(index(value));
                }
                lastSeen = Math.max(lastSeen, value);
            }
        }
    }

    /** After the whole list: every acknowledged number that it does not hold is a lost write. */
    void endOfList() {
        BitSet missing = new BitSet();
        missing.set(1, index(acknowledgedWrites) + 1);
        missing.andNot(seen);
        lost.or(missing);
        corruptEntriesMax = Math.max(corruptEntriesMax, corruptEntries);
    }

    long lostWrites() {
        return lost.cardinality();
    }

    /** Writes that were found more than once: they were executed twice. */
    long duplicatedWrites() {
        return duplicated.cardinality();
    }

    /** List entries that stand behind a later write. */
    long misorderedWrites() {
        return misordered.cardinality();
    }

    /** Values found in audits that were never written. */
    long corruptValues() {
        return corruptEntriesMax + corruptKeys.cardinality();
    }

    private static int index(long number) {
        return Math.toIntExact(number);
    }

    /** The number, or -1 for anything that is none. */
    private static long number(String read) {
        try {
            return Long.parseLong(read);
        } catch (NumberFormatException e) {
            return -1;
        }
    }
}
