package org.plover.api.transport;

/** Two channels run to every peer, so that a large state transfer never stands in the way of an input or a heartbeat. */
public enum Lane {
    /** Small messages whose latency matters: agreement, heartbeats, decisions. */
    CONTROL,
    /** Large messages whose throughput matters: pages, device state. */
    BULK
}
