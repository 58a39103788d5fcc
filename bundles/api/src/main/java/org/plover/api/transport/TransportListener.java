package org.plover.api.transport;

import java.nio.ByteBuffer;

/** Receives what a {@link Transport} brings. Called on transport threads; must not block. */
public interface TransportListener {
    /** A message arrived. The buffer is valid during the call only. */
    void onMessage(int member, Lane lane, ByteBuffer message);

    /**
     * Both lanes to a peer are up.
     *
     * @param incarnation what the peer gave to {@link TransportProvider#open}
     */
    void onConnected(int member, long incarnation);

    /** A lane broke, or the peer fell silent; both lanes are closed and will be connected anew. */
    void onDisconnected(int member, String reason);
}
