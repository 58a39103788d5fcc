package org.plover.demo.chaos;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.plover.demo.cluster.Cluster;
import org.plover.demo.cluster.Shell;

/** Runs a {@link Recorder} on the clients' host, and hands what it tells to the judge and to a file. */
final class Clients implements AutoCloseable {
    private final Process process;
    private final Judge judge;
    private final Path history;
    private final CountDownLatch audited = new CountDownLatch(1);
    private volatile int connectedReign = -1;
    private volatile boolean closing;

    Clients(Cluster cluster, Judge judge, int port, int connections, int thinkMicros, long seed) throws IOException {
        this.judge = judge;
        this.history = cluster.work().resolve("history.log");
        List<String> command = cluster.lab().on(Cluster.CLIENT);
        command.addAll(List.of(System.getProperty("java.home") + "/bin/java", "-XX:+UseSerialGC", "-Xmx64m", "-XX:TieredStopAtLevel=1",
                "-cp", System.getProperty("java.class.path"), Recorder.class.getName(), cluster.guestAddress(), Integer.toString(port),
                Integer.toString(connections), Integer.toString(thinkMicros), Long.toString(seed)));
        process = new ProcessBuilder(command).redirectError(cluster.work().resolve("recorder.err").toFile()).start();
        Thread reader = new Thread(this::read, "clients");
        reader.setDaemon(true);
        reader.start();
    }

    private void read() {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII));
                java.io.PrintWriter copy = new java.io.PrintWriter(Files.newBufferedWriter(history))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                copy.println(line);
                if (line.startsWith("C ")) {
                    connectedReign = Integer.parseInt(line.split(" ")[1]);
                } else if (line.startsWith("A ")) {
                    audited.countDown();
                } else {
                    judge.take(line);
                }
            }
        } catch (IOException | RuntimeException e) {
            if (!closing) {
                judge.anomaly("what the clients told could not be read: " + e);
            }
        }
        if (!closing) {
            judge.anomaly("the clients ended; see recorder.err");
        }
    }

    boolean connected(int reign) {
        return connectedReign == reign;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    void tell(String order) throws IOException {
        OutputStream in = process.getOutputStream();
        in.write((order + "\n").getBytes(StandardCharsets.US_ASCII));
        in.flush();
    }

    /** Has all keys read once more over a new connection; whether that came to an end in time. */
    boolean audit(int secondsMax) throws IOException, InterruptedException {
        tell("audit");
        return audited.await(secondsMax, TimeUnit.SECONDS);
    }

    @Override
    public void close() throws InterruptedException {
        closing = true;
        Shell.end(process, 2);
    }
}
