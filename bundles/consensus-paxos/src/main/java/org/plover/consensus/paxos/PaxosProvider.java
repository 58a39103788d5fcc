package org.plover.consensus.paxos;

import java.io.IOException;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.Designate;
import org.plover.api.consensus.Consensus;
import org.plover.api.consensus.ConsensusHost;
import org.plover.api.consensus.ConsensusProvider;
import org.plover.api.consensus.StableStorage;
import org.plover.api.group.Group;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Creates cores; all of them read the component's current settings, so that tuning reaches those that run. */
@Component(service = ConsensusProvider.class, configurationPid = PaxosProvider.PID, property = ConsensusProvider.ID + "=paxos")
@Designate(ocd = PaxosConfiguration.class)
public final class PaxosProvider implements ConsensusProvider {
    static final String PID = "org.plover.consensus.paxos";
    private static final Logger LOG = LoggerFactory.getLogger(PaxosProvider.class);

    private volatile Settings settings = Settings.DEFAULT;

    /** With the default settings, for use outside OSGi. */
    public PaxosProvider() {
    }

    @Activate
    void activate(PaxosConfiguration configuration) {
        settings = settingsOf(configuration);
    }

    /** Values that do not fit together are refused as a whole, and the ones in force stay. */
    @Modified
    void modified(PaxosConfiguration configuration) {
        try {
            settings = settingsOf(configuration);
            LOG.info("{}: {}", PID, settings);
        } catch (IllegalArgumentException e) {
            LOG.error("{}: new configuration refused, {} stays in force: {}", PID, settings, e.getMessage());
        }
    }

    @Override
    public String id() {
        return "paxos";
    }

    @Override
    public Consensus create(Group group, StableStorage storage, long random, ConsensusHost host) throws IOException {
        return new PaxosCore(group, storage, random, host, () -> settings);
    }

    static Settings settingsOf(PaxosConfiguration c) {
        return new Settings(c.heartbeatMillis(), c.electionTimeoutMillisMin(), c.electionTimeoutMillisMax(), c.windowEntriesMax(), c.windowBytesMax(),
                c.batchBytesMax(), c.peerWindowBytesMax(), c.logBytesMax());
    }
}
