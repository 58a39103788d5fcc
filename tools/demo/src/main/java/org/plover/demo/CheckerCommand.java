package org.plover.demo;

import jakarta.json.Json;
import jakarta.json.JsonWriter;
import jakarta.json.stream.JsonGenerator;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line of {@link Checker} and {@link ConnectProbe}. */
@Command(name = "checker", mixinStandardHelpOptions = true, sortOptions = false,
         description = "Writes to and reads from a server over long-lived connections and reports every acknowledged write"
                 + " that is lost, every stale read, every broken connection, and how long the server was away.",
         footer = {"", "Standard input: 'mark NAME' names the moment, so that the outage after it is reported; 'audit' looks for all"
                   + " that was acknowledged; 'restart NAME' says that the server is being restarted, so connections may break once; 'stop' ends the"
                   + " run.",
                   "Exit status: 0 no fault found, 1 a fault found (see the report), 2 wrong usage, 3 the run itself failed."})
final class CheckerCommand implements Callable<Integer> {
    private static final int FAULT_FOUND = 1;
    private static final int RUN_FAILED = 3;

    @Spec
    private CommandSpec spec;

    @Option(names = "--host", required = true, description = "Server to talk to.")
    private String host;

    @Option(names = "--service", defaultValue = "redis", description = "What it is: redis or postgresql (default: ${DEFAULT-VALUE}).")
    private Service service;

    @Option(names = "--port", description = "Its TCP port (default: the usual one).")
    private Integer port;

    @Option(names = "--connections", defaultValue = "8", description = "Long-lived connections (default: ${DEFAULT-VALUE}).")
    private int connections;

    @Option(names = "--keys", defaultValue = "8", description = "Keys per connection (default: ${DEFAULT-VALUE}).")
    private int keys;

    @Option(names = "--seconds", defaultValue = "0", description = "How long to work; 0: until 'stop' or the end of standard input"
            + " (default: ${DEFAULT-VALUE}).")
    private long seconds;

    @Option(names = "--think-millis", defaultValue = "10", description = "Pause between a reply and the next request of a connection,"
            + " or between two probes (default: ${DEFAULT-VALUE}).")
    private long thinkMillis;

    @Option(names = "--connect-timeout-seconds", defaultValue = "30", description = "How long to try to reach the server at the start"
            + " (default: ${DEFAULT-VALUE}).")
    private long connectTimeoutSeconds;

    @Option(names = "--answer-timeout-seconds", defaultValue = "10", description = "How long an answer may take after the stop before"
            + " the connection counts as broken (default: ${DEFAULT-VALUE}).")
    private long answerTimeoutSeconds;

    @Option(names = "--probe-only", description = "Only open and close connections; works with any TCP service.")
    private boolean probeOnly;

    @Option(names = "--probe-timeout-millis", defaultValue = "500", description = "When a connection attempt of --probe-only has failed"
            + " (default: ${DEFAULT-VALUE}).")
    private long probeTimeoutMillis;

    @Option(names = "--json", paramLabel = "FILE", description = "Where to write the report (default: standard output).")
    private Path json;

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        try (Watch watch = start()) {
            Thread commands = new Thread(() -> obey(watch, err), "commands");
            commands.setDaemon(true);
            commands.start();
            Optional<Report> report = watch.awaitReport(Duration.ofSeconds(1));
            while (report.isEmpty()) {
                out.println(watch.statusLine());
                out.flush();
                report = watch.awaitReport(Duration.ofSeconds(1));
            }
            out.println(watch.statusLine());
            write(report.get(), out);
            return report.get().clean() ? 0 : FAULT_FOUND;
        } catch (IOException | IllegalStateException e) {
            err.println("checker: " + e.getMessage());
            return RUN_FAILED;
        }
    }

    private Watch start() throws IOException, InterruptedException {
        int port = this.port == null ? service.port : this.port;
        Duration think = Duration.ofMillis(thinkMillis);
        Duration duration = Duration.ofSeconds(seconds);
        try {
            if (probeOnly) {
                return ConnectProbe.start(new InetSocketAddress(host, port), think, Duration.ofMillis(probeTimeoutMillis), duration);
            }
            return Checker.start(CheckerOptions.of(host, port).withService(service).withConnections(connections).withKeys(keys).withThink(think)
                                         .withDuration(duration).withConnectTimeout(Duration.ofSeconds(connectTimeoutSeconds))
                                         .withAnswerTimeout(Duration.ofSeconds(answerTimeoutSeconds)));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private void obey(Watch watch, PrintWriter err) {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String command = line.strip();
                if (command.equals("stop")) {
                    watch.requestStop();
                } else if (command.equals("audit")) {
                    watch.audit();
                } else if (command.startsWith("mark ")) {
                    watch.mark(command.substring("mark ".length()).strip());
                } else if (command.startsWith("restart ")) {
                    watch.restart(command.substring("restart ".length()).strip());
                } else if (!command.isEmpty()) {
                    err.println("checker: '" + command + "' is no command: 'mark NAME', 'audit', 'restart NAME' or 'stop' wanted");
                }
            }
        } catch (IOException e) {
            err.println("checker: standard input cannot be read any longer: " + e.getMessage());
        }
        if (seconds == 0) {
            // Whoever started us is gone, and nobody else could stop us.
            watch.requestStop();
        }
    }

    private void write(Report report, PrintWriter out) throws IOException {
        if (json == null) {
            out.println(report.toJson());
            out.flush();
            return;
        }
        try (JsonWriter writer = Json.createWriterFactory(Map.of(JsonGenerator.PRETTY_PRINTING, true))
                .createWriter(Files.newBufferedWriter(json))) {
            writer.writeObject(report.toJson());
        } catch (IOException e) {
            throw new IOException("report not written to " + json + " (" + e + "): " + report.toJson(), e);
        }
    }
}
