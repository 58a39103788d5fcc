package org.plover.consensus.paxos.sim;

import static org.plover.consensus.paxos.sim.SimCluster.MILLIS;

import java.util.SplittableRandom;
import org.plover.api.consensus.Membership;
import org.plover.consensus.paxos.SimProviders;

/** One seed: some seconds of faults while inputs are proposed, then peace, in which the group must go on if it can. */
public final class ChaosRun {
    private static final int MEMBERS = 3;

    private final long seed;
    private final SplittableRandom random;
    private final SimCluster cluster;
    private final boolean fromTheBeginning;
    private final boolean losesStorage;
    private boolean lostBeforeFormed;
    int faults;

    ChaosRun(long seed) {
        this.seed = seed;
        random = new SplittableRandom(seed * 7919 + 17);
        cluster = new SimCluster(seed);
        cluster.provider = seed % 3 == 0 ? SimProviders.NARROW : SimProviders.AS_SHIPPED;
        fromTheBeginning = random.nextInt(4) == 0;
        losesStorage = random.nextBoolean();
    }

    SimCluster cluster() {
        return cluster;
    }

    /** Throws an error that begins with the seed if a promise does not hold. */
    void run(long faultNanos) {
        try {
            cluster.startAll();
            if (!fromTheBeginning) {
                cluster.awaitProtected();
            }
            cluster.loadInputs = true;
            int gapMillis = 5 + random.nextInt(400);
            long end = cluster.now() + faultNanos;
            while (cluster.now() < end) {
                cluster.run(random.nextLong(2 * gapMillis * MILLIS));
                fault();
                faults++;
            }
            peace();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("seed " + seed + ": " + e.getMessage() + "\n" + cluster, e);
        }
    }

    private void fault() {
        SimNode n = cluster.node(random.nextInt(MEMBERS));
        SimNode other = cluster.node((n.index + 1 + random.nextInt(2)) % MEMBERS);
        switch (random.nextInt(12)) {
            case 0, 1 -> {
                if (n.isUp()) {
                    n.crash();
                }
            }
            case 2, 3, 4 -> restart(n);
            case 5 -> n.pause(random.nextLong(600 * MILLIS));
            case 6 -> cluster.network().cut(n.index, other.index);
            case 7 -> cluster.network().isolate(n.index);
            case 8, 9 -> cluster.network().heal();
            case 10 -> cluster.network().breakLink(n.index, other.index, 1 + random.nextLong(300 * MILLIS));
            case 11 -> handOver();
            default -> throw new IllegalStateException();
        }
    }

    private void restart(SimNode n) {
        if (n.isUp()) {
            return;
        }
        if (losesStorage && random.nextInt(3) == 0 && othersCount(n)) {
            n.storage.lose();
            lostBeforeFormed |= !cluster.ledger().isFormed();
        }
        n.start();
    }

    /** Losing the storage of two voters is more than the group can know of. */
    private boolean othersCount(SimNode n) {
        Membership m = cluster.ledger().newestMembership();
        boolean count = true;
        for (int i = 0; i < MEMBERS && m != null; i++) {
            count &= i == n.index || cluster.node(i).incarnation() == m.incarnation(i);
        }
        return count;
    }

    private void handOver() {
        SimNode leader = cluster.leader();
        if (leader != null) {
            int other = 1 - leader.index;
            if (leader.pausedUntil() <= cluster.now() && leader.core().membership().isInSync(other)
                    && leader.core().commitIndex() == leader.core().lastIndex()) {
                leader.core().handOver(other, cluster.now());
            }
        }
    }

    private void peace() {
        cluster.network().heal();
        for (int i = 0; i < MEMBERS; i++) {
            for (int j = i + 1; j < MEMBERS; j++) {
                cluster.network().breakLink(i, j, MILLIS);
            }
            cluster.node(i).coldBoot = true;
        }
        cluster.startAll();
        cluster.run(700 * MILLIS);
        if (mustGoOn()) {
            cluster.commit();
            cluster.awaitProtected();
        }
    }

    boolean mustGoOn() {
        if (!cluster.ledger().isFormed()) {
            return !lostBeforeFormed;
        }
        Membership m = cluster.ledger().newestMembership();
        int voters = 0;
        boolean fit = false;
        for (int i = 0; i < MEMBERS; i++) {
            SimNode n = cluster.node(i);
            if (m.incarnation(i) == n.incarnation()) {
                voters++;
                fit |= m.isInSync(i) && (n.canLead() || n.canColdStart());
            }
        }
        return voters >= 2 && fit;
    }

    /**
     * For itests/mutants.sh: runs seeds until a promise is broken; a group that does not go on is only counted. Returns "broken" or
     * "kept", seed, seeds, seeds that did not go on, and what was said, with tabs between them.
     */
    public static String planted(long first, long count) {
        long stuck = 0;
        for (long seed = first; seed < first + count; seed++) {
            try {
                new ChaosRun(seed).run(3_000 * MILLIS);
            } catch (AssertionError e) {
                String what = e.getMessage().lines().findFirst().orElse("").replaceFirst("^seed \\d+: ", "");
                if (!what.startsWith("never happened")) {
                    return "broken\t" + seed + "\t" + (seed - first + 1) + "\t" + stuck + "\t" + what;
                }
                stuck++;
            }
        }
        return "kept\t-\t" + count + "\t" + stuck + "\t-";
    }

    /** Many seeds from the command line: first seed, number of seeds. */
    public static void main(String[] args) {
        long first = Long.parseLong(args[0]);
        long count = Long.parseLong(args[1]);
        long begin = System.nanoTime();
        int failed = 0;
        int alive = 0;
        long deliveries = 0;
        long faults = 0;
        for (long seed = first; seed < first + count; seed++) {
            ChaosRun run = new ChaosRun(seed);
            try {
                run.run(3_000 * MILLIS);
                alive += run.mustGoOn() ? 1 : 0;
            } catch (AssertionError e) {
                failed++;
                System.out.println(e.getMessage());
                if (count == 1) {
                    e.printStackTrace(System.out);
                }
            }
            deliveries += run.cluster().ledger().deliveries;
            faults += run.faults;
        }
        long millis = (System.nanoTime() - begin) / 1_000_000;
        System.out.println(count + " seeds, " + failed + " failed, " + alive + " had to go on and did, " + deliveries + " deliveries, "
                + faults + " faults, " + millis + " ms, " + count * 60_000 / Math.max(1, millis) + " seeds/min");
    }
}
