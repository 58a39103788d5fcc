package org.plover.replication.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import org.junit.Test;
import org.plover.api.gate.OutputGate;

/**
 * The guest's disk belongs to the epoch (S6). That every disk in sync explains whatever leaves, and that disk, memory and devices
 * are of one moment wherever a guest runs, is watched by {@link SimCluster} and {@link FakeGuest} in every one of these.
 */
public class DiskScenarioTest {
    private final SimCluster cluster = new SimCluster(7, true);
    private final SimMember alpha = cluster.member(0);

    private void losePower() {
        for (int i = 0; i < 3; i++) {
            cluster.kill(i);
        }
        cluster.run(50);
        for (int i = 0; i < 3; i++) {
            cluster.restart(i);
        }
    }

    private long answered() {
        ReplicaScenarioTest.answers(cluster);
        return cluster.answers();
    }

    @Test
    public void shouldComeBackWithEverythingThatWasAnsweredWhenAllPowerIsLost() {
        cluster.untilProtected();
        for (int i = 0; i < 10; i++) {
            answered();
        }
        losePower();
        cluster.untilProtected();
        assertEquals("booted anew", 2, cluster.boots);
        answered();
        cluster.history.check();
    }

    @Test
    public void shouldComeBackWithEverythingThatWasAnsweredWithoutABackup() {
        cluster.untilProtected();
        cluster.kill(1);
        cluster.runUntil("alpha serves alone", 5000, () -> alpha.gate.mode() == OutputGate.Mode.OPEN);
        for (int i = 0; i < 10; i++) {
            answered();
        }
        losePower();
        cluster.untilProtected();
        answered();
        cluster.history.check();
    }

    @Test
    public void shouldHoldOutputUntilTheEpochIsDurableOnThePrimaryToo() {
        cluster.untilProtected();
        alpha.guest.commitNanos = 100_000_000;
        cluster.run(200);
        long input = cluster.input();
        cluster.runUntil("the backup has applied the epoch", 1000, () -> cluster.member(1).guest.state.devices != null
                && cluster.knows(cluster.member(1), input) && alpha.core.primary.phase() == PrimaryEpochs.Phase.TRANSFERRING);
        assertFalse("it would be lost if both hosts lost power now", cluster.isAnswered(input));
        cluster.runUntil("the answer leaves", 1000, () -> cluster.isAnswered(input));
    }

    @Test
    public void shouldServeAfterAFailoverOnlyWhenTheDiskIsDurable() {
        cluster.untilProtected();
        SimMember beta = cluster.member(1);
        beta.guest.settleNanos = 1_000_000_000;
        cluster.kill(0);
        cluster.runUntil("beta leads", 5000, () -> beta.state().equals("TAKING_OVER"));
        cluster.run(300);
        assertEquals("the majority has agreed long ago", 2, beta.agreed.inSyncMask());
        assertEquals("TAKING_OVER", beta.state());
        assertFalse(beta.portsActive);
        cluster.runUntil("beta serves", 2000, () -> beta.portsActive);
        answered();
    }

    @Test
    public void shouldHandOverWhenAWriteToThePrimarysDiskFails() {
        cluster.untilProtected();
        answered();
        alpha.disk.guests.failures = 1;
        cluster.runUntil("beta serves", 5000, () -> cluster.server() == cluster.member(1));
        cluster.untilProtected();
        assertEquals("the guest has not been booted again", 1, cluster.boots);
        answered();
        cluster.history.check();
    }

    @Test
    public void shouldNotLeadFromHalfACopy() {
        cluster.untilProtected();
        answered();
        cluster.kill(1);
        cluster.runUntil("alpha serves alone", 5000, () -> alpha.gate.mode() == OutputGate.Mode.OPEN);
        alpha.guest.precopyNanos = 400_000_000;
        cluster.restart(1);
        cluster.runUntil("the copy has begun", 10_000, () -> alpha.core.snapshot().joinPercent() >= 50);
        cluster.kill(1);
        cluster.kill(0);
        cluster.restart(1);
        cluster.run(5000);
        assertEquals("beta holds half a copy, and alpha alone is in sync", null, cluster.server());
        cluster.restart(0);
        cluster.untilProtected();
        answered();
        cluster.history.check();
        assertTrue(cluster.boots >= 2);
    }
}
