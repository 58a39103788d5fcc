package org.plover.benchmarks.transport;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
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
import org.plover.transport.tcp.Peers;
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
    private static final int BULK_MESSAGE_BYTES = 1 << 20;
    private static final int BULK_MESSAGES = 512;
    private static final int BULK_ROUNDS = 7;

    @Override
    public String name() {
        return "transport";
    }

    @Override
    public String question() {
        return "what does the transport add to bare TCP, and TLS to the transport?";
    }

    @Override
    public void run(PrintStream out) {
        try (BenchmarkKeys keys = new BenchmarkKeys("a", "b")) {
            roundTrips(out, keys);
            bulk(out, keys);
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException("the transport benchmark failed: " + e.getMessage(), e);
        }
    }

    private static void bulk(PrintStream out, BenchmarkKeys keys) throws IOException, InterruptedException {
        Map<String, BulkStream> ways = new LinkedHashMap<>();
        Map<String, long[]> nanos = new LinkedHashMap<>();
        try {
            ways.put("bare TCP", new BareTcpBulk(BULK_MESSAGE_BYTES));
            ways.put("plain", new TransportBulk(provider(0, BenchmarkKeys.none()), provider(0, BenchmarkKeys.none()), group("bulk", 4), BULK_MESSAGE_BYTES));
            ways.put("TLS", new TransportBulk(provider(0, keys.of(0)), provider(0, keys.of(1)), group("bulktls", 5), BULK_MESSAGE_BYTES));
            for (String way : ways.keySet()) {
                nanos.put(way, new long[BULK_ROUNDS]);
            }
            for (int round = -WARMUP_ROUNDS; round < BULK_ROUNDS; round++) {
                for (Map.Entry<String, BulkStream> way : ways.entrySet()) {
                    long took = way.getValue().run(BULK_MESSAGES);
                    if (round >= 0) {
                        nanos.get(way.getKey())[round] = took;
                    }
                }
            }
        } finally {
            for (BulkStream way : ways.values()) {
                way.close();
            }
        }
        out.printf("%n%d rounds of %d messages of %d KiB on the BULK lane, from one thread%n", BULK_ROUNDS, BULK_MESSAGES, BULK_MESSAGE_BYTES >> 10);
        out.printf("%-12s %12s %12s %14s%n", "", "MiB/s", "slowest", "of bare");
        nanos.values().forEach(Arrays::sort);
        double bare = speed(nanos.get("bare TCP")[BULK_ROUNDS / 2]);
        nanos.forEach((way, sorted) -> out.printf("%-12s %12.0f %12.0f %13.2fx%n", way, speed(sorted[BULK_ROUNDS / 2]), speed(sorted[BULK_ROUNDS - 1]),
                speed(sorted[BULK_ROUNDS / 2]) / bare));
    }

    private static double speed(long nanos) {
        return (double) BULK_MESSAGES * BULK_MESSAGE_BYTES / (1 << 20) / (nanos / 1e9);
    }

    private static void roundTrips(PrintStream out, BenchmarkKeys keys) throws IOException, InterruptedException {
        Map<String, PingPong> ways = new LinkedHashMap<>();
        Map<String, long[]> nanos = new LinkedHashMap<>();
        try {
            ways.put("bare TCP", new BareTcpPingPong(
                    BareTcpPingPong.echo(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), MESSAGE_BYTES), MESSAGE_BYTES));
            ways.put("plain", new TransportPingPong(provider(0, BenchmarkKeys.none()), provider(0, BenchmarkKeys.none()), group("plain", 1),
                    MESSAGE_BYTES));
            ways.put("TLS", new TransportPingPong(provider(0, keys.of(0)), provider(0, keys.of(1)), group("tls", 3), MESSAGE_BYTES));
            if (Runtime.getRuntime().availableProcessors() >= POLLING_CORES_MIN) {
                ways.put("plain, polling", new TransportPingPong(provider(BUSY_POLL_MICROS, BenchmarkKeys.none()),
                        provider(BUSY_POLL_MICROS, BenchmarkKeys.none()), group("polling", 2), MESSAGE_BYTES));
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

    private static TransportProvider provider(int busyPollMicros, Peers peers) {
        return new TcpTransportProvider(Defaults.of(TcpTransportConfig.class,
                Map.of("busyPollMicros", busyPollMicros, "silenceMillis", 60_000)), peers);
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
