package org.plover.benchmarks.transport;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.plover.api.group.Group;
import org.plover.api.group.Member;
import org.plover.api.group.MemberKind;
import org.plover.api.transport.TransportProvider;
import org.plover.benchmarks.Defaults;
import org.plover.benchmarks.Latencies;
import org.plover.benchmarks.Suite;
import org.plover.transport.tcp.TcpTransportConfig;
import org.plover.transport.tcp.TcpTransportProvider;

/** What the transport adds to a round trip over TCP. No JMH: a round trip is long enough for a clock, and its tail matters. */
public final class TransportSuite implements Suite {
    private static final int MESSAGE_BYTES = 200;
    private static final int ROUND_TRIPS = 20_000;
    private static final int WARMUP_ROUNDS = 3;
    private static final int ROUNDS = 5;
    private static final int BUSY_POLL_MICROS = 200;
    /** Both ends poll, the machine does other things too; with fewer cores the scheduler would be measured. */
    private static final int POLLING_CORES_MIN = 4;
    private static final int PORT = 7410;

    @Override
    public String name() {
        return "transport";
    }

    @Override
    public String question() {
        return "what does the transport add to a round trip over bare TCP?";
    }

    @Override
    public void run(PrintStream out) {
        Map<String, PingPong> ways = new LinkedHashMap<>();
        Map<String, long[]> nanos = new LinkedHashMap<>();
        try {
            try {
                ways.put("bare TCP", new BareTcpPingPong(
                        BareTcpPingPong.echo(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), MESSAGE_BYTES), MESSAGE_BYTES));
                ways.put("tcp", new TransportPingPong(provider(0), group("plain", 1), MESSAGE_BYTES));
                if (Runtime.getRuntime().availableProcessors() >= POLLING_CORES_MIN) {
                    ways.put("tcp, polling", new TransportPingPong(provider(BUSY_POLL_MICROS), group("polling", 2), MESSAGE_BYTES));
                } else {
                    out.printf("%nbusy polling is left out: two ends that poll need %d cores%n", POLLING_CORES_MIN);
                }
                for (String way : ways.keySet()) {
                    nanos.put(way, new long[ROUNDS * ROUND_TRIPS]);
                }
                measure(ways, nanos);
            } finally {
                for (PingPong way : ways.values()) {
                    way.close();
                }
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException("the transport benchmark failed: " + e.getMessage(), e);
        }
        out.printf("%n%d round trips of %d bytes on loopback, one at a time%n", ROUNDS * ROUND_TRIPS, MESSAGE_BYTES);
        Latencies.print(out, nanos, "bare TCP");
    }

    /** In turns, so that whatever else the machine does meets all of them. */
    private static void measure(Map<String, PingPong> ways, Map<String, long[]> nanos) throws IOException, InterruptedException {
        long[] some = new long[ROUND_TRIPS];
        for (int round = -WARMUP_ROUNDS; round < ROUNDS; round++) {
            for (Map.Entry<String, PingPong> way : ways.entrySet()) {
                way.getValue().run(some);
                if (round >= 0) {
                    System.arraycopy(some, 0, nanos.get(way.getKey()), round * ROUND_TRIPS, ROUND_TRIPS);
                }
            }
        }
    }

    private static TransportProvider provider(int busyPollMicros) {
        return new TcpTransportProvider(Defaults.of(TcpTransportConfig.class,
                Map.of("busyPollMicros", busyPollMicros, "silenceMillis", 60_000)));
    }

    /** A group on loopback addresses of its own; its witness is never there. */
    private static Group group(String name, int net) {
        String prefix = "127.74.10" + net + ".";
        return new Group(name, 0, List.of(
                new Member(0, "a", MemberKind.REPLICA, prefix + 1, PORT),
                new Member(1, "b", MemberKind.REPLICA, prefix + 2, PORT),
                new Member(2, "w", MemberKind.WITNESS, prefix + 3, PORT)));
    }
}
