package org.plover.api.network;

import java.io.IOException;

/** Service: opens network ports. Providers carry the property {@code network.id}. */
public interface NetworkPortProvider {
    /** Service property that names the provider. */
    String ID = "network.id";

    /** Name of this provider, for instance {@code tap}. */
    String id();

    /**
     * Creates the host's end of a guest interface; it neither sends nor receives before {@link NetworkPort#activate}.
     *
     * @throws IOException if the host does not allow it (rights, missing bridge, name taken); says what to do. Nothing is left behind.
     */
    NetworkPort open(PortSpec spec, PortListener listener) throws IOException;
}
