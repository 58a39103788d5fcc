package org.plover.hasher.xxh3;

import org.plover.api.hasher.DigestSecret;

/** Calls libxxhash for a run of pages. Everything it touches is native memory. Thread-safe. */
interface PageCalls {
    /**
     * Digests {@code count} pages.
     *
     * @param base    address of page 0
     * @param pages   address of {@code count} page numbers, an {@code int} each
     * @param count   how many, at least 1
     * @param digests where {@code count} digests of 16 bytes go
     * @param secret  address of the {@link DigestSecret#BYTES} bytes of the secret
     */
    void digest(long base, long pages, int count, long digests, long secret);
}
