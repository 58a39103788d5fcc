package org.plover.replication.core;

import org.junit.Test;
import org.plover.api.gate.OutputGate;

/** Faults that were found in the core once, each with the schedule that showed it. */
public final class MendedFaultsTest {
    private final SimCluster cluster = new SimCluster(7);
    private final SimMember alpha = cluster.member(0);
    private final SimMember beta = cluster.member(1);

    /** The rebooted guest's output stayed held: nobody put the gate back from HOLDING to OPEN. */
    @Test
    public void shouldServeAgainWhenTheGuestFailsAfterAJoinsEpoch() {
        cluster.interceptor = (from, to, type) -> type == Wire.APPLIED;
        cluster.runUntil("the join's epoch is captured", 5000, () -> alpha.gate.mode() == OutputGate.Mode.HOLDING);
        alpha.guest.fail();
        cluster.interceptor = (from, to, type) -> false;
        cluster.run(2500);
        ReplicaScenarioTest.answers(cluster);
    }

    /** A backup became in sync with the memory of a guest that has been booted anew meanwhile. */
    @Test
    public void shouldNotBootAnewOnceABackupHasBeenProposed() {
        cluster.runUntil("beta is proposed", 5000, () -> alpha.consensus.membership() != null && alpha.consensus.membership().isInSync(1));
        alpha.guest.fail();
        cluster.runUntil("somebody serves protected", 5000, cluster::isProtected);
        ReplicaScenarioTest.answers(cluster);
        cluster.run(500);
    }

    /** A replica that took over booted the guest anew although the deposed primary still held its state and is in sync. */
    @Test
    public void shouldNotBootAnewBeforeItIsAgreedThatNobodyElseIsInSync() {
        cluster.untilProtected();
        cluster.cut(0, 1);
        cluster.cut(0, SimCluster.WITNESS);
        cluster.runUntil("beta takes over", 5000, () -> beta.state().equals("TAKING_OVER"));
        beta.guest.fail();
        cluster.run(200);
        cluster.healAll();
        cluster.untilProtected();
    }

    /** The learner had applied a join that the primary gave up, and never asked again. */
    @Test
    public void shouldBringABackupInThatWasTooSlowTheFirstTime() {
        alpha.epochTimeoutMillis = 100;
        beta.guest.applyNanos = 1_500_000_000L;
        cluster.runUntil("the join is given up", 20_000,
                () -> alpha.core.snapshot().joinPercent() < 0 && beta.states.contains("LEARNER") && cluster.now() > 2_000_000_000L);
        beta.guest.applyNanos = 500_000;
        cluster.untilProtected();
    }
}
