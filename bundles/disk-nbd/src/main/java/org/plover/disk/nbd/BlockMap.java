package org.plover.disk.nbd;

import java.util.Arrays;
import java.util.function.IntConsumer;

/** A map from block numbers to ints without an object for each block. Nothing is removed but everything. Not thread-safe. */
final class BlockMap {
    static final int ABSENT = Integer.MIN_VALUE;
    private static final int SIZE_MIN = 16;

    /** Complements of the numbers, so that 0 means a free place. */
    private long[] keys = new long[SIZE_MIN];
    private int[] values = new int[SIZE_MIN];
    private int size;

    int get(long id) {
        int mask = keys.length - 1;
        for (int i = home(id, mask); keys[i] != 0; i = i + 1 & mask) {
            if (keys[i] == ~id) {
                return values[i];
            }
        }
        return ABSENT;
    }

    boolean contains(long id) {
        return get(id) != ABSENT;
    }

    /** Returns what was there before, or {@link #ABSENT}. */
    int put(long id, int value) {
        int mask = keys.length - 1;
        int i = home(id, mask);
        for (; keys[i] != 0; i = i + 1 & mask) {
            if (keys[i] == ~id) {
                int before = values[i];
                values[i] = value;
                return before;
            }
        }
        keys[i] = ~id;
        values[i] = value;
        if (++size > keys.length / 2) {
            grow();
        }
        return ABSENT;
    }

    void addKeys(BlockMap other) {
        for (long key : other.keys) {
            if (key != 0) {
                put(~key, 0);
            }
        }
    }

    int size() {
        return size;
    }

    long[] sortedKeys() {
        long[] sorted = new long[size];
        int n = 0;
        for (long key : keys) {
            if (key != 0) {
                sorted[n++] = ~key;
            }
        }
        Arrays.sort(sorted);
        return sorted;
    }

    /** Calls this for every value, in no order. */
    void forEachValue(IntConsumer action) {
        for (int i = 0; i < keys.length; i++) {
            if (keys[i] != 0) {
                action.accept(values[i]);
            }
        }
    }

    void clear() {
        keys = new long[SIZE_MIN];
        values = new int[SIZE_MIN];
        size = 0;
    }

    private void grow() {
        long[] oldKeys = keys;
        int[] oldValues = values;
        keys = new long[oldKeys.length * 2];
        values = new int[oldKeys.length * 2];
        int mask = keys.length - 1;
        for (int k = 0; k < oldKeys.length; k++) {
            if (oldKeys[k] != 0) {
                int i = home(~oldKeys[k], mask);
                while (keys[i] != 0) {
                    i = i + 1 & mask;
                }
                keys[i] = oldKeys[k];
                values[i] = oldValues[k];
            }
        }
    }

    private static int home(long id, int mask) {
        long hash = id * 0x9E3779B97F4A7C15L;
        return (int) (hash >>> 32) & mask;
    }
}
