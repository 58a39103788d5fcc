package org.plover.consensus.paxos.sim;

import java.io.IOException;
import java.util.Optional;
import org.plover.api.consensus.StableStorage;

/** Keeps its record over a crash; a test may lose it, or let it refuse writes. */
final class SimStorage implements StableStorage {
    private byte[] record;
    boolean failing;

    @Override
    public Optional<byte[]> load() {
        return Optional.ofNullable(record).map(byte[]::clone);
    }

    @Override
    public void store(byte[] bytes) throws IOException {
        if (failing) {
            throw new IOException("disk full");
        }
        record = bytes.clone();
    }

    void lose() {
        record = null;
    }

    boolean isEmpty() {
        return record == null;
    }
}
