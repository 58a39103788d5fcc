package org.plover.replication.core;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Collectors;

/** Runs random schedules from the command line; see {@code itests/simulate.sh --help}. */
public final class Simulate {
    private static final String HELP = """
            usage: simulate.sh [--seed S] [--steps N] [--schedules K] [--minutes M] [--json FILE]
              Runs whole groups in one process on virtual time: the real consensus, replication, output gate and policy on simulated
              guests, networks, clocks and storage. Each schedule is made from one seed; the same seed gives the same run. The
              safety rules are watched all the time.
              --seed S        the first seed (default: drawn from the time)
              --steps N       faults and orders in one schedule (default 25)
              --schedules K   how many seeds, from S on (default 1000; with --seed alone 1)
              --minutes M     instead of a number: as many as fit
              --json FILE     writes {"seed","schedules","operations","failed":[seeds],"perMinute","perProcessorMinute","faults":{kind: count}}
            Exits with 1 if a rule was broken; the seed and the story of the run are printed then.""";

    private Simulate() {
    }

    public static void main(String[] args) throws Exception {
        long seed = System.currentTimeMillis() / 1000 * 1_000_000;
        int steps = ReplicaChaosTest.STEPS;
        long schedules = 1000;
        double minutes = 0;
        Path json = null;
        for (int i = 0; i < args.length; i++) {
            if (args[i].equals("--help") || args[i].equals("-h")) {
                System.out.println(HELP);
                return;
            }
            if (i + 1 == args.length) {
                usage(args[i] + " needs a value");
            }
            String value = args[++i];
            try {
                switch (args[i - 1]) {
                    case "--seed" -> {
                        seed = Long.parseLong(value);
                        schedules = args.length == 2 ? 1 : schedules;
                    }
                    case "--steps" -> steps = Integer.parseInt(value);
                    case "--schedules" -> schedules = Long.parseLong(value);
                    case "--minutes" -> minutes = Double.parseDouble(value);
                    case "--json" -> json = Path.of(value);
                    default -> usage("unknown option " + args[i - 1]);
                }
            } catch (NumberFormatException e) {
                usage(args[i - 1] + " needs a number, not " + value);
            }
        }
        run(seed, steps, minutes > 0 ? Long.MAX_VALUE : schedules, minutes > 0 ? minutes : Double.MAX_VALUE, json);
    }

    private static void usage(String what) {
        System.err.println("simulate: " + what + "; see --help");
        System.exit(2);
    }

    /**
     * For a fault that was planted: runs schedules until a rule is broken. A group that does not come back is only counted. Returns
     * "broken" or "kept", seed, schedules, schedules that did not come back, and what was said, with tabs between them.
     */
    public static String planted(long first, long steps, long schedules) {
        long stuck = 0;
        for (long seed = first; seed < first + schedules; seed++) {
            try {
                ReplicaChaosTest.run(seed, (int) steps, new EnumMap<>(Schedule.Kind.class));
            } catch (AssertionError e) {
                String what = e.getMessage().lines().findFirst().orElse("").replaceFirst("^seed \\d+: ", "");
                if (!what.contains("this did not happen")) {
                    return "broken\t" + seed + "\t" + (seed - first + 1) + "\t" + stuck + "\t" + what;
                }
                stuck++;
            }
        }
        return "kept\t-\t" + schedules + "\t" + stuck + "\t-";
    }

    private static void run(long first, int steps, long schedules, double minutes, Path json) throws Exception {
        Map<Schedule.Kind, Integer> happened = new EnumMap<>(Schedule.Kind.class);
        StringBuilder failed = new StringBuilder();
        int failures = 0;
        long operations = 0;
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long begun = System.nanoTime();
        long seed = first;
        while (seed - first < schedules && System.nanoTime() - begun < minutes * 60e9 && failures < 20) {
            try {
                operations += ReplicaChaosTest.run(seed, steps, happened);
            } catch (AssertionError e) {
                failures++;
                failed.append(failed.length() == 0 ? "" : ",").append(seed);
                System.out.println(e.getMessage() + "\n");
            }
            seed++;
        }
        double took = (System.nanoTime() - begun) / 60e9;
        double used = threads.getCurrentThreadCpuTime() / 60e9;
        long count = seed - first;
        String faults = happened.entrySet().stream().map(e -> "\"" + e.getKey() + "\":" + e.getValue()).collect(Collectors.joining(","));
        System.out.printf("%d schedules of %d steps from seed %d: %d failed, %d client operations checked, %.1f minutes, %.0f schedules "
                + "per minute, %.0f per minute of the processor%n", count, steps, first, failures, operations, took, count / took, count / used);
        System.out.println("events: " + faults);
        if (json != null) {
            Files.writeString(json, "{\"seed\":" + first + ",\"schedules\":" + count + ",\"operations\":" + operations + ",\"failed\":[" + failed
                    + "],\"perMinute\":" + Math.round(count / took) + ",\"perProcessorMinute\":" + Math.round(count / used)
                    + ",\"faults\":{" + faults + "}}\n");
        }
        System.exit(failures == 0 ? 0 : 1);
    }
}
