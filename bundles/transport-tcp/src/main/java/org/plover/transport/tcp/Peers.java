package org.plover.transport.tcp;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.Designate;
import org.plover.api.identity.Identity;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who this appliance is and whom it believes: its own key and the pins of the members. Pins and key may change while it runs; every
 * new connection uses what is in force then.
 */
@Component(service = Peers.class, configurationPid = Peers.PID)
@Designate(ocd = PeersConfig.class)
public final class Peers {
    static final String PID = "org.plover.peers";
    private static final Logger LOG = LoggerFactory.getLogger(Peers.class);
    private static final long LOOK_MILLIS = 500;

    private final Path directory;
    private final Set<Runnable> onChange = ConcurrentHashMap.newKeySet();
    /** Public-key arithmetic takes milliseconds, on the first use of the JVM much longer; heartbeats must not wait for it. */
    private final ExecutorService arithmetic = Executors.newSingleThreadExecutor(runnable -> daemon(runnable, "plover-tls"));
    private final ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor(runnable -> daemon(runnable, "plover-identity"));
    private volatile Pins pins;
    private volatile Identity identity;
    private String lastProblem;

    /** @throws IllegalArgumentException if a value cannot be; the message names it */
    @Activate
    public Peers(PeersConfig config, BundleContext context) {
        this(config, Path.of(context.getProperty("plover.data") == null ? "data" : context.getProperty("plover.data")));
    }

    /** @param directory of the identity's files */
    public Peers(PeersConfig config, Path directory) {
        this.directory = directory.toAbsolutePath();
        this.pins = Pins.of(config);
        look();
        watch.scheduleWithFixedDelay(this::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    @Modified
    void modified(PeersConfig config) {
        try {
            pins = Pins.of(config);
        } catch (IllegalArgumentException e) {
            LOG.error("{}; the former configuration stays in force", e.getMessage());
            return;
        }
        look();
        onChange.forEach(Runnable::run);
    }

    @Deactivate
    void deactivate() {
        watch.shutdownNow();
        arithmetic.shutdown();
    }

    Pins pins() {
        return pins;
    }

    /** Fingerprint of this appliance's own key, or null if it has none. */
    String fingerprint() {
        Identity mine = identity;
        return mine == null ? null : mine.fingerprint();
    }

    /** Runs it, on any thread, whenever other pins are in force. */
    void whenChanged(Runnable action) {
        onChange.add(action);
    }

    void forget(Runnable action) {
        onChange.remove(action);
    }

    /** @throws IOException if this appliance cannot prove who it is; says what to do */
    void check() throws IOException {
        if (pins.tls() && identity == null) {
            look();
        }
        if (pins.tls() && identity == null) {
            Identity.load(directory);
        }
    }

    /** Takes up a key that has been made or changed. */
    private synchronized void look() {
        if (!pins.tls()) {
            return;
        }
        try {
            Identity mine = identity;
            if (mine != null && mine.version().equals(Identity.version(directory))) {
                return;
            }
            identity = Identity.load(directory);
            lastProblem = null;
            if (mine == null || !mine.fingerprint().equals(identity.fingerprint())) {
                LOG.info("this appliance's key is {}{}", identity.fingerprint(), mine == null ? "" : "; new connections use it");
            }
        } catch (IOException e) {
            // Without any key check() tells whoever wants to talk; an appliance that protects nothing needs none.
            if (identity != null && !e.getMessage().equals(lastProblem)) {
                lastProblem = e.getMessage();
                LOG.error("{}; the former key stays in use", e.getMessage());
            }
        }
    }

    /**
     * The wire of a new connection.
     *
     * @param expected members that the other side may be: one if this side calls, all others if it is called
     * @param resume   called on any thread when {@link Wire#handshake} has more to do
     */
    Wire over(SocketChannel channel, boolean calling, List<String> expected, Runnable resume) throws IOException {
        Pins current = pins;
        if (!current.tls()) {
            return new Wire.Plain(channel);
        }
        Identity mine = identity;
        if (mine == null) {
            throw new IOException("this appliance has no identity; 'plover init' makes one");
        }
        try {
            return new TlsWire(channel, new PinnedTrust(current, expected), mine, calling, arithmetic, resume);
        } catch (GeneralSecurityException e) {
            throw new IOException("TLS 1.3 cannot be had from this JVM: " + e.getMessage(), e);
        }
    }

    private static Thread daemon(Runnable runnable, String name) {
        Thread thread = new Thread(runnable, name);
        thread.setDaemon(true);
        return thread;
    }
}
