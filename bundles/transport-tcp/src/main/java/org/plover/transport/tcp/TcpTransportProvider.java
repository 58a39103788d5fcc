package org.plover.transport.tcp;

import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.plover.api.group.Group;
import org.plover.api.transport.Transport;
import org.plover.api.transport.TransportListener;
import org.plover.api.transport.TransportProvider;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Transports over TCP, under TLS unless an operator says otherwise. Works without a configuration; a changed one reaches open transports at once. */
@Component(configurationPid = TcpTransportProvider.PID, property = TransportProvider.ID + "=" + TcpTransportProvider.NAME)
@Designate(ocd = TcpTransportConfig.class)
public final class TcpTransportProvider implements TransportProvider {
    static final String PID = "org.plover.transport.tcp";
    static final String NAME = "tcp";

    private static final Logger LOG = LoggerFactory.getLogger(TcpTransportProvider.class);

    private final Set<TcpTransport> open = ConcurrentHashMap.newKeySet();
    private final Peers peers;
    private volatile Settings settings;

    /** @throws IllegalArgumentException if a value is out of its range; the message names it */
    @Activate
    public TcpTransportProvider(TcpTransportConfig config, @Reference Peers peers) {
        this.settings = Settings.of(config);
        this.peers = peers;
    }

    @Modified
    void modified(TcpTransportConfig config) {
        try {
            settings = Settings.of(config);
        } catch (IllegalArgumentException e) {
            LOG.error("{}; the former configuration stays in force", e.getMessage());
        }
    }

    @Deactivate
    void deactivate() {
        for (TcpTransport transport : List.copyOf(open)) {
            LOG.warn("group {}: the TCP transport goes away while it is in use; its links are closed", transport.group().name());
            transport.close();
        }
    }

    @Override
    public String id() {
        return NAME;
    }

    @Override
    public Transport open(Group group, long incarnation, TransportListener listener) throws IOException {
        Objects.requireNonNull(listener, "listener");
        TcpTransport transport = new TcpTransport(group, incarnation, listener, () -> settings, peers, TcpTransport.Versions.CURRENT,
                open::remove);
        open.add(transport);
        return transport;
    }
}
