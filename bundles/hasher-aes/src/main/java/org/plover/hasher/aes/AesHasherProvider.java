package org.plover.hasher.aes;

import org.osgi.service.component.annotations.Component;
import org.plover.api.hasher.PageHasher;
import org.plover.api.hasher.PageHasherProvider;

/** Digests pages so that a guest which writes what it likes cannot make two pages with equal digests; see {@link AesPageHasher} for why. */
@Component(property = PageHasherProvider.ID + "=" + AesHasherProvider.NAME)
public final class AesHasherProvider implements PageHasherProvider {
    static final String NAME = "aes";

    @Override
    public String id() {
        return NAME;
    }

    @Override
    public PageHasher create(byte[] secret) {
        return new AesPageHasher(secret);
    }
}
