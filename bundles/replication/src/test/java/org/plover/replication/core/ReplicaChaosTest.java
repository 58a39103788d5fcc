package org.plover.replication.core;

import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.Test;
import org.plover.api.status.VerifyReport;

/** Seeded random schedules of everything that can go wrong, with the rules watched throughout and a guest that serves at the end. */
public class ReplicaChaosTest {
    private static final int SEEDS = 150;

    @Test
    public void shouldKeepEveryRuleUnderRandomSchedules() {
        long first = Long.getLong("plover.seed", 1);
        long count = System.getProperty("plover.seed") != null ? Long.getLong("plover.seeds", 1) : SEEDS;
        for (long seed = first; seed < first + count; seed++) {
            run(seed);
        }
    }

    /** Seeds that found something: a guest driven after its replica had given it up (24, 362, 638), a reboot during a switchover
     * (316, 844), a primary that never ended an epoch again after a guest had failed in the middle of one (403, 490, 899). */
    @Test
    public void shouldNotFallBackIntoFaultsFoundBefore() {
        for (long seed : new long[] {24, 316, 362, 403, 490, 638, 844, 899}) {
            run(seed);
        }
    }

    /** Runs one schedule; a fault carries the seed, with which {@code -Dplover.seed=N} repeats it. */
    static void run(long seed) {
        SimCluster cluster = new SimCluster(seed);
        try {
            new ReplicaChaosTest.Schedule(cluster, new SplittableRandom(seed ^ 0x5eed)).run();
        } catch (RuntimeException | AssertionError e) {
            throw new AssertionError("seed " + seed + ": " + e.getMessage() + "\n" + cluster, e);
        }
    }

    /** What happens in one run. Never are both replicas taken away at once, nor the primary's guest while it is alone. */
    private static final class Schedule {
        private static final int STEPS = 25;
        private final SimCluster cluster;
        private final SplittableRandom random;
        private int dead = -1;

        Schedule(SimCluster cluster, SplittableRandom random) {
            this.cluster = cluster;
            this.random = random;
        }

        void run() {
            if (random.nextBoolean()) {
                cluster.untilProtected();
            }
            cluster.noticeNanosMax = random.nextInt(3) == 0 ? 400_000_000L : 5_000_000L;
            cluster.bulkNanos = 50_000L << random.nextInt(7);
            cluster.controlNanos = 50_000L << random.nextInt(4);
            int pace = 1 << random.nextInt(9);
            for (int i = 0; i < STEPS; i++) {
                load(random.nextInt(1 + pace) * 1000L + random.nextInt(1000));
                event();
            }
            mend();
            cluster.runUntil("the guest is protected again", 30_000, cluster::isProtected);
            ReplicaScenarioTest.answers(cluster);
        }

        /** Clients ask while time passes. */
        private void load(long micros) {
            long until = cluster.now() + micros * 1000;
            for (int i = random.nextInt(6); i > 0; i--) {
                cluster.at(cluster.now() + random.nextLong(1 + micros * 1000), cluster::input);
            }
            cluster.at(until, () -> { });
            cluster.runUntil("time passes", 1 + micros / 1000, () -> cluster.now() >= until);
        }

        private void event() {
            switch (random.nextInt(13)) {
                case 0 -> kill();
                case 1, 2 -> restart();
                case 3 -> cluster.flap(0, 1);
                case 4 -> cluster.flap(random.nextInt(2), SimCluster.WITNESS);
                case 5 -> cluster.cut(0, 1);
                case 6 -> cluster.cut(random.nextInt(2), SimCluster.WITNESS);
                case 7, 8 -> cluster.healAll();
                case 9 -> switchover();
                case 10 -> verify();
                case 11 -> failGuest();
                default -> cluster.bulkNanos = 50_000L << random.nextInt(9);
            }
        }

        private boolean safe() {
            return cluster.isProtected() && dead < 0 && cluster.member(SimCluster.WITNESS).consensus.state().equals("NORMAL_FOLLOWER");
        }

        private void kill() {
            int victim = random.nextInt(3);
            if (safe()) {
                dead = victim;
                cluster.kill(victim);
            }
        }

        private void restart() {
            if (dead >= 0) {
                cluster.restart(dead);
                dead = -1;
            }
        }

        private void failGuest() {
            SimMember victim = cluster.member(random.nextInt(2));
            if (victim.alive && safe()) {
                victim.guest.fail();
            }
        }

        private void switchover() {
            SimMember s = cluster.server();
            if (s != null) {
                s.step(() -> s.core.requestSwitchover(new CompletableFuture<>()));
            }
        }

        private void verify() {
            SimMember s = cluster.server();
            if (s != null) {
                s.step(() -> s.core.requestVerify(new CompletableFuture<VerifyReport>()));
            }
        }

        private void mend() {
            restart();
            cluster.healAll();
            cluster.noticeNanosMax = 5_000_000;
            cluster.bulkNanos = 200_000;
        }
    }
}
