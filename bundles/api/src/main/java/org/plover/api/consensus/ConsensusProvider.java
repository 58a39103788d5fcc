package org.plover.api.consensus;

import java.io.IOException;
import org.plover.api.group.Group;

/** Service: creates the agreement core of a group. Providers carry the service property {@code consensus.id}. */
public interface ConsensusProvider {
    /** Service property that names the provider. */
    String ID = "consensus.id";

    /** Name of this provider, for instance {@code paxos}. */
    String id();

    /**
     * Creates a member's core; it does nothing before {@link Consensus#start}.
     *
     * @param group   membership; {@code group.self()} is this member
     * @param storage where view, vote, membership and incarnation are kept; read here
     * @param random  seed for everything random (incarnation of a new member, election jitter), so that a simulation can repeat it
     * @param host    gets what the core wants done; called only from within calls to the core
     * @throws IOException if the stable record cannot be read
     */
    Consensus create(Group group, StableStorage storage, long random, ConsensusHost host) throws IOException;
}
