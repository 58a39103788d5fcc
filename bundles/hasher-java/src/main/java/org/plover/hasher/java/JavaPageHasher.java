package org.plover.hasher.java;

import java.util.Objects;
import org.plover.api.hasher.DigestSecret;
import org.plover.api.hasher.PageHasher;
import org.plover.api.memory.GuestMemory;

/** Digests by {@link PageXxh3}. Holds nothing but the secret, so calls may overlap freely. */
final class JavaPageHasher implements PageHasher {
    private volatile PageXxh3 xxh3;

    /** @param xxh3Secret {@link DigestSecret#BYTES} bytes */
    JavaPageHasher(byte[] xxh3Secret) {
        xxh3 = new PageXxh3(xxh3Secret);
    }

    @Override
    public void digest(long base, int[] pages, int from, int to, long[] digests) {
        Objects.checkFromToIndex(from, to, pages.length);
        Objects.checkFromToIndex(2L * from, 2L * to, digests.length);
        PageXxh3 algorithm = xxh3;
        if (algorithm == null) {
            throw new IllegalStateException("this page hasher has been closed");
        }
        for (int i = from; i < to; i++) {
            algorithm.digest(base + (long) pages[i] * GuestMemory.PAGE_BYTES, digests, 2 * i);
        }
    }

    @Override
    public void close() {
        xxh3 = null;
    }
}
