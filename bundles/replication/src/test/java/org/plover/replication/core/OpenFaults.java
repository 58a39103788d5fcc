package org.plover.replication.core;

import org.plover.api.gate.OutputGate;

/**
 * The ledger of faults that are known and not mended yet: scenarios that fail, so not part of the build. {@link #main} runs
 * them all and tells how each one ends. Who mends one moves it to {@link ReplicaScenarioTest}.
 */
final class OpenFaults {
    private final SimCluster cluster = new SimCluster(7);
    private final SimMember alpha = cluster.member(0);
    private final SimMember beta = cluster.member(1);

    /** The rebooted guest's output stays held: nobody puts the gate back from HOLDING to OPEN. */
    void shouldServeAgainWhenTheGuestFailsAfterAJoinsEpoch() {
        cluster.interceptor = (from, to, type) -> type == Wire.APPLIED;
        cluster.runUntil("the join's epoch is captured", 5000, () -> alpha.gate.mode() == OutputGate.Mode.HOLDING);
        alpha.guest.fail();
        cluster.run(50);
        ReplicaScenarioTest.answers(cluster);
    }

    /** A backup becomes in sync with the memory of a guest that has been booted anew meanwhile. */
    void shouldNotBootAnewOnceABackupHasBeenProposed() {
        cluster.runUntil("beta is proposed", 5000, () -> alpha.consensus.membership() != null && alpha.consensus.membership().isInSync(1));
        alpha.guest.fail();
        cluster.runUntil("somebody serves protected", 5000, cluster::isProtected);
        ReplicaScenarioTest.answers(cluster);
        cluster.run(500);
    }

    /** A replica that takes over boots the guest anew although the deposed primary still holds its state and is in sync. */
    void shouldNotBootAnewBeforeItIsAgreedThatNobodyElseIsInSync() {
        cluster.untilProtected();
        cluster.cut(0, 1);
        cluster.cut(0, SimCluster.WITNESS);
        cluster.runUntil("beta takes over", 5000, () -> beta.state().equals("TAKING_OVER"));
        beta.guest.fail();
        cluster.run(200);
        cluster.healAll();
        cluster.untilProtected();
    }

    /** The learner has applied a join that the primary gave up, and never asks again. */
    void shouldBringABackupInThatWasTooSlowTheFirstTime() {
        alpha.epochTimeoutMillis = 100;
        beta.guest.applyNanos = 1_500_000_000L;
        cluster.runUntil("the join is given up", 20_000,
                () -> alpha.core.snapshot().joinPercent() < 0 && beta.states.contains("LEARNER") && cluster.now() > 2_000_000_000L);
        beta.guest.applyNanos = 500_000;
        cluster.untilProtected();
    }

    /** Inputs that one guest has taken up before an epoch's end and the other has not are given twice. */
    void shouldGiveEveryInputOnceToABackupThatIsSlowerThanThePrimary() {
        cluster.untilProtected();
        beta.guest.consumeNanos = 200_000_000;
        for (int i = 0; i < 50; i++) {
            cluster.input();
            cluster.run(3);
        }
        cluster.run(500);
    }

    private interface Scenario {
        void run(OpenFaults faults);
    }

    public static void main(String[] arguments) {
        java.util.Map<String, Scenario> all = new java.util.LinkedHashMap<>();
        all.put("guest fails after a join's epoch", OpenFaults::shouldServeAgainWhenTheGuestFailsAfterAJoinsEpoch);
        all.put("guest fails when a backup is proposed", OpenFaults::shouldNotBootAnewOnceABackupHasBeenProposed);
        all.put("guest fails while taking over", OpenFaults::shouldNotBootAnewBeforeItIsAgreedThatNobodyElseIsInSync);
        all.put("slow first join", OpenFaults::shouldBringABackupInThatWasTooSlowTheFirstTime);
        all.put("slow backup", OpenFaults::shouldGiveEveryInputOnceToABackupThatIsSlowerThanThePrimary);
        all.forEach((name, scenario) -> {
            try {
                scenario.run(new OpenFaults());
                System.out.println(name + ": mended");
            } catch (RuntimeException | AssertionError e) {
                System.out.println(name + ": " + e.getMessage());
            }
        });
    }
}
