package org.plover.consensus.paxos.sim;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.plover.consensus.paxos.sim.SimCluster.A;
import static org.plover.consensus.paxos.sim.SimCluster.B;
import static org.plover.consensus.paxos.sim.SimCluster.MILLIS;
import static org.plover.consensus.paxos.sim.SimCluster.WITNESS;

import org.junit.Test;

/** What happens when one thing goes wrong, told one at a time. */
public class PaxosScenarioTest {
    @Test
    public void shouldFormWithTheFirstReplicaLeadingViewOne() {
        SimCluster c = new SimCluster(1);
        c.startAll();
        c.awaitLeader(A);
        assertEquals(1, c.node(A).core().view());
        c.commit();
    }

    @Test
    public void shouldFailOverToTheBackupWhenTheLeaderDies() {
        SimCluster c = SimCluster.formed(2);
        c.commit();
        c.node(A).crash();
        c.awaitLeader(B);
        c.commit();
    }
}
