package org.plover.benchmarks;

import java.util.Arrays;
import java.util.List;
import org.openjdk.jmh.runner.RunnerException;
import org.plover.benchmarks.consensus.ConsensusSuite;
import org.plover.benchmarks.digest.DigestSuite;
import org.plover.benchmarks.disk.DiskSuite;
import org.plover.benchmarks.transport.TransportSuite;

/** Runs the suites named on the command line, or all of them. */
public final class Benchmarks {
    private static final List<Suite> SUITES = List.of(new DigestSuite(), new TransportSuite(), new ConsensusSuite(), new DiskSuite());

    private Benchmarks() {}

    public static void main(String[] names) throws RunnerException {
        for (String name : names) {
            if (SUITES.stream().noneMatch(suite -> suite.name().equals(name))) {
                System.err.println("no benchmark " + name + "; there are:");
                SUITES.forEach(suite -> System.err.println("  " + suite.name() + ": " + suite.question()));
                System.exit(2);
            }
        }
        for (Suite suite : SUITES) {
            if (names.length == 0 || Arrays.asList(names).contains(suite.name())) {
                suite.run(System.out);
            }
        }
    }
}
