package org.plover.demo.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.plover.demo.Service;

/** A client program that puts load on a service without an end, on connections that live as long as it does. */
enum LoadTool {
    /** Writes 100,000 keys again and again. */
    REDIS_BENCHMARK("redis-benchmark", Pattern.compile("rps=([0-9.]+) \\(overall: ([0-9.]+)\\)")) {
        @Override
        List<String> command(LoadSettings s) {
            return List.of("redis-benchmark", "-h", s.address(), "-p", Integer.toString(s.port()), "-c", Integer.toString(s.connections()),
                    "-n", "2000000000", "-t", "set", "-P", Integer.toString(s.pipeline()), "-d", Integer.toString(s.valueBytes()), "-r", "100000");
        }
    },
    /** Transactions of TPC-B. */
    PGBENCH("pgbench", Pattern.compile("progress: [0-9.]+ s, ([0-9.]+) tps")) {
        @Override
        List<String> command(LoadSettings s) {
            List<String> command = to("pgbench", s);
            command.addAll(List.of("-n", "-c", Integer.toString(s.connections()), "-T", "8640000", "-P", "1", "postgres"));
            return command;
        }

        @Override
        List<List<String>> preparation(LoadSettings s) {
            List<String> fill = to("pgbench", s);
            fill.addAll(List.of("-i", "-q", "-s", Integer.toString(s.scale()), "postgres"));
            // Or a crash soon afterwards would be followed by a replay of all this, which an emulated processor takes minutes for.
            List<String> checkpoint = to("psql", s);
            checkpoint.addAll(List.of("-q", "-c", "CHECKPOINT", "postgres"));
            return List.of(fill, checkpoint);
        }

        private List<String> to(String program, LoadSettings s) {
            return new ArrayList<>(List.of(s.programs().resolve(program).toString(), "-h", s.address(), "-p", Integer.toString(s.port()),
                    "-U", "postgres"));
        }
    };

    /** What its display says: requests or transactions in the last second, and since the start where it says so. */
    record Rates(double perSecond, Optional<Double> overallPerSecond) { }

    private static final Pattern FAILURE = Pattern.compile("(?i)\\berror\\b");

    final String word;
    private final Pattern progress;

    LoadTool(String word, Pattern progress) {
        this.word = word;
        this.progress = progress;
    }

    static LoadTool of(Service service) {
        return service == Service.POSTGRESQL ? PGBENCH : REDIS_BENCHMARK;
    }

    abstract List<String> command(LoadSettings settings);

    /** What has to be run once, before. */
    List<List<String>> preparation(LoadSettings settings) {
        return List.of();
    }

    /** Reads one line of its display; empty if it says nothing about rates. */
    Optional<Rates> rates(String line) {
        Matcher m = progress.matcher(line);
        if (!m.find()) {
            return Optional.empty();
        }
        return Optional.of(new Rates(Double.parseDouble(m.group(1)),
                m.groupCount() > 1 ? Optional.of(Double.parseDouble(m.group(2))) : Optional.empty()));
    }

    /** Whether a line says that one of its connections has failed, though others go on. */
    boolean isFailure(String line) {
        return FAILURE.matcher(line).find();
    }
}
