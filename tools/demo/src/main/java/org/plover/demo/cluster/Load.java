package org.plover.demo.cluster;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code redis-benchmark} without an end, on connections that live as long as it does: the load beside the checker. How many
 * requests it has done is read from its own display.
 */
public final class Load implements AutoCloseable {
    private static final Pattern PROGRESS = Pattern.compile("rps=([0-9.]+) \\(overall: ([0-9.]+)\\)");

    private final Process process;
    private final long startNanos = System.nanoTime();
    private final StringBuilder lastWords = new StringBuilder();
    private volatile double ratePerSecond;
    private volatile double overallPerSecond;
    private volatile boolean closing;

    public Load(Lab lab, String client, String address, int port, int connections, int pipeline, int valueBytes) throws IOException {
        List<String> command = lab.on(client);
        command.addAll(List.of("redis-benchmark", "-h", address, "-p", Integer.toString(port), "-c", Integer.toString(connections),
                "-n", "2000000000", "-t", "set", "-P", Integer.toString(pipeline), "-d", Integer.toString(valueBytes), "-r", "100000"));
        process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        Thread reader = new Thread(this::read, "load-display");
        reader.setDaemon(true);
        reader.start();
    }

    private void read() {
        try (Reader in = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            StringBuilder line = new StringBuilder();
            for (int c = in.read(); c >= 0; c = in.read()) {
                if (c != '\r' && c != '\n') {
                    line.append((char) c);
                    continue;
                }
                take(line.toString());
                line.setLength(0);
            }
        } catch (IOException e) {
            if (!closing) {
                System.err.println("demo: redis-benchmark's output ended: " + e.getMessage());
            }
        }
    }

    private void take(String line) {
        Matcher m = PROGRESS.matcher(line);
        if (m.find()) {
            ratePerSecond = Double.parseDouble(m.group(1));
            overallPerSecond = Double.parseDouble(m.group(2));
        } else if (!line.isBlank()) {
            synchronized (lastWords) {
                lastWords.setLength(0);
                lastWords.append(line.strip());
            }
        }
    }

    public double ratePerSecond() {
        return ratePerSecond;
    }

    double overallPerSecond() {
        return overallPerSecond;
    }

    double seconds() {
        return (System.nanoTime() - startNanos) / 1e9;
    }

    /** Whether it ended on its own, as it does when one of its connections breaks. */
    public boolean hasFailed() {
        return !closing && !process.isAlive();
    }

    public String lastWords() {
        synchronized (lastWords) {
            return lastWords.toString();
        }
    }

    @Override
    public void close() throws InterruptedException {
        closing = true;
        Shell.end(process, 2);
    }
}
