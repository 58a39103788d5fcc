package org.plover.benchmarks.transport;

import java.io.IOException;

/** Two ends, one message that goes to and fro. */
public interface PingPong extends AutoCloseable {
    /** Round trips one after the other; fills {@code nanos} with their durations. Blocks until they are done. */
    void run(long[] nanos) throws IOException, InterruptedException;

    @Override
    void close() throws IOException;
}
