package org.plover.transport.tcp;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import org.plover.api.group.Group;
import org.plover.api.group.Member;
import org.plover.api.group.MemberKind;
import org.plover.api.identity.Identity;
import org.plover.api.transport.TransportListener;

/**
 * Addresses and transports of a group in one process. Each member has a loopback address of its own, drawn at random, so that
 * tests need no free ports and do not meet each other.
 */
final class Trio implements AutoCloseable {
    /** What a test is run over. */
    enum Security { PLAIN, TLS }

    static final int PORT = 7400;
    static final Settings QUICK = settings(20, 10_000);

    final String name = "trio";
    private final String net = "127." + ThreadLocalRandom.current().nextInt(1, 255) + "." + ThreadLocalRandom.current().nextInt(255);
    private final List<TcpTransport> opened = new ArrayList<>();
    private final List<FaultyLink> links = new ArrayList<>();
    private final Keys keys;

    Trio(Security security) throws IOException {
        keys = security == Security.TLS ? new Keys() : null;
    }

    /** Whom that member believes, and who it is. */
    Peers peers(int self) {
        return keys == null ? Keys.plain() : keys.peers(self);
    }

    /** A connection to a member, as another member makes it. */
    Socket socket(int self, int member) throws IOException {
        if (keys == null) {
            return new Socket(host(member), PORT);
        }
        try {
            SSLContext context = SSLContext.getInstance("TLSv1.3");
            context.init(Identity.load(keys.home(self)).managers(), new TrustManager[] {new PinnedTrust(peers(self).pins(), Keys.MEMBERS)}, null);
            return context.getSocketFactory().createSocket(host(member), PORT);
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
    }

    /** The members' keys; null without TLS. */
    Keys keys() {
        return keys;
    }

    static Settings settings(int heartbeatMillis, int silenceMillis) {
        return new Settings(heartbeatMillis, silenceMillis, silenceMillis, 10, 50, 3_000, 8 << 20, 32 << 20, 0, 0, "");
    }

    static Settings at(Settings s, String listenHost) {
        return new Settings(s.heartbeatMillis(), s.silenceMillis(), s.silenceMillisMax(), s.reconnectMillisMin(), s.reconnectMillisMax(),
                s.handshakeMillisMax(), s.controlQueueBytesMax(), s.bulkQueueBytesMax(), s.busyPollMicros(), s.bulkSocketBytes(),
                listenHost);
    }

    static Settings queue(Settings s, long bytesMax) {
        return new Settings(s.heartbeatMillis(), s.silenceMillis(), s.silenceMillisMax(), s.reconnectMillisMin(), s.reconnectMillisMax(),
                s.handshakeMillisMax(), bytesMax, bytesMax, s.busyPollMicros(), s.bulkSocketBytes(), s.listenHost());
    }

    /** The address in the member list. */
    String host(int member) {
        return net + "." + (member + 1);
    }

    /** Where a member behind a {@link FaultyLink} really listens. */
    String hiddenHost(int member) {
        return net + "." + (member + 101);
    }

    Group group(int self) {
        return new Group(name, self, List.of(
                new Member(0, "ann", MemberKind.REPLICA, host(0), PORT),
                new Member(1, "bob", MemberKind.REPLICA, host(1), PORT),
                new Member(2, "wit", MemberKind.WITNESS, host(2), PORT)));
    }

    TcpTransport open(int self, TransportListener listener, Settings settings) throws IOException {
        return open(group(self), listener, settings, TcpTransport.Versions.CURRENT);
    }

    TcpTransport open(Group group, TransportListener listener, Settings settings, TcpTransport.Versions versions) throws IOException {
        TcpTransport transport = new TcpTransport(group, 1_000 + group.self(), listener, () -> settings, peers(group.self()), versions, closed -> { });
        opened.add(transport);
        return transport;
    }

    /** Puts a proxy at the member's address; the member has to listen at {@link #hiddenHost}. */
    FaultyLink faultyLinkTo(int member) throws IOException {
        FaultyLink link = new FaultyLink(new InetSocketAddress(host(member), PORT), new InetSocketAddress(hiddenHost(member), PORT));
        links.add(link);
        return link;
    }

    @Override
    public void close() throws IOException {
        for (FaultyLink link : links) {
            link.close();
        }
        opened.forEach(TcpTransport::close);
        if (keys != null) {
            keys.close();
        }
    }
}
