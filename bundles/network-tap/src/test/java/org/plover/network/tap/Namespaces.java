package org.plover.network.tap;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Two network namespaces of our own: {@code host} with bridge {@code br0}, and {@code client}, on the bridge with 10.9.0.2/24. */
final class Namespaces implements AutoCloseable {
    static final String CLIENT_ADDRESS = "10.9.0.2";

    private final String host = "plover-it-h" + ProcessHandle.current().pid();
    private final String client = "plover-it-c" + ProcessHandle.current().pid();
    private final List<Process> children = new ArrayList<>();

    Namespaces() throws IOException, InterruptedException {
        try {
            run("ip", "netns", "add", host);
            run("ip", "netns", "add", client);
            inHost("ip", "link", "add", "br0", "mtu", "9000", "type", "bridge");
            inHost("ip", "link", "add", "up0", "mtu", "9000", "type", "veth", "peer", "name", "eth0", "mtu", "9000", "netns", client);
            inHost("ip", "link", "set", "up0", "master", "br0");
            inHost("ip", "link", "set", "up0", "up");
            inHost("ip", "link", "set", "br0", "up");
            inClient("ip", "address", "add", CLIENT_ADDRESS + "/24", "dev", "eth0");
            inClient("ip", "link", "set", "eth0", "up");
        } catch (IOException | InterruptedException | RuntimeException e) {
            close();
            throw e;
        }
    }

    String inHost(String... command) throws IOException, InterruptedException {
        return run(enter(host, List.of(command)));
    }

    String inClient(String... command) throws IOException, InterruptedException {
        return run(enter(client, List.of(command)));
    }

    /** Runs a main class of the test tree beside the client. */
    String javaInClient(Class<?> main, String... arguments) throws IOException, InterruptedException {
        return run(enter(client, java(main, arguments)));
    }

    /** Starts a process that opens ports on the host. */
    PortHost startPortHost() throws IOException {
        Process process = new ProcessBuilder(enter(host, java(PortHostMain.class)))
                .redirectError(ProcessBuilder.Redirect.appendTo(Path.of("target", "port-host.log").toFile())).start();
        children.add(process);
        return new PortHost(process);
    }

    /** A process to talk to, line by line. */
    static final class PortHost {
        private final Process process;
        private final BufferedReader in;
        private final PrintWriter out;

        PortHost(Process process) {
            this.process = process;
            in = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            out = new PrintWriter(process.getOutputStream(), true, StandardCharsets.UTF_8);
        }

        String ask(String... words) throws IOException {
            out.println(String.join(" ", words));
            return in.readLine();
        }

        /** Kills the process as a crash would, and waits until it is gone. */
        void kill() throws InterruptedException {
            process.destroyForcibly().waitFor();
        }
    }

    private static String[] enter(String namespace, List<String> command) {
        List<String> words = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
        words.addAll(command);
        return words.toArray(new String[0]);
    }

    private static List<String> java(Class<?> main, String... arguments) {
        List<String> words = new ArrayList<>();
        words.add(System.getProperty("java.home") + File.separator + "bin" + File.separator + "java");
        for (String flag : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (flag.startsWith("--enable-native-access") || flag.startsWith("--sun-misc-unsafe")) {
                words.add(flag);
            }
        }
        words.addAll(List.of("-cp", System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")), main.getName()));
        words.addAll(List.of(arguments));
        return words;
    }

    private static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + " failed: " + output);
        }
        return output;
    }

    @Override
    public void close() throws IOException, InterruptedException {
        for (Process child : children) {
            child.getOutputStream().close();
            if (!child.waitFor(10, TimeUnit.SECONDS)) {
                child.destroyForcibly().waitFor();
            }
        }
        String existing = run("ip", "netns", "list");
        for (String namespace : List.of(host, client)) {
            if (existing.lines().anyMatch(line -> line.split(" ")[0].equals(namespace))) {
                run("ip", "netns", "delete", namespace);
            }
        }
    }
}
