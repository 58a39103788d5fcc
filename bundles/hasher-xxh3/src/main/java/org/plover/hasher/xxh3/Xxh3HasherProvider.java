package org.plover.hasher.xxh3;

import java.io.IOException;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.plover.api.hasher.DigestSecret;
import org.plover.api.hasher.PageHasher;
import org.plover.api.hasher.PageHasherProvider;

/**
 * Digests pages by XXH3 with 128 bits (Collet, xxHash specification 0.8, {@code XXH3_128bits_withSecret}) as the system's
 * libxxhash computes it. The secret is derived from the caller's by {@link DigestSecret}.
 *
 * <p>XXH3 is no cryptographic hash: whoever learns the secret can make pages with equal digests. So the secret stays
 * within the group, and digests cross the wire encrypted only.
 *
 * <p>Disabled until {@link LibXxHashCheck} has found the library, so that no one is offered what cannot work.
 */
@Component(name = Xxh3HasherProvider.NAME, enabled = false, property = PageHasherProvider.ID + "=" + Xxh3HasherProvider.XXH3)
public final class Xxh3HasherProvider implements PageHasherProvider {
    static final String NAME = "org.plover.hasher.xxh3";
    static final String XXH3 = "xxh3";

    private final PageCalls calls;

    /** Throws IOException if the library cannot be opened. */
    @Activate
    public Xxh3HasherProvider() throws IOException {
        calls = LibXxHash.open().calls();
    }

    @Override
    public String id() {
        return XXH3;
    }

    @Override
    public PageHasher create(byte[] secret) {
        return new Xxh3PageHasher(calls, DigestSecret.derive(secret));
    }
}
