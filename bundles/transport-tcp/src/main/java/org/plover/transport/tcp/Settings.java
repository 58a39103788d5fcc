package org.plover.transport.tcp;

import java.util.concurrent.TimeUnit;
import org.plover.api.transport.Lane;

/** The configuration of one moment, checked. Transports fetch the current one on every tick. */
record Settings(int heartbeatMillis, int silenceMillis, int silenceMillisMax, int reconnectMillisMin, int reconnectMillisMax, int handshakeMillisMax,
                long controlQueueBytesMax, long bulkQueueBytesMax, int busyPollMicros, int bulkSocketBytes, String listenHost) {

    /** No tick is further apart than this, so that timers much shorter than the heartbeat are still kept. */
    private static final long TICK_MILLIS_MAX = 20;

    Settings {
        require(heartbeatMillis >= 1, "heartbeatMillis", heartbeatMillis, "at least 1");
        require(silenceMillis >= 2 * heartbeatMillis, "silenceMillis", silenceMillis,
                "at least twice heartbeatMillis (" + heartbeatMillis + ")");
        require(silenceMillisMax >= 2, "silenceMillisMax", silenceMillisMax, "at least 2");
        require(reconnectMillisMin >= 1, "reconnectMillisMin", reconnectMillisMin, "at least 1");
        require(reconnectMillisMax >= reconnectMillisMin, "reconnectMillisMax", reconnectMillisMax,
                "at least reconnectMillisMin (" + reconnectMillisMin + ")");
        require(handshakeMillisMax >= 1, "handshakeMillisMax", handshakeMillisMax, "at least 1");
        require(controlQueueBytesMax >= 1, "controlQueueBytesMax", controlQueueBytesMax, "at least 1");
        require(bulkQueueBytesMax >= 1, "bulkQueueBytesMax", bulkQueueBytesMax, "at least 1");
        require(busyPollMicros >= 0, "busyPollMicros", busyPollMicros, "0 or more");
        require(bulkSocketBytes >= 0, "bulkSocketBytes", bulkSocketBytes, "0 or more");
        listenHost = listenHost == null ? "" : listenHost.strip();
    }

    static Settings of(TcpTransportConfig c) {
        return new Settings(c.heartbeatMillis(), c.silenceMillis(), c.silenceMillisMax(), c.reconnectMillisMin(), c.reconnectMillisMax(),
                c.handshakeMillisMax(), c.controlQueueBytesMax(), c.bulkQueueBytesMax(), c.busyPollMicros(),
                c.bulkSocketBytes(), c.listenHost());
    }

    private static void require(boolean legal, String key, long value, String range) {
        if (!legal) {
            throw new IllegalArgumentException(TcpTransportProvider.PID + ": " + key + " is " + value + ", must be " + range);
        }
    }

    long queueBytesMax(Lane lane) {
        return lane == Lane.CONTROL ? controlQueueBytesMax : bulkQueueBytesMax;
    }

    long tickMillis() {
        return Math.max(1, Math.min(TICK_MILLIS_MAX, Math.min(heartbeatMillis / 2, silenceMillis / 8)));
    }

    long heartbeatNanos() {
        return TimeUnit.MILLISECONDS.toNanos(heartbeatMillis);
    }

    long silenceNanos() {
        return TimeUnit.MILLISECONDS.toNanos(silenceMillis);
    }

    long silenceNanosMax() {
        return TimeUnit.MILLISECONDS.toNanos(Math.max(silenceMillis, silenceMillisMax));
    }

    long busyPollNanos() {
        return TimeUnit.MICROSECONDS.toNanos(busyPollMicros);
    }
}
