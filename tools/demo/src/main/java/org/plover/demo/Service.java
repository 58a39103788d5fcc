package org.plover.demo;

import java.io.IOException;
import java.net.InetSocketAddress;

/** What kind of server a {@link Checker} has to do with. */
public enum Service {
    /** A Redis server. */
    REDIS(6379) {
        @Override
        ServiceClient connect(InetSocketAddress address, int timeoutMillis) throws IOException {
            return new RedisClient(RespClient.connect(address, timeoutMillis));
        }
    },
    /** A PostgreSQL server whose database and user {@code postgres} need no password. */
    POSTGRESQL(5432) {
        @Override
        ServiceClient connect(InetSocketAddress address, int timeoutMillis) throws IOException {
            return PostgresqlClient.connect(address, timeoutMillis);
        }
    };

    /** TCP port that such a server usually listens to. */
    public final int port;

    Service(int port) {
        this.port = port;
    }

    /**
     * Opens one connection; blocks for at most about {@code timeoutMillis}, and so will every operation until
     * {@link ServiceClient#timeoutMillis} says otherwise.
     */
    abstract ServiceClient connect(InetSocketAddress address, int timeoutMillis) throws IOException;
}
