package org.plover.transport.tcp;

import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.plover.api.group.Group;
import org.plover.api.group.Member;
import org.plover.api.transport.Lane;
import org.plover.api.transport.Transport;
import org.plover.api.transport.TransportListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Transport over TCP: two connections to every peer, one per lane.
 *
 * <p>Two threads, not one: a listener that needs a millisecond for a batch of pages on BULK must not delay an input or a heartbeat
 * on CONTROL, and a busy CONTROL lane must not starve the pages. The control thread also accepts, connects, shakes hands and keeps
 * the timers; the bulk thread only moves bytes. Sending happens on the caller's thread whenever the socket takes it.
 */
final class TcpTransport implements Transport {
    /** Protocol versions this code speaks. */
    record Versions(int min, int max) {
        /** 2: heartbeats say for how long nobody has answered; disks in the messages between replicas. Nothing of 1 is understood any more. */
        static final Versions CURRENT = new Versions(2, 2);
    }

    private static final Logger LOG = LoggerFactory.getLogger(TcpTransport.class);

    private static final String IN_THE_CLEAR = "members talk in the clear and believe whoever calls (security=none in " + Peers.PID
            + "); whoever reaches their ports can read and change the guest";

    private volatile Group group;
    private final long incarnation;
    private final TransportListener listener;
    private final Supplier<Settings> settings;
    private final Peers trust;
    private final Runnable onPinsChanged = this::pinsChanged;
    private final Versions versions;
    private final Consumer<TcpTransport> onClose;
    private final long instance = new SecureRandom().nextLong();
    private final ChunkPool pool = new ChunkPool();
    private final Problems problems;
    private final Peer[] peers = new Peer[Group.SIZE];
    private final Reception reception;
    private final Loop controlLoop;
    private final Loop bulkLoop;
    private volatile boolean closed;
    private boolean released;
    private long lastSession;
    private long lastTickNanos = System.nanoTime();

    TcpTransport(Group group, long incarnation, TransportListener listener, Supplier<Settings> settings, Peers trust,
                 Versions versions, Consumer<TcpTransport> onClose) throws IOException {
        this.group = group;
        this.incarnation = incarnation;
        this.listener = listener;
        this.settings = settings;
        this.trust = trust;
        trust.check();
        this.versions = versions;
        this.onClose = onClose;
        this.problems = new Problems(LOG, "group " + group.name() + ": ");
        this.reception = Reception.open(this);
        Loop control = null;
        Loop bulk = null;
        try {
            String name = "plover-transport-" + group.name() + "-" + group.me().name();
            control = new Loop(name + "-control", () -> settings.get().tickMillis(), () -> settings.get().busyPollNanos(), this::tick);
            bulk = new Loop(name + "-bulk", () -> TimeUnit.SECONDS.toMillis(1), () -> 0, now -> { });
            controlLoop = control;
            bulkLoop = bulk;
            for (int i = 0; i < peers.length; i++) {
                peers[i] = i == group.self() ? null : new Peer(this, group.member(i));
            }
            reception.start();
        } catch (IOException | RuntimeException | Error e) {
            reception.close();
            if (control != null) {
                control.discard();
            }
            if (bulk != null) {
                bulk.discard();
            }
            throw e;
        }
        LOG.info("group {}: member '{}' listens at {}:{}", group.name(), group.me().name(),
                settings.get().listenHost().isEmpty() ? group.me().host() : settings.get().listenHost(), group.me().port());
        if (!trust.pins().tls()) {
            LOG.warn("group {}: {}", group.name(), IN_THE_CLEAR);
        }
        bulkLoop.start();
        controlLoop.start();
        trust.whenChanged(onPinsChanged);
    }

