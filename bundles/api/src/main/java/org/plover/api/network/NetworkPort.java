package org.plover.api.network;

import java.nio.ByteBuffer;

/** The host's end of a guest interface; transparent for every Ethernet frame up to the MTU. Thread-safe. */
public interface NetworkPort extends AutoCloseable {
    /** Sends a frame of the guest's to the network; drops it while inactive. Does not block beyond the kernel's queue. */
    void send(ByteBuffer frame);

    /** Only an active port sends and receives: exactly the primary's is active. Takes effect before it returns. */
    void activate(boolean active);

    boolean isActive();

    /**
     * What keeps the port off the network although it is open, as one sentence for the operator: its interface or its bridge was taken
     * away. Frames are lost meanwhile, as by a cut cable; the port goes on by itself when the cause is gone. Known within a second; does
     * not block.
     *
     * @return empty if all is well
     */
    String trouble();

    /** Learns the guest's addresses from a frame it emitted, on any replica, so that they can be announced. */
    void observe(ByteBuffer guestFrame);

    /**
     * Tells the network that the guest's MAC now lives behind this port: RARP for the MAC, gratuitous ARP and unsolicited
     * neighbour advertisements for the addresses learned. Does nothing while inactive.
     */
    void announce();

    /** Takes the interface off the host. Idempotent. */
    @Override
    void close();
}
