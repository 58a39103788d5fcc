package org.plover.api.hasher;

/**
 * Service: makes keyed page hashers. Found as an OSGi service or by {@link java.util.ServiceLoader} (then published by
 * SPI Fly). Providers carry the property {@code hasher.id}, by which a configuration chooses one.
 */
public interface PageHasherProvider {
    /** Service property that names the provider. */
    String ID = "hasher.id";

    /** Name of the algorithm, the same on every host; two providers with one id must compute the same digests. */
    String id();

    /**
     * A hasher keyed with a secret, so that nobody outside the group can prepare two pages with one digest.
     *
     * @param secret 32 bytes or more drawn at random per group session; copied
     */
    PageHasher create(byte[] secret);
}
