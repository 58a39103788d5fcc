package org.plover.benchmarks.consensus;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Three hosts made of network namespaces, each with a link to one bridge, which has a namespace of its own. No traffic leaves it. */
final class Lab implements AutoCloseable {
    static final int HOSTS = 3;

    private final String prefix = "plvb" + ProcessHandle.current().pid() + "-";
    private final List<String> namespaces = new ArrayList<>();

    Lab() throws IOException, InterruptedException {
        try {
            String bridge = add("sw");
            in(bridge, "ip", "link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0", "mcast_snooping", "0");
            in(bridge, "ip", "link", "set", "br0", "up");
            for (int i = 0; i < HOSTS; i++) {
                String host = add(name(i));
                run("ip", "link", "add", "eth0", "netns", host, "type", "veth", "peer", "name", "port" + i, "netns", bridge);
                in(bridge, "ip", "link", "set", "port" + i, "master", "br0", "up");
                in(host, "ip", "address", "add", address(i) + "/24", "dev", "eth0");
                in(host, "ip", "link", "set", "eth0", "up");
            }
        } catch (IOException | InterruptedException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private String add(String name) throws IOException, InterruptedException {
        String namespace = prefix + name;
        run("ip", "netns", "add", namespace);
        namespaces.add(namespace);
        in(namespace, "ip", "link", "set", "lo", "up");
        return namespace;
    }

    private static String name(int host) {
        return "h" + host;
    }

    static String address(int host) {
        return "10.79.0." + (host + 1);
    }

    /** The command line that runs a command on a host; it becomes that command, so that killing it kills that. */
    List<String> on(int host, List<String> command) {
        return enter(prefix + name(host), command);
    }

    private static List<String> enter(String namespace, List<String> command) {
        List<String> words = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
        words.addAll(command);
        return words;
    }

    private static void in(String namespace, String... command) throws IOException, InterruptedException {
        run(enter(namespace, List.of(command)).toArray(String[]::new));
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException("'" + String.join(" ", command) + "' failed: " + output.strip());
        }
    }

    /** Removes the namespaces; whatever runs in them must have ended. May be called twice, and from two threads. */
    @Override
    public synchronized void close() {
        while (!namespaces.isEmpty()) {
            String namespace = namespaces.remove(namespaces.size() - 1);
            try {
                run("ip", "netns", "delete", namespace);
            } catch (IOException e) {
                System.err.println("could not remove namespace " + namespace + " (" + e.getMessage() + "); do so with 'ip netns delete "
                        + namespace + "'");
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                System.err.println("interrupted while removing namespace " + namespace + "; do so with 'ip netns delete " + namespace + "'");
            }
        }
    }
}
