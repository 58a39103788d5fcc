package org.plover.benchmarks.consensus;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.plover.api.group.Group;
import org.plover.api.group.Member;
import org.plover.api.group.MemberKind;
import org.plover.api.transport.TransportProvider;
import org.plover.benchmarks.Defaults;
import org.plover.benchmarks.transport.BareTcpPingPong;
import org.plover.benchmarks.transport.PingPong;
import org.plover.consensus.paxos.PaxosProvider;
import org.plover.replication.MemberLoop;
import org.plover.transport.tcp.Peers;
import org.plover.transport.tcp.PeersConfig;
import org.plover.transport.tcp.TcpTransportConfig;
import org.plover.transport.tcp.TcpTransportProvider;

/** The process of one member. The leader ends by itself when all is measured, the others when their standard input ends. */
final class MemberMain {
    static final int LEADER = 0;
    static final int BACKUP = 1;
    static final int WITNESS = 2;
    private static final int PORT = 7410;
    private static final int ECHO_PORT = 7411;

    private MemberMain() {}

    /** Arguments: index of the member, and a directory that it shares with the others for what it measures. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        int self = Integer.parseInt(arguments[0]);
        Path results = Path.of(arguments[1]);
        Path storage = Files.createDirectories(results.resolve("member-" + self));
        Group group = group(self);
        switch (self) {
            case LEADER -> {
                endWithInput();
                lead(group, storage, results);
            }
            case BACKUP -> {
                try (BackupLoop loop = new BackupLoop(group, storage, new PaxosProvider())) {
                    loop.start(group, transport());
                    awaitEndOfInput();
                    loop.write(results);
                }
            }
            default -> {
                BareTcpPingPong.echo(new InetSocketAddress(Lab.address(WITNESS), ECHO_PORT), Way.MESSAGE_BYTES);
                try (MemberLoop loop = new FollowerLoop(group, storage, new PaxosProvider())) {
                    loop.start(group, transport());
                    awaitEndOfInput();
                }
            }
        }
        System.exit(0);
    }

    private static void lead(Group group, Path storage, Path results) throws IOException, InterruptedException {
        long[][] nanos = new long[Way.values().length][Way.ROUNDS * Way.ROUND_TRIPS];
        long[] some = new long[Way.ROUND_TRIPS];
        try (LeaderLoop loop = new LeaderLoop(group, storage, new PaxosProvider())) {
            loop.start(group, transport());
            loop.awaitBackup();
            // the witness is part of the group, so its process listens
            try (PingPong bare = new BareTcpPingPong(new InetSocketAddress(Lab.address(WITNESS), ECHO_PORT), Way.MESSAGE_BYTES)) {
                for (int round = -Way.WARMUP_ROUNDS; round < Way.ROUNDS; round++) {
                    // in turns, so that whatever else the machine does meets all of them
                    for (Way way : Way.values()) {
                        if (way == Way.BARE) {
                            bare.run(some);
                        } else {
                            loop.run(way, round >= 0, some);
                        }
                        if (round >= 0) {
                            System.arraycopy(some, 0, nanos[way.ordinal()], round * Way.ROUND_TRIPS, Way.ROUND_TRIPS);
                        }
                    }
                }
            }
        }
        for (Way way : Way.values()) {
            way.write(results, "leader", nanos[way.ordinal()]);
        }
    }

    private static TransportProvider transport() {
        return new TcpTransportProvider(Defaults.of(TcpTransportConfig.class, Map.of("silenceMillis", 60_000)),
                new Peers(Defaults.of(PeersConfig.class, Map.of("security", PeersConfig.NONE)), Path.of(".")));
    }

    private static Group group(int self) {
        return new Group("bench", self, List.of(
                new Member(LEADER, "a", MemberKind.REPLICA, Lab.address(LEADER), PORT),
                new Member(BACKUP, "b", MemberKind.REPLICA, Lab.address(BACKUP), PORT),
                new Member(WITNESS, "w", MemberKind.WITNESS, Lab.address(WITNESS), PORT)));
    }

    /** So that no member outlives the suite, whatever ends that. */
    private static void endWithInput() {
        Thread thread = new Thread(() -> {
            try {
                awaitEndOfInput();
                fail("the suite is gone", null);
            } catch (IOException e) {
                fail("the suite is gone", e);
            }
        }, "end-with-input");
        thread.setDaemon(true);
        thread.start();
    }

    private static void awaitEndOfInput() throws IOException {
        while (System.in.read() >= 0) {
            // nothing is ever written to it
        }
    }

    /** Ends this process. */
    static void fail(String what, Throwable cause) {
        System.err.println(what);
        if (cause != null) {
            cause.printStackTrace();
        }
        Runtime.getRuntime().halt(1);
    }
}
