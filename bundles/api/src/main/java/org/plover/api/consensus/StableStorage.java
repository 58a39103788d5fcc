package org.plover.api.consensus;

import java.io.IOException;
import java.util.Optional;

/** The few bytes that a member remembers across a restart. Used from one thread. */
public interface StableStorage {
    /** The last record stored, or empty if there never was one. A torn or corrupt record is an IOException, not empty. */
    Optional<byte[]> load() throws IOException;

    /** Replaces the record atomically; blocks until it would survive a loss of power. After a failure the old one stands. */
    void store(byte[] record) throws IOException;
}
