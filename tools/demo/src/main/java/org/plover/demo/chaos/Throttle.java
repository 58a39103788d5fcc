package org.plover.demo.chaos;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Gives some processes, and what they will start, only a share of one processor, by a control group of version 2 or 1. */
final class Throttle implements AutoCloseable {
    private static final Path ROOT = Path.of("/sys/fs/cgroup");
    private static final int PERIOD_MICROS_MIN = 20_000;
    /** The kernel grants no less in a period. */
    private static final int QUOTA_MICROS_MIN = 1_000;

    private final Path group;
    private final Path parent;
    private final Thread atExit = new Thread(this::remove, "throttle-cleanup");

    /** @param percent of one processor */
    Throttle(String name, int percent, List<Long> pids) throws IOException {
        boolean v2 = Files.exists(ROOT.resolve("cgroup.controllers"));
        parent = v2 ? ROOT : ROOT.resolve("cpu");
        if (!Files.isDirectory(parent)) {
            throw new IOException("no control group that limits the processor under " + ROOT);
        }
        group = parent.resolve(name);
        Files.createDirectories(group);
        Runtime.getRuntime().addShutdownHook(atExit);
        int period = Math.max(PERIOD_MICROS_MIN, (QUOTA_MICROS_MIN * 100 + percent - 1) / percent);
        int quota = Math.max(QUOTA_MICROS_MIN, period * percent / 100);
        if (v2) {
            if (!Files.exists(group.resolve("cpu.max"))) {
                Files.writeString(ROOT.resolve("cgroup.subtree_control"), "+cpu");
            }
            Files.writeString(group.resolve("cpu.max"), quota + " " + period);
        } else {
            Files.writeString(group.resolve("cpu.cfs_period_us"), Integer.toString(period));
            Files.writeString(group.resolve("cpu.cfs_quota_us"), Integer.toString(quota));
        }
        move(pids, group);
    }

    private static void move(List<Long> pids, Path to) throws IOException {
        for (long pid : pids) {
            try {
                Files.writeString(to.resolve("cgroup.procs"), Long.toString(pid));
            } catch (IOException e) {
                if (ProcessHandle.of(pid).isPresent()) {
                    throw e;
                } // else: it has ended in the meantime
            }
        }
    }

    /** Lets all that is in the group now run freely. */
    @Override
    public void close() {
        Runtime.getRuntime().removeShutdownHook(atExit);
        remove();
    }

    private void remove() {
        try {
            for (int i = 0; i < 50; i++) {
                List<Long> members = Files.readAllLines(group.resolve("cgroup.procs")).stream().map(Long::valueOf).toList();
                if (members.isEmpty()) {
                    break;
                }
                move(members, parent);
            }
            Files.delete(group);
        } catch (IOException e) {
            System.err.println("chaos: control group " + group + " could not be removed: " + e.getMessage());
        }
    }
}
