package org.plover.transport.tcp;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.plover.api.group.Group;
import org.plover.api.group.Member;
import org.plover.api.transport.Lane;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The link to one other member: calls it or is called, holds its two lanes, notices its silence. All of it happens on the control
 * loop except sending and what arrives on BULK.
 *
 * <p>Of two members the one with the lower index calls, so there is never a race of two links; the called one keeps the newest
 * attempt only.
 */
final class Peer implements Handshake.Owner {
    /** Where the link stands. */
    private enum State {
        /** No link; the listener knows. Calling or being called. Left when both lanes have been agreed on. */
        DOWN,
        /** Both lanes carry messages; the listener knows. Left at the first fault of either. */
        UP,
        /** The lanes are being closed. Left when the BULK loop has let go, so that no message follows the disconnection. */
        CLOSING
    }

    /** Two connections of one attempt. */
    private static final class Attempt {
        final long session;
        final Handshake[] lanes = new Handshake[Lane.values().length];
        final Hello[] theirs = new Hello[Lane.values().length];
        final boolean[] agreed = new boolean[Lane.values().length];

        Attempt(long session) {
            this.session = session;
        }

        boolean isAgreed() {
            return agreed[0] && agreed[1];
        }

        void close() {
            for (Handshake lane : lanes) {
                if (lane != null) {
                    lane.close();
                }
            }
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(Peer.class);

    private final TcpTransport transport;
    private volatile Member member;
    private final boolean calling;
    private final Backoff backoff = new Backoff(new SplittableRandom());
    private final Gaps gaps = new Gaps();
    private final Inbox[] inboxes = {new Inbox(Lane.CONTROL), new Inbox(Lane.BULK)};
    private volatile State state = State.DOWN;
    private volatile LaneLink control;
    private volatile LaneLink bulk;
    /** Of the process at the other end of the link that is up. */
    private long instance;
    private long session;
    private long upSinceNanos;
    private Attempt attempt;
    private boolean resolving;
    private long nextCallNanos = System.nanoTime();

    Peer(TcpTransport transport, Member member) {
        this.transport = transport;
        this.member = member;
        this.calling = transport.group().self() < member.index();
    }

    // ------------------------------------------------------------------ any thread

    boolean isConnected() {
        return state == State.UP;
    }

    boolean isOpen() {
        return transport.isOpen();
    }

    /** The lane, or null while the peer is not connected. */
    LaneLink link(Lane lane) {
        return lane == Lane.CONTROL ? control : bulk;
    }

    long queueBytesMax(Lane lane) {
        return transport.settings().queueBytesMax(lane);
    }

    /** Hands a message to the listener, on the lane's loop. */
    void deliver(Lane lane, ByteBuffer bytes) {
        transport.listener().onMessage(member.index(), lane, bytes);
    }

    /** The peer was heard again after so long. Control loop. */
    void onHeardAfter(long gapNanos, long now) {
        if (gapNanos > transport.settings().silenceNanos() / 4 && !transport.isBehind(now)) {
            gaps.add(gapNanos, now);
        }
    }

    /** A lane is of no use any more. */
    void onLinkFault(LaneLink link, String reason) {
        transport.controlLoop().execute(() -> breakLink(link, reason));
    }

    @Override
    public String toString() {
        return "member '" + member.name() + "' (" + member.host() + ":" + member.port() + ")";
    }

    // ------------------------------------------------------------------ control loop: link

    /** @param wasPaused whether this process itself did not run for a while, so that nobody could be heard */
    void tick(long now, boolean wasPaused) {
        Settings settings = transport.settings();
        LaneLink link = control;
        if (link != null) {
            if (wasPaused) {
                link.forgiveSilence(now);
            }
            link.heartbeat(now, settings.heartbeatNanos(), settings.controlQueueBytesMax());
            long silence = link.silenceNanos(now);
            if (silence > gaps.silenceNanosMax(settings)) {
                breakLink(link, "silent for " + TimeUnit.NANOSECONDS.toMillis(silence) + " ms");
            }
        }
        Attempt current = attempt;
        if (current != null) {
            for (Handshake lane : current.lanes) {
                if (lane != null) {
                    lane.expire(now);
                }
            }
        } else if (calling && state == State.DOWN && !resolving && now - nextCallNanos >= 0) {
            call();
        }
    }

    private void establish() {
        Attempt a = attempt;
        attempt = null;
        Hello theirs = a.theirs[0];
        LaneLink[] links = new LaneLink[a.lanes.length];
        for (Lane lane : Lane.values()) {
            Handshake handshake = a.lanes[lane.ordinal()];
            handshake.handOn(lane);
            links[lane.ordinal()] = new LaneLink(this, lane, handshake.channel(), handshake.wire(), inboxes[lane.ordinal()],
                    transport.pool());
            if (calling) {
                links[lane.ordinal()].sendReady(handshake.calling().encodeReady());
            }
        }
        instance = theirs.instance();
        session = a.session;
        upSinceNanos = System.nanoTime();
        LaneLink c = links[Lane.CONTROL.ordinal()];
        LaneLink b = links[Lane.BULK.ordinal()];
        control = c;
        bulk = b;
        state = State.UP;
        transport.problems().over(about());
        String key = a.lanes[0].wire().peerKey();
        LOG.info("group {}: connected to {}{}", transport.group().name(), this, key == null ? "" : ", TLS 1.3, key " + key);
        try {
            transport.listener().onConnected(member.index(), theirs.incarnation());
        } catch (RuntimeException | Error e) {
            LOG.error("group {}: the listener failed on the connection to {}; the link is closed and built anew",
                    transport.group().name(), this, e);
            breakLink(c, "the listener failed on the connection: " + e);
            return;
        }
        if (transport.isOpen()) {
            c.start(transport.controlLoop());
            transport.bulkLoop().execute(() -> b.start(transport.bulkLoop()));
        }
    }

    private void breakLink(LaneLink link, String reason) {
        LaneLink c = control;
        LaneLink b = bulk;
        if (state != State.UP || link != c && link != b) {
            return;
        }
        state = State.CLOSING;
        control = null;
        bulk = null;
        b.playDead();
        c.close();
        LOG.warn("group {}: lost {}: {}", transport.group().name(), this, reason);
        transport.bulkLoop().execute(() -> {
            b.close();
            transport.controlLoop().execute(() -> onReleased(reason));
        });
    }

    private void onReleased(String reason) {
        state = State.DOWN;
        long now = System.nanoTime();
        Settings settings = transport.settings();
        if (now - upSinceNanos > TimeUnit.MILLISECONDS.toNanos(settings.reconnectMillisMax())) {
            backoff.reset();
        }
        nextCallNanos = now + backoff.nextNanos(settings);
        if (!transport.isOpen()) {
            return;
        }
        try {
            transport.listener().onDisconnected(member.index(), reason);
        } catch (RuntimeException | Error e) {
            LOG.error("group {}: the listener failed on the loss of {}", transport.group().name(), this, e);
        }
        if (transport.isOpen() && attempt != null && attempt.isAgreed()) {
            establish();
        }
    }

    /** Closes what is open. When both loops have ended. */
    void close() {
        if (attempt != null) {
            attempt.close();
            attempt = null;
        }
        for (LaneLink link : new LaneLink[] {control, bulk}) {
            if (link != null) {
                link.close();
            }
        }
        control = null;
        bulk = null;
        state = State.DOWN;
    }

    /** Other pins are in force. Only a member that has none left loses its link: while keys are changed nothing is to be lost. */
    void onPinsChanged() {
        if (transport.isKnown(member)) {
            nextCallNanos = System.nanoTime();
        } else if (control != null) {
            breakLink(control, "no key of it is pinned any more");
        }
    }

    // ------------------------------------------------------------------ control loop: calling

    /** The member is to be found elsewhere; whoever speaks from the old place is not it any more. */
    void readdress(Group next) {
        Member moved = next.member(member.index());
        if (moved.equals(member)) {
            return;
        }
        LOG.info("group {}: {} is at {}:{} from now on", next.name(), this, moved.host(), moved.port());
        member = moved;
        if (attempt != null) {
            abandon(attempt, "its address has changed", false);
        }
        nextCallNanos = System.nanoTime();
        if (control != null) {
            breakLink(control, "its address has changed");
        }
    }

    private void call() {
        if (!transport.isKnown(member)) {
            nextCallNanos = System.nanoTime() + backoff.slowNanos(transport.settings());
            transport.problems().say(about(), "no connection to " + this + ": no key of it is pinned; add what 'plover identity' prints there"
                    + " to pins in " + Peers.PID);
            return;
        }
        if (isLiteral(member.host())) {
            connect(new InetSocketAddress(member.host(), member.port()));
            return;
        }
        // A name server that does not answer would stop the heartbeats to everybody.
        resolving = true;
        Member asked = member;
        Thread resolver = new Thread(() -> {
            InetSocketAddress address = new InetSocketAddress(asked.host(), asked.port());
            transport.controlLoop().execute(() -> {
                resolving = false;
                if (asked.equals(member)) {
                    connect(address);
                }
            });
        }, "plover-resolve-" + member.name());
        resolver.setDaemon(true);
        resolver.start();
    }

    private static boolean isLiteral(String host) {
        return host.indexOf(':') >= 0 || host.chars().allMatch(c -> c == '.' || c >= '0' && c <= '9');
    }

    private void connect(InetSocketAddress address) {
        Attempt a = new Attempt(transport.nextSession());
        attempt = a;
        if (address.isUnresolved()) {
            abandon(a, "the name " + member.host() + " cannot be resolved; correct it or the name service", false);
            return;
        }
        try {
            for (Lane lane : Lane.values()) {
                SocketChannel channel = SocketChannel.open();
                try {
                    transport.prepare(channel, lane);
                    channel.connect(address);
                    a.lanes[lane.ordinal()] = Handshake.call(this, transport.controlLoop(), channel,
                            (connected, resume) -> transport.overCalled(connected, member, resume),
                            member.host() + ":" + member.port(), transport.settings().handshakeMillisMax(),
                            transport.hello(lane, member.index(), a.session));
                } catch (IOException | RuntimeException e) {
                    channel.close();
                    throw e;
                }
            }
        } catch (IOException | RuntimeException e) {
            abandon(a, LaneLink.describe(e), false);
        }
    }

    private void abandon(Attempt a, String problem, boolean slow) {
        a.close();
        if (attempt != a) {
            return;
        }
        attempt = null;
        Settings settings = transport.settings();
        nextCallNanos = System.nanoTime() + (slow ? backoff.slowNanos(settings) : backoff.nextNanos(settings));
        if (calling) {
            transport.problems().say(about(), "no connection to " + this + ": " + problem + " (trying on)");
        } else {
            LOG.debug("group {}: an attempt of {} ended: {}", transport.group().name(), this, problem);
        }
    }

    private String about() {
        return "member " + member.index();
    }

    @Override
    public void onWelcome(Handshake handshake, Hello theirs) {
        Attempt a = attempt;
        Hello mine = handshake.calling();
        if (a == null || a.lanes[mine.lane().ordinal()] != handshake) {
            handshake.close();
            return;
        }
        Refusal refusal = Hello.judge(transport.group(), mine, theirs, handshake.where());
        Hello other = a.theirs[1 - mine.lane().ordinal()];
        if (refusal == null && other != null && other.instance() != theirs.instance()) {
            refusal = new Refusal(Refusal.Code.TWICE, "two processes answer as " + this + "; stop one of them");
        }
        if (refusal != null) {
            handshake.refuse(refusal, mine);
            abandon(a, refusal.text(), true);
            return;
        }
        a.theirs[mine.lane().ordinal()] = theirs;
        a.agreed[mine.lane().ordinal()] = true;
        if (a.isAgreed()) {
            establish();
        }
    }

    @Override
    public void onRefused(Handshake handshake, Refusal refusal) {
        Attempt a = attempt;
        if (a == null || !isOf(a, handshake)) {
            return;
        }
        if (calling) {
            abandon(a, refusal.text(), true);
        } else {
            abandon(a, refusal.text(), false);
            transport.problems().say(about(), this + " called and then refused: " + refusal.text());
        }
    }

    @Override
    public void onFailed(Handshake handshake, String reason) {
        Attempt a = attempt;
        if (a != null && isOf(a, handshake)) {
            abandon(a, reason, false);
        }
    }

    private static boolean isOf(Attempt a, Handshake handshake) {
        return a.lanes[0] == handshake || a.lanes[1] == handshake;
    }

    // ------------------------------------------------------------------ control loop: being called

    /** The peer calls; {@link Hello#judge} has found nothing wrong with it. */
    @Override
    public void onHello(Handshake handshake, Hello theirs) {
        Hello mine = transport.hello(theirs.lane(), member.index(), theirs.session());
        if (state == State.UP) {
            if (theirs.instance() != instance) {
                Refusal refusal = new Refusal(Refusal.Code.TWICE, "two processes say they are " + this + ": member '"
                        + mine.name() + "' is connected to one and was called by another from " + handshake.where()
                        + "; stop one of them (a restarted member gets in once the loss of the old one has been noticed)");
                transport.problems().say("twice " + member.index(), refusal.text());
                handshake.refuse(refusal, mine);
                return;
            }
            if (theirs.session() - session <= 0) {
                handshake.close();
                return;
            }
            breakLink(control, "the peer has given up this link and calls anew");
        }
        Attempt a = attempt;
        int lane = theirs.lane().ordinal();
        if (a != null && a.session == theirs.session() && a.lanes[lane] == null) {
            Hello other = a.theirs[1 - lane];
            if (other.instance() != theirs.instance()) {
                handshake.close();
                return;
            }
        } else if (a != null && sameInstance(a, theirs) && theirs.session() - a.session <= 0) {
            // A straggler of an attempt that the peer has replaced.
            handshake.close();
            return;
        } else {
            if (a != null) {
                a.close();
            }
            a = new Attempt(theirs.session());
            attempt = a;
        }
        a.lanes[lane] = handshake;
        a.theirs[lane] = theirs;
        handshake.passTo(this);
        handshake.welcome(mine);
    }

    private static boolean sameInstance(Attempt a, Hello theirs) {
        for (Hello known : a.theirs) {
            if (known != null && known.instance() == theirs.instance()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void onReady(Handshake handshake) {
        Attempt a = attempt;
        if (a == null || !isOf(a, handshake)) {
            handshake.close();
            return;
        }
        a.agreed[a.lanes[0] == handshake ? 0 : 1] = true;
        if (a.isAgreed() && state == State.DOWN) {
            establish();
        }
    }
}
