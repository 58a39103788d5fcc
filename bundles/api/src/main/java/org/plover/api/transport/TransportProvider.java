package org.plover.api.transport;

import java.io.IOException;
import org.plover.api.group.Group;

/** Service: opens transports. Providers carry the service property {@code transport.id}. */
public interface TransportProvider {
    /** Service property that names the provider. */
    String ID = "transport.id";

    /** Name of this provider, for instance {@code tcp}. */
    String id();

    /**
     * Starts listening at this member's address and connecting to the other members, and keeps doing so until closed.
     *
     * @param group       membership; {@code group.self()} is this process
     * @param incarnation random number drawn when this member's stable storage was created; told to peers in the
     *                    handshake, so that a member that lost its memory is not taken for the one it replaces
     * @param listener    gets messages and link changes; its methods are called on transport threads, one call at a time
     *                    per peer and lane, and must not block
     * @throws IOException if the address cannot be used (port taken, address not of this host); the message says which
     *                     and what to do. Nothing is left open.
     */
    Transport open(Group group, long incarnation, TransportListener listener) throws IOException;
}
