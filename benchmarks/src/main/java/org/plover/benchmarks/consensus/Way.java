package org.plover.benchmarks.consensus;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/** What is measured, and where the durations of it are kept for the process that prints them. */
enum Way {
    BARE(1),
    ONE(1),
    EIGHT(8);

    static final int MESSAGE_BYTES = 200;
    static final int ROUND_TRIPS = 5_000;
    static final int WARMUP_ROUNDS = 4;
    static final int ROUNDS = 8;

    /** How many inputs are under way at a time. */
    final int inFlight;

    Way(int inFlight) {
        this.inFlight = inFlight;
    }

    void write(Path directory, String seenBy, long[] nanos) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(nanos.length * Long.BYTES);
        bytes.asLongBuffer().put(nanos);
        Files.write(file(directory, seenBy), bytes.array());
    }

    long[] read(Path directory, String seenBy) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file(directory, seenBy)));
        long[] nanos = new long[ROUNDS * ROUND_TRIPS];
        if (bytes.remaining() != nanos.length * Long.BYTES) {
            throw new IOException(file(directory, seenBy) + " has " + bytes.remaining() / Long.BYTES + " durations instead of " + nanos.length);
        }
        bytes.asLongBuffer().get(nanos);
        return nanos;
    }

    private Path file(Path directory, String seenBy) {
        return directory.resolve(seenBy + "-" + name());
    }
}
