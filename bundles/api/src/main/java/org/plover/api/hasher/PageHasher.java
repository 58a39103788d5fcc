package org.plover.api.hasher;

/** Computes 128-bit digests of 4 KiB pages. Thread-safe: the cores share the work by calling it for disjoint ranges. */
public interface PageHasher extends AutoCloseable {
    /**
     * Digests {@code pages[from..to)}: page {@code p} lies at address {@code base + p * 4096}. Its digest is stored at
     * {@code digests[2 * i]} and {@code digests[2 * i + 1]} for the index {@code i} of {@code pages}. Reads memory only;
     * the memory must stay mapped during the call. A page that changes meanwhile gets a meaningless digest.
     */
    void digest(long base, int[] pages, int from, int to, long[] digests);

    /** Frees native memory. No call may be under way. */
    @Override
    void close();
}
