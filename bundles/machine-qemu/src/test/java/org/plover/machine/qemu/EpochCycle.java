package org.plover.machine.qemu;

import java.nio.ByteBuffer;
import java.util.Random;
import org.plover.api.machine.StartMode;
import org.plover.api.memory.PageSet;

/** Two guests that run, diverge and are made equal again: a primary and a backup, without anything in between. */
final class EpochCycle {
    final Timings timings = new Timings();
    private final TestGuest primary;
    private final TestGuest backup;
    private final Random random = new Random(7);
    private int sequence;
    private long dirtyPages;
    private int cycles;

    EpochCycle(TestGuest primary, TestGuest backup) {
        this.primary = primary;
        this.backup = backup;
    }

    /** Starts the backup and gives it all of the primary's state. */
    void synchronise() throws Exception {
        backup.machine.start(StartMode.AWAIT_STATE);
        copyEverything();
    }

    /** Brings a backup that has run before, or not at all, to the primary's state. */
    void copyEverything() throws Exception {
        primary.machine.stop();
        backup.machine.stop();
        PageSet all = primary.emptySet();
        all.fill();
        primary.fetchDirty();
        backup.fetchDirty();
        backup.copyFrom(primary, all);
        backup.machine.loadDeviceState(primary.machine.saveDeviceState());
        backup.assertSameMemoryAs(primary, "after the first load");
        primary.machine.resume();
        backup.machine.resume();
    }

    /** One epoch: both run under pings, then the backup becomes what the primary is. */
    void run(boolean verify) throws Exception {
        int pings = 1 + random.nextInt(8);
        for (int i = 0; i < pings; i++) {
            sequence = sequence + 1 & 0xffff;
            int bytes = random.nextInt(1400);
            primary.machine.inject(0, Frames.ping(TestGuest.MAC, sequence, bytes));
            backup.machine.inject(0, Frames.ping(TestGuest.MAC, sequence, bytes));
            // The guests have to diverge for a while: there is nothing to be awaited here.
            Thread.sleep(random.nextInt(12));
        }
        timings.measure("stop", () -> {
            primary.machine.stop();
            return null;
        });
        PageSet dirty = timings.measure("fetchDirty", primary::fetchDirty);
        ByteBuffer state = timings.measure("save", primary.machine::saveDeviceState);
        timings.measure("backup stop", () -> {
            backup.machine.stop();
            return null;
        });
        timings.measure("awaitFrames", () -> backup.machine.awaitFrames(1000) & primary.machine.awaitFrames(1000));
        dirty.addAll(timings.measure("backup fetch", backup::fetchDirty));
        dirtyPages += dirty.size();
        cycles++;
        backup.copyFrom(primary, dirty);
        if (verify) {
            backup.assertSameMemoryAs(primary, "cycle " + cycles + " before the load");
        }
        timings.measure("load", () -> {
            backup.machine.loadDeviceState(state);
            return null;
        });
        if (verify) {
            backup.assertSameMemoryAs(primary, "cycle " + cycles + " after the load");
        }
        timings.measure("resume", () -> {
            primary.machine.resume();
            return null;
        });
        timings.measure("backup resume", () -> {
            backup.machine.resume();
            return null;
        });
        backup.awaitAnswer(cycles % TestGuest.NICS, 20);
    }

    @Override
    public String toString() {
        return cycles + " cycles, " + dirtyPages / Math.max(1, cycles) + " dirty pages each" + timings;
    }
}
