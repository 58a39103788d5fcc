package org.plover.api.transport;

import java.nio.ByteBuffer;
import java.util.List;
import org.plover.api.group.Group;

/**
 * Message channels to the other members of one group. Messages of one peer and lane arrive whole, in the order of
 * sending, each at most once; whatever was under way when a link broke may be lost, and
 * {@link TransportListener#onDisconnected} tells both sides so. Thread-safe.
 */
public interface Transport extends AutoCloseable {
    /** Largest message in bytes; a peer that announces more is disconnected. */
    int MESSAGE_BYTES_MAX = 16 << 20;

    /**
     * Sends the concatenation of {@code parts} as one message. Does not block: what the link does not take at once is
     * copied into a bounded queue. The buffers' remaining bytes are consumed and the buffers are the caller's again
     * when this returns.
     *
     * @return false if the peer is not connected or its queue is full; then nothing of the message is sent and the
     *         buffers' positions are unspecified
     */
    boolean send(int member, Lane lane, ByteBuffer... parts);

    /** Whether both lanes to a peer are up and shaken hands. */
    boolean isConnected(int member);

    /** Bytes accepted by {@link #send} that the network has not taken yet: the sender's measure of back-pressure. */
    long queuedBytes(int member, Lane lane);

    /** Last measured round trip of the transport's own heartbeats in microseconds, or -1 if there is none. */
    long roundTripMicros(int member);

    /**
     * Other members are to be found elsewhere from now on: links to those whose address has changed are broken and built anew.
     * Does not block.
     *
     * @param next the same group, as it is configured now
     * @throws IllegalArgumentException if more than addresses of other members has changed; nothing is changed then
     */
    void readdress(Group next);

    /** Sentences for an operator about what is not as it should be with this member's links; empty if all is well. Does not block. */
    List<String> notes();

    /** Stops listening and closes every link; no listener method is called after it has returned. Idempotent. */
    @Override
    void close();
}