    // ------------------------------------------------------------------ Transport

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException if the message is longer than {@link #MESSAGE_BYTES_MAX} or the member is no other member
     */
    @Override
    public boolean send(int member, Lane lane, ByteBuffer... parts) {
        long bytes = 0;
        for (ByteBuffer part : parts) {
            bytes += part.remaining();
        }
        if (bytes > MESSAGE_BYTES_MAX) {
            throw new IllegalArgumentException("a message of " + bytes + " bytes exceeds the limit of " + MESSAGE_BYTES_MAX);
        }
        LaneLink link = peer(member).link(lane);
        return link != null && link.send(parts, (int) bytes, settings.get().queueBytesMax(lane));
    }

    @Override
    public boolean isConnected(int member) {
        return peer(member).isConnected();
    }

    @Override
    public long queuedBytes(int member, Lane lane) {
        LaneLink link = peer(member).link(lane);
        return link == null ? 0 : link.queuedBytes();
    }

    @Override
    public long roundTripMicros(int member) {
        LaneLink link = peer(member).link(Lane.CONTROL);
        return link == null ? -1 : link.roundTripMicros();
    }

    @Override
    public void readdress(Group next) {
        for (Member now : group.members()) {
            Member then = next.member(now.index());
            boolean moves = now.index() != group.self();
            if (!next.name().equals(group.name()) || next.self() != group.self() || !then.name().equals(now.name())
                    || then.kind() != now.kind() || !moves && !then.equals(now)) {
                throw new IllegalArgumentException("group " + group.name() + ": only addresses of other members can change while it runs, "
                        + next.fingerprint() + " differs in more from " + group.fingerprint());
            }
        }
        group = next;
        for (Peer peer : peers) {
            if (peer != null) {
                controlLoop.execute(() -> peer.readdress(next));
            }
        }
    }

    @Override
    public List<String> notes() {
        if (!trust.pins().tls()) {
            return List.of(IN_THE_CLEAR);
        }
        List<String> notes = new ArrayList<>();
        List<String> unknown = group.members().stream().filter(m -> m.index() != group.self() && !isKnown(m)).map(Member::name).toList();
        if (!unknown.isEmpty()) {
            notes.add("no key is pinned for " + String.join(" and ", unknown) + ": no connection; add what 'plover identity' prints there to pins in "
                    + Peers.PID);
        }
        String mine = trust.fingerprint();
        if (trust.pins().knows(group.me().name()) && !trust.pins().allows(group.me().name(), mine)) {
            notes.add("this member's key " + mine + " is not among the pins of " + group.me().name() + " in " + Peers.PID
                    + "; where the others have the same pins they refuse it");
        }
        return List.copyOf(notes);
    }

    /** {@inheritDoc} May be called from a listener method; then that call is the last one. */
    @Override
    public void close() {
        closed = true;
        trust.forget(onPinsChanged);
        controlLoop.stop();
        bulkLoop.stop();
        controlLoop.awaitQuiet();
        bulkLoop.awaitQuiet();
        synchronized (this) {
            if (released) {
                return;
            }
            released = true;
            for (Peer peer : peers) {
                if (peer != null) {
                    peer.close();
                }
            }
            try {
                reception.close();
            } catch (IOException e) {
                LOG.warn("group {}: closing the listening socket: {}", group.name(), e.toString());
            }
        }
        onClose.accept(this);
    }

    // ------------------------------------------------------------------ for the parts

    Group group() {
        return group;
    }

    TransportListener listener() {
        return listener;
    }

    Settings settings() {
        return settings.get();
    }

    /** The wire to a member that this side calls. */
    Wire overCalled(SocketChannel channel, Member member, Runnable resume) throws IOException {
        return trust.over(channel, true, List.of(member.name()), resume);
    }

    /** The wire to a caller, who may be any other member. */
    Wire overCaller(SocketChannel channel, Runnable resume) throws IOException {
        return trust.over(channel, false, group.members().stream().filter(m -> m.index() != group.self()).map(Member::name).toList(), resume);
    }

    /** Whether a connection to the member is possible at all. */
    boolean isKnown(Member member) {
        return !trust.pins().tls() || trust.pins().knows(member.name());
    }

    /** Why the key that a caller has shown is not that of the member that it says it is; null if it is. */
    Refusal doubt(int from, String key) {
        Member member = group.member(from);
        if (!trust.pins().tls() || key != null && trust.pins().allows(member.name(), key)) {
            return null;
        }
        return new Refusal(Refusal.Code.OTHER, "whoever says it is member '" + member.name() + "' has the key " + key
                + ", which is not pinned for that name in " + Peers.PID + " of member '" + group.me().name() + "'");
    }

    private void pinsChanged() {
        for (Peer peer : peers) {
            if (peer != null) {
                controlLoop.execute(peer::onPinsChanged);
            }
        }
    }

    ChunkPool pool() {
        return pool;
    }

    Problems problems() {
        return problems;
    }

    Loop controlLoop() {
        return controlLoop;
    }

    Loop bulkLoop() {
        return bulkLoop;
    }

    boolean isOpen() {
        return !closed;
    }

    Peer peer(int member) {
        if (member < 0 || member >= peers.length || peers[member] == null) {
            throw new IllegalArgumentException("group " + group.name() + ": there is no other member " + member);
        }
        return peers[member];
    }

    /** What this member says of itself in a handshake. */
    Hello hello(Lane lane, int to, long session) {
        return new Hello(versions.min(), versions.max(), lane, group.self(), to, incarnation, instance, session, group.me().name(),
                group.name(), group.fingerprint());
    }

    /** Rises with every call; control loop only. */
    long nextSession() {
        return ++lastSession;
    }

    /** @param lane null while it is not known */
    void prepare(SocketChannel channel, Lane lane) throws IOException {
        channel.configureBlocking(false);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.setOption(StandardSocketOptions.SO_KEEPALIVE, false);
        setBulkBuffers(channel, lane);
    }

    /**
     * Fixed sizes only on demand: setting one turns off the kernel's own tuning, which grows to several megabytes, while a fixed
     * size is cut to net.core.rmem_max and wmem_max, 208 KiB where nobody raised them.
     */
    void setBulkBuffers(SocketChannel channel, Lane lane) {
        int bytes = settings.get().bulkSocketBytes();
        if (lane != Lane.BULK || bytes == 0) {
            return;
        }
        try {
            channel.setOption(StandardSocketOptions.SO_SNDBUF, bytes);
            channel.setOption(StandardSocketOptions.SO_RCVBUF, bytes);
        } catch (IOException e) {
            problems.say("buffers", "socket buffers of " + bytes + " bytes cannot be set: " + LaneLink.describe(e));
        }
    }

    /** Whether the control loop itself has not run lately. Control loop only. */
    boolean isBehind(long now) {
        Settings s = settings.get();
        return now - lastTickNanos > TimeUnit.MILLISECONDS.toNanos(s.tickMillis()) + s.silenceNanos() / 4;
    }

    private void tick(long now) {
        Settings s = settings.get();
        // Between two ticks this thread was held up, by the JVM or the host or a listener: whoever spoke meanwhile may not have
        // been heard, so nobody is judged by that time.
        long gap = now - lastTickNanos;
        boolean wasPaused = isBehind(now);
        lastTickNanos = now;
        if (wasPaused) {
            LOG.info("group {}: the transport's own thread did not run for {} ms; peers get another {} ms to be heard",
                    group.name(), TimeUnit.NANOSECONDS.toMillis(gap), s.silenceMillis());
        }
        for (Peer peer : peers) {
            if (peer != null && !closed) {
                peer.tick(now, wasPaused);
            }
        }
        reception.tick(now);
    }
}
