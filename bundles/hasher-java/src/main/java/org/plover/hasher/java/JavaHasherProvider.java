package org.plover.hasher.java;

import org.plover.api.hasher.DigestSecret;
import org.plover.api.hasher.PageHasher;
import org.plover.api.hasher.PageHasherProvider;

/**
 * Digests pages in Java alone, on every host. It computes XXH3 with 128 bits, so its digests are those of the provider
 * {@code xxh3} for the same secret, and a host without libxxhash can work beside one that has it.
 *
 * <p>What is said there of secrecy holds here: whoever learns the secret can make pages with equal digests.
 */
public final class JavaHasherProvider implements PageHasherProvider {
    @Override
    public String id() {
        return "java";
    }

    @Override
    public PageHasher create(byte[] secret) {
        return new JavaPageHasher(DigestSecret.derive(secret));
    }
}
