package org.plover.transport.tcp;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import org.plover.api.group.Group;
import org.plover.api.group.Member;

/** The listening socket, and callers until it is known which member they are. Lives on the control loop. */
final class Reception implements Loop.Ready, Handshake.Owner {
    /** Callers that have not said who they are; more than this and one goes. */
    private static final int UNKNOWN_MAX = 16;
    private static final long ACCEPT_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final TcpTransport transport;
    private final ServerSocketChannel server;
    private final ArrayDeque<Handshake> unknown = new ArrayDeque<>();
    private SelectionKey key;
    private boolean acceptPaused;
    private long acceptAgainNanos;

    private Reception(TcpTransport transport, ServerSocketChannel server) {
        this.transport = transport;
        this.server = server;
    }

    /** Listens; nothing is accepted before {@link #start}. */
    static Reception open(TcpTransport transport) throws IOException {
        Member me = transport.group().me();
        String host = transport.settings().listenHost().isEmpty() ? me.host() : transport.settings().listenHost();
        InetSocketAddress address = new InetSocketAddress(host, me.port());
        String what = "group " + transport.group().name() + ": member '" + me.name() + "' cannot listen at " + host + ":" + me.port();
        if (address.isUnresolved()) {
            throw new IOException(what + ": the name cannot be resolved; correct it or the name service");
        }
        ServerSocketChannel server = ServerSocketChannel.open();
        try {
            server.configureBlocking(false);
            // A member that restarts must not wait for the connections of its former life to time out.
            server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            if (transport.settings().bulkSocketBytes() > 0) {
                // The window's scale is fixed while connecting, so accepted sockets must inherit the size.
                server.setOption(StandardSocketOptions.SO_RCVBUF, transport.settings().bulkSocketBytes());
            }
            server.bind(address);
            return new Reception(transport, server);
        } catch (IOException e) {
            server.close();
            throw new IOException(what + ": " + LaneLink.describe(e) + "; " + remedy(e, me.port()), e);
        }
    }

    private static String remedy(IOException e, int port) {
        String text = LaneLink.describe(e);
        if (text.contains("in use")) {
            return "another process has the port: see `ss -ltnp 'sport = :" + port + "'`, stop it or choose another port";
        }
        if (text.contains("assign")) {
            return "the address is not of this host: see `ip address`, correct the member's host or set listenHost";
        }
        if (text.contains("denied")) {
            return "ports below 1024 need CAP_NET_BIND_SERVICE: choose a higher port";
        }
        return "correct the member's host and port, or set listenHost";
    }

    void start() throws IOException {
        key = server.register(transport.controlLoop().selector(), SelectionKey.OP_ACCEPT, this);
    }

    void tick(long now) {
        for (Iterator<Handshake> all = unknown.iterator(); all.hasNext();) {
            Handshake handshake = all.next();
            handshake.expire(now);
            if (handshake.isOver()) {
                all.remove();
            }
        }
        if (acceptPaused && now - acceptAgainNanos >= 0) {
            acceptPaused = false;
            key.interestOps(SelectionKey.OP_ACCEPT);
        }
    }

    void close() throws IOException {
        unknown.forEach(Handshake::close);
        unknown.clear();
        server.close();
    }

    @Override
    public void onReady(SelectionKey ready) {
        try {
            for (SocketChannel channel = server.accept(); channel != null; channel = server.accept()) {
                receive(channel);
            }
        } catch (IOException e) {
            // Out of file descriptors, most likely. The caller stays in the backlog, so without a pause this would spin.
            transport.problems().say("accept", "cannot accept connections: " + LaneLink.describe(e)
                    + " (trying again every second); see `ulimit -n`");
            acceptPaused = true;
            acceptAgainNanos = System.nanoTime() + ACCEPT_PAUSE_NANOS;
            ready.interestOps(0);
        }
    }

    private void receive(SocketChannel channel) throws IOException {
        String host = ((InetSocketAddress) channel.getRemoteAddress()).getAddress().getHostAddress();
        try {
            transport.prepare(channel, null);
            unknown.addLast(Handshake.answer(this, transport.controlLoop(), channel, transport::overCaller, host,
                    transport.settings().handshakeMillisMax()));
        } catch (IOException e) {
            channel.close();
            transport.problems().say("caller " + host, "a connection from " + host + " failed: " + LaneLink.describe(e));
        }
        if (unknown.size() > UNKNOWN_MAX) {
            Handshake least = oldestOfTheMostNumerous();
            unknown.remove(least);
            least.close();
        }
    }

    /** So that whoever calls very often shuts out itself before it shuts out a member. */
    private Handshake oldestOfTheMostNumerous() {
        Handshake chosen = null;
        long most = 0;
        for (Handshake one : unknown) {
            long calls = unknown.stream().filter(other -> other.where().equals(one.where())).count();
            if (calls > most) {
                most = calls;
                chosen = one;
            }
        }
        return chosen;
    }

    @Override
    public void onHello(Handshake handshake, Hello theirs) {
        Group group = transport.group();
        Hello mine = transport.hello(theirs.lane(), theirs.from(), theirs.session());
        Refusal refusal = Hello.judge(group, mine, theirs, handshake.where());
        if (refusal == null && (theirs.from() < 0 || theirs.from() > group.self())) {
            refusal = new Refusal(Refusal.Code.OTHER, "member #" + theirs.from() + " at " + handshake.where() + " called member '"
                    + mine.name() + "', but the member with the lower index calls; this is a fault of that program");
        }
        if (refusal == null) {
            refusal = transport.doubt(theirs.from(), handshake.wire().peerKey());
        }
        if (refusal != null) {
            transport.problems().say("caller " + handshake.where() + " " + refusal.code(), "refused a call: " + refusal.text());
            handshake.refuse(refusal, mine);
            return;
        }
        unknown.remove(handshake);
        handshake.passTo(transport.peer(theirs.from()));
        transport.setBulkBuffers(handshake.channel(), theirs.lane());
        transport.peer(theirs.from()).onHello(handshake, theirs);
    }

    @Override
    public void onWelcome(Handshake handshake, Hello theirs) {
        throw new IllegalStateException("a caller from " + handshake.where() + " was taken for the called side");
    }

    @Override
    public void onReady(Handshake handshake) {
        throw new IllegalStateException("a caller from " + handshake.where() + " was agreed on before it was known");
    }

    @Override
    public void onRefused(Handshake handshake, Refusal refusal) {
        throw new IllegalStateException("a caller from " + handshake.where() + " refused before it was known");
    }

    @Override
    public void onFailed(Handshake handshake, String reason) {
        transport.problems().say("caller " + handshake.where(), "dropped a connection from " + handshake.where() + ": " + reason);
    }
}
