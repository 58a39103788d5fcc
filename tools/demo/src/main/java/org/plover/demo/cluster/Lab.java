package org.plover.demo.cluster;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Hosts made of network namespaces: each has one link to the network among the replicas and one, behind a bridge of its own,
 * to the network of the clients. Both networks are bridges in a namespace that stands for the switch. No traffic leaves it.
 */
public final class Lab implements AutoCloseable {
    static final String BRIDGE = "br0";
    /** The namespace that stands for the switch; its ports are {@code sync<number>} and {@code lan<number>}. */
    public static final String SWITCH = "sw";
    private static final String SYNC_NET = "10.77.0.";
    private static final String CLIENT_NET = "10.78.0.";

    private static final long GONE_SECONDS_MAX = 20;

    private final String prefix;
    private final List<String> namespaces = new ArrayList<>();

    /** @param prefix what the namespaces' names begin with; at most 8 characters */
    Lab(String prefix) throws IOException, InterruptedException {
        this.prefix = prefix;
        add(SWITCH);
        for (String net : new String[] {"sync", "lan"}) {
            in(SWITCH, "ip link add " + net + " type bridge stp_state 0 forward_delay 0 mcast_snooping 0");
            in(SWITCH, "ip link set " + net + " up");
        }
    }

    private void add(String host) throws IOException, InterruptedException {
        Shell.run("ip", "netns", "add", namespace(host));
        namespaces.add(host);
        in(host, "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
        in(host, "ip link set lo up");
    }

    public String namespace(String host) {
        return prefix + "-" + host;
    }

    /** A host that can carry replicas; {@code number} is the last part of its address. */
    void addHost(String host, int number) throws IOException, InterruptedException {
        add(host);
        link(host, "sync", "sync" + number);
        in(host, "ip addr add " + syncAddress(number) + "/24 dev sync");
        link(host, "lan", "lan" + number);
        in(host, "ip link add " + BRIDGE + " type bridge stp_state 0 forward_delay 0 mcast_snooping 0");
        in(host, "ip link set lan master " + BRIDGE);
        in(host, "ip link set " + BRIDGE + " up");
    }

    /** A host from which clients come. */
    void addClient(String host, int number) throws IOException, InterruptedException {
        add(host);
        link(host, "lan", "lan" + number);
        in(host, "ip addr add " + CLIENT_NET + number + "/24 dev lan");
    }

    private void link(String host, String net, String port) throws IOException, InterruptedException {
        Shell.run("ip", "link", "add", net, "netns", namespace(host), "type", "veth", "peer", "name", port, "netns", namespace(SWITCH));
        in(SWITCH, "ip link set " + port + " master " + net + " up");
        in(host, "ip link set " + net + " up");
    }

    public static String syncAddress(int number) {
        return SYNC_NET + number;
    }

    public static String clientAddress(int number) {
        return CLIENT_NET + number;
    }

    /** Takes a host's cables out (or plugs them in again). */
    public void connect(int number, boolean connected) throws IOException, InterruptedException {
        for (String port : new String[] {"sync" + number, "lan" + number}) {
            in(SWITCH, "ip link set " + port + (connected ? " up" : " down"));
        }
    }

    /** Runs a command on a host. */
    public String in(String host, String command) throws IOException, InterruptedException {
        return Shell.sh("ip netns exec " + namespace(host) + " " + command);
    }

    /** Begin of a command line that runs something on a host. */
    public List<String> on(String host) {
        return new ArrayList<>(List.of("ip", "netns", "exec", namespace(host)));
    }

    /** Kills every process on a host, at once and without a word. */
    public void killAll(String host) throws IOException, InterruptedException {
        killAll(List.of(host));
    }

    /** Kills every process on some hosts, all at the same moment and without a word. */
    void killAll(List<String> names) throws IOException, InterruptedException {
        List<String> pids = pids(names);
        if (pids.isEmpty()) {
            return;
        }
        List<String> kill = new ArrayList<>(List.of("kill", "-9"));
        kill.addAll(pids);
        try {
            Shell.run(kill.toArray(String[]::new));
        } catch (IOException e) {
            if (!pids(names).isEmpty()) {
                throw e;
            } // else: some ended on their own in between
        }
    }

    /** Waits until what was killed on a host is gone. */
    void awaitEmpty(String host) throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(GONE_SECONDS_MAX);
        while (!pids(List.of(host)).isEmpty()) {
            if (System.nanoTime() > end) {
                throw new IOException("processes in " + namespace(host) + " were killed and do not end");
            }
            Thread.sleep(20);
        }
    }

    private List<String> pids(List<String> names) throws IOException, InterruptedException {
        List<String> pids = new ArrayList<>();
        for (String host : names) {
            String found = Shell.run("ip", "netns", "pids", namespace(host));
            if (!found.isBlank()) {
                pids.addAll(List.of(found.split("\\s+")));
            }
        }
        return pids;
    }

    @Override
    public void close() {
        for (String host : namespaces) {
            try {
                killAll(host);
                Shell.run("ip", "netns", "del", namespace(host));
            } catch (IOException e) {
                System.err.println("demo: could not clean up " + namespace(host) + ": " + e.getMessage()
                        + "; remove it with 'ip netns del " + namespace(host) + "'");
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
        namespaces.clear();
    }
}
