package org.plover.replication.core;

import java.util.EnumMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.plover.api.consensus.Membership;
import org.plover.api.status.VerifyReport;
import org.plover.policy.idle.SimPolicies;

/** What happens in one random run: faults of every kind, one after the other, and at the end peace, in which the group must come back. */
final class Schedule {
    /** Kinds of events. */
    enum Kind {
        KILL, KILL_IN_A_STEP, RESTART, FREEZE, SLOW_HOST, CLOCK_JUMP, STORAGE_FAILS, STORAGE_LOST, GUEST_FAILS, FLAP, CUT, CUT_ONE_WAY,
        HEAL, SLOW_LINK, SWITCHOVER, VERIFY, BOTH_HOSTS, ALL_OFF, LEAVE_AND_JOIN, OTHER_POLICY, DISK_FAILS,
        POWER_FAILS
    }

    private static final Kind[] KINDS = Kind.values();

    private final SimCluster cluster;
    private final SplittableRandom random;
    private final int steps;
    final Map<Kind, Integer> happened = new EnumMap<>(Kind.class);
    private int lostStorage = -1;

    Schedule(SimCluster cluster, SplittableRandom random, int steps) {
        this.cluster = cluster;
        this.random = random;
        this.steps = steps;
    }

    void run() {
        if (random.nextBoolean()) {
            cluster.untilProtected();
        }
        cluster.noticeNanosMax = random.nextInt(3) == 0 ? 400_000_000L : 5_000_000L;
        cluster.bulkNanos = 50_000L << random.nextInt(7);
        cluster.controlNanos = 50_000L << random.nextInt(4);
        int pace = 1 << random.nextInt(9);
        for (int i = 0; i < steps; i++) {
            load(random.nextInt(1 + pace) * 1000L + random.nextInt(1000));
            event(KINDS[random.nextInt(KINDS.length)]);
        }
        mend();
        cluster.runUntil("the guest is protected again", 60_000, cluster::isProtected);
        ReplicaScenarioTest.answers(cluster);
        cluster.history.check();
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

    private void event(Kind kind) {
        int victim = random.nextInt(3);
        cluster.note(victim, "-- " + kind);
        SimMember m = cluster.member(victim);
        boolean done = switch (kind) {
            case KILL -> m.alive && isSafe() && kill(victim);
            case KILL_IN_A_STEP -> {
                boolean may = m.alive && isSafe();
                if (may) {
                    m.crashAfter(1 + random.nextInt(20));
                }
                yield may;
            }
            case RESTART -> restartAll();
            case FREEZE -> {
                cluster.freeze(victim, 50L << random.nextInt(6));
                yield true;
            }
            case SLOW_HOST -> {
                m.stepNanos = random.nextBoolean() ? 0 : 100_000L << random.nextInt(6);
                yield true;
            }
            case CLOCK_JUMP -> {
                m.clockAheadNanos += 1_000_000L << random.nextInt(12);
                yield true;
            }
            case STORAGE_FAILS -> {
                boolean may = m.alive && isSafe();
                m.disk.failures = may ? 1 + random.nextInt(3) : 0;
                yield may;
            }
            case STORAGE_LOST -> loseStorage(victim);
            case GUEST_FAILS -> failGuest(cluster.member(victim % 2));
            case FLAP -> {
                cluster.flap(victim, (victim + 1) % 3);
                yield true;
            }
            case CUT -> {
                cluster.cut(victim, (victim + 1) % 3);
                yield true;
            }
            case CUT_ONE_WAY -> {
                cluster.cutOneWay(victim, (victim + 1 + random.nextInt(2)) % 3);
                yield true;
            }
            case HEAL -> {
                cluster.healAll();
                yield true;
            }
            case SLOW_LINK -> {
                cluster.bulkNanos = 50_000L << random.nextInt(9);
                yield true;
            }
            case SWITCHOVER -> order(s -> s.core.requestSwitchover(new CompletableFuture<>()));
            case VERIFY -> order(s -> s.core.requestVerify(new CompletableFuture<VerifyReport>()));
            case BOTH_HOSTS -> isSafe() && kill(0) && kill(1);
            case ALL_OFF -> isSafe() && kill(0) && kill(1) && kill(2);
            case LEAVE_AND_JOIN -> leaveAndJoin();
            case DISK_FAILS -> failDisk(cluster.member(victim % 2));
            case POWER_FAILS -> cluster.hasDisk && random.nextInt(3) == 0 && killAll();
            case OTHER_POLICY -> {
                m.policy = random.nextInt(3) == 0 ? SimPolicies.AS_SHIPPED : SimPolicies.BRISK;
                yield true;
            }
        };
        if (done) {
            happened.merge(kind, 1, Integer::sum);
        }
    }

    /** Whether one more failure is something a group must survive. */
    private boolean isSafe() {
        boolean all = cluster.isProtected();
        for (int i = 0; i < 3; i++) {
            all &= cluster.member(i).alive && !cluster.member(i).isDoomed();
        }
        SimMember s = cluster.server();
        return all && !s.core.isRemoving() && s.consensus.membership().voterMask() == Membership.ALL && cluster.member(SimCluster.WITNESS).consensus.state().equals("NORMAL_FOLLOWER");
    }

    private boolean kill(int victim) {
        if (cluster.member(victim).alive) {
            cluster.kill(victim);
        }
        return true;
    }

    private boolean restartAll() {
        boolean any = false;
        for (int i = 0; i < 3; i++) {
            if (!cluster.member(i).alive) {
                cluster.restart(i);
                any = true;
            }
        }
        return any;
    }

    /** A member comes back with nothing; never a second one before the group is whole again. */
    private boolean loseStorage(int victim) {
        if (!isSafe() || lostStorage >= 0 && lostStorage != victim) {
            return false;
        }
        lostStorage = victim;
        cluster.kill(victim);
        cluster.member(victim).disk.lose();
        if (random.nextBoolean()) {
            cluster.member(victim).disk.guests.lose();
        }
        cluster.restart(victim);
        lostStorage = -1;
        return true;
    }

    private boolean failGuest(SimMember victim) {
        boolean may = victim.alive && isSafe();
        if (may) {
            victim.guest.fail();
        }
        return may;
    }

    private boolean failDisk(SimMember victim) {
        boolean may = cluster.hasDisk && victim.alive && isSafe();
        if (may) {
            victim.disk.guests.failures = 1 + random.nextInt(2);
            if (random.nextBoolean()) {
                victim.step(() -> victim.core.onDiskFailed("input/output error", victim.clock()));
            }
        }
        return may;
    }

    /** At any moment: what is in sync is durable, and so is what those in sync have on their disks. */
    private boolean killAll() {
        return kill(0) && kill(1) && kill(2);
    }

    private interface Order {
        void to(SimMember server);
    }

    private boolean order(Order order) {
        SimMember s = cluster.server();
        if (s != null) {
            s.step(() -> order.to(s));
        }
        return s != null;
    }

    private boolean leaveAndJoin() {
        String name = random.nextBoolean() ? "gamma" : cluster.server() == null ? "beta" : cluster.other(cluster.server()).index == 0
                ? "alpha" : "beta";
        return isSafe() && order(s -> s.core.requestLeave(name, new CompletableFuture<>()));
    }

    private void mend() {
        cluster.run(2000); // whoever is frozen is back then
        restartAll();
        cluster.healAll();
        cluster.noticeNanosMax = 5_000_000;
        cluster.bulkNanos = 200_000;
        cluster.controlNanos = 100_000;
        for (int i = 0; i < 3; i++) {
            cluster.member(i).stepNanos = 0;
            cluster.member(i).disk.failures = 0;
            cluster.member(i).disk.guests.failures = 0;
            cluster.member(i).crashAfter(0);
        }
        readmit();
    }

    /** Whoever has left is asked back, again and again until it is in. */
    private void readmit() {
        restartAll();
        SimMember s = cluster.server();
        if (s != null && s.core.servesInputs()) {
            for (int i = 0; i < 3; i++) {
                if (s.consensus.membership().hasLeft(i)) {
                    String name = s.core.group.member(i).name();
                    s.step(() -> s.core.requestJoin(name, new CompletableFuture<>()));
                    break;
                }
            }
        }
        cluster.after(200, this::readmit);
    }
}
