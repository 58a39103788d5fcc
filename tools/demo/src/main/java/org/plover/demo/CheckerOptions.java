package org.plover.demo;

import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * What a {@link Checker} does.
 *
 * @param service what kind of server it is
 * @param address the server
 * @param connections long-lived connections
 * @param keys keys per connection
 * @param think pause between a reply and the next request of a connection
 * @param duration when to stop; zero: when {@link Checker#requestStop()} is called
 * @param connectTimeout how long to try to open the connections, at the start and after a restart
 * @param answerTimeout how long, after the stop, an operation that is under way or belongs to the audit may take
 */
public record CheckerOptions(Service service, InetSocketAddress address, int connections, int keys, Duration think, Duration duration,
                             Duration connectTimeout, Duration answerTimeout) {

    public CheckerOptions {
        if (connections < 1 || keys < 1) {
            throw new IllegalArgumentException("at least one connection and one key needed, not " + connections + " and " + keys);
        }
        if (think.isNegative() || duration.isNegative() || connectTimeout.isNegative() || answerTimeout.toMillis() < 1) {
            throw new IllegalArgumentException("times must not be negative, and the answer timeout at least a millisecond");
        }
    }

    /** A Redis server; 8 connections with 8 keys each and 10 ms of thinking, until stopped. */
    public static CheckerOptions of(String host, int port) {
        return new CheckerOptions(Service.REDIS, new InetSocketAddress(host, port), 8, 8, Duration.ofMillis(10), Duration.ZERO,
                                  Duration.ofSeconds(30), Duration.ofSeconds(10));
    }

    public CheckerOptions withService(Service value) {
        return new CheckerOptions(value, address, connections, keys, think, duration, connectTimeout, answerTimeout);
    }

    public CheckerOptions withConnections(int value) {
        return new CheckerOptions(service, address, value, keys, think, duration, connectTimeout, answerTimeout);
    }

    public CheckerOptions withKeys(int value) {
        return new CheckerOptions(service, address, connections, value, think, duration, connectTimeout, answerTimeout);
    }

    public CheckerOptions withThink(Duration value) {
        return new CheckerOptions(service, address, connections, keys, value, duration, connectTimeout, answerTimeout);
    }

    public CheckerOptions withDuration(Duration value) {
        return new CheckerOptions(service, address, connections, keys, think, value, connectTimeout, answerTimeout);
    }

    public CheckerOptions withConnectTimeout(Duration value) {
        return new CheckerOptions(service, address, connections, keys, think, duration, value, answerTimeout);
    }

    public CheckerOptions withAnswerTimeout(Duration value) {
        return new CheckerOptions(service, address, connections, keys, think, duration, connectTimeout, value);
    }
}
