package org.plover.replication.core;

import java.util.List;
import org.junit.runner.JUnitCore;
import org.junit.runner.Result;
import org.junit.runner.notification.Failure;

/** The tests that drive the core or consensus by hand; {@link Mutants} runs them over changed classes. */
public final class PlantedTests {
    private static final List<String> CLASSES = List.of(
            "org.plover.consensus.paxos.CoreMessagesTest",
            "org.plover.consensus.paxos.EntryLogTest",
            "org.plover.consensus.paxos.sim.PaxosScenarioTest",
            "org.plover.consensus.paxos.sim.LostStorageTest",
            "org.plover.replication.core.ColdStartTest",
            "org.plover.replication.core.DiskScenarioTest",
            "org.plover.replication.core.InputQueueTest",
            "org.plover.replication.core.MendedFaultsTest",
            "org.plover.replication.core.ReplicaScenarioTest");

    private PlantedTests() {
    }

    /** As {@link Simulate#planted}; the number of schedules is that of the tests that were run. */
    public static String planted() throws ClassNotFoundException {
        long run = 0;
        for (String name : CLASSES) {
            Result result = new JUnitCore().run(Class.forName(name));
            run += result.getRunCount();
            if (!result.wasSuccessful()) {
                Failure first = result.getFailures().get(0);
                return String.join("\t", "broken", "-", Long.toString(run), "0", first.getDescription().getTestClass().getSimpleName() + "."
                        + first.getDescription().getMethodName());
            }
        }
        return String.join("\t", "kept", "-", Long.toString(run), "0", "");
    }
}
