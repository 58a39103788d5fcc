package org.plover.benchmarks.transport;

import java.io.IOException;

/** Two ends, and much to be moved from one to the other. */
interface BulkStream extends AutoCloseable {
    /** Moves so many messages; returns when the last one has arrived, with the nanoseconds that took. */
    long run(int messages) throws IOException, InterruptedException;

    @Override
    void close() throws IOException;
}
