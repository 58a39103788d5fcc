package org.plover.demo.cluster;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.plover.demo.Service;

/** The load beside the checker: a {@link LoadTool} at work. How much it has done is read from its own display. */
public final class Load implements AutoCloseable {
    private static final long PREPARE_SECONDS_MAX = 300;

    private final LoadTool tool;
    private final Process process;
    private final long startNanos = System.nanoTime();
    private final StringBuilder lastWords = new StringBuilder();
    private volatile double ratePerSecond;
    private volatile double overallPerSecond;
    private volatile boolean failed;
    private volatile boolean closing;
    private double rateSum;
    private int rateCount;

    /** Starts the load on a Redis server. */
    public Load(Lab lab, String client, String address, int port, int connections, int pipeline, int valueBytes) throws IOException {
        this(lab, client, LoadTool.REDIS_BENCHMARK, new LoadSettings(Path.of(""), address, port, connections, pipeline, valueBytes, 1));
    }

    private Load(Lab lab, String client, LoadTool tool, LoadSettings settings) throws IOException {
        this.tool = tool;
        List<String> command = lab.on(client);
        command.addAll(tool.command(settings));
        process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        Thread reader = new Thread(this::read, "load-display");
        reader.setDaemon(true);
        reader.start();
    }

    /** Starts the load that suits a service. */
    static Load on(Service service, Lab lab, String client, LoadSettings settings) throws IOException {
        return new Load(lab, client, LoadTool.of(service), settings);
    }

    /** Makes what the load needs in the service; blocks until it is there. */
    static void prepare(Service service, Lab lab, String client, LoadSettings settings) throws IOException, InterruptedException {
        for (List<String> step : LoadTool.of(service).preparation(settings)) {
            List<String> command = lab.on(client);
            command.addAll(step);
            Shell.run(PREPARE_SECONDS_MAX, command);
        }
    }

    /** Name of the program. */
    String tool() {
        return tool.word;
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
                System.err.println("demo: " + tool.word + "'s output ended: " + e.getMessage());
            }
        }
    }

    private void take(String line) {
        var rates = tool.rates(line);
        if (rates.isPresent()) {
            ratePerSecond = rates.get().perSecond();
            rateSum += ratePerSecond;
            rateCount++;
            overallPerSecond = rates.get().overallPerSecond().orElse(rateSum / rateCount);
            return;
        }
        failed |= tool.isFailure(line);
        if (!line.isBlank()) {
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

    /** Whether one of its connections broke, or it ended on its own. */
    public boolean hasFailed() {
        return !closing && (failed || !process.isAlive());
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
