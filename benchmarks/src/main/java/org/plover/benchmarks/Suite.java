package org.plover.benchmarks;

import java.io.PrintStream;
import org.openjdk.jmh.runner.RunnerException;

/** Benchmarks that answer one question together and are printed as one table. */
public interface Suite {
    /** What {@code run.sh} calls it. */
    String name();

    /** The question, in one sentence. */
    String question();

    /** Runs the benchmarks, then prints the table. Blocks for as long as they take. */
    void run(PrintStream out) throws RunnerException;
}
