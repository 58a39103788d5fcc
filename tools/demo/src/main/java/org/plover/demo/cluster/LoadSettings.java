package org.plover.demo.cluster;

import java.nio.file.Path;

/**
 * What a {@link Load} does, and to whom.
 *
 * @param programs where client programs are that are not on the path
 * @param pipeline requests that a connection sends at once (redis-benchmark)
 * @param valueBytes size of what is written (redis-benchmark)
 * @param scale hundred thousands of accounts (pgbench)
 */
public record LoadSettings(Path programs, String address, int port, int connections, int pipeline, int valueBytes, int scale) {
}
