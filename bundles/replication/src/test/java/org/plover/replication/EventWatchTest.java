package org.plover.replication;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.Test;
import org.plover.api.consensus.Membership;
import org.plover.api.group.Group;
import org.plover.api.group.Member;
import org.plover.api.group.MemberKind;
import org.plover.api.status.EpochRecord;
import org.plover.api.status.VmEvent;
import org.plover.replication.core.ReplicaCore;
import org.slf4j.LoggerFactory;

/** The group as beta, the second replica, sees it. */
public class EventWatchTest {
    private static final int ALPHA = 1;
    private static final int BETA = 2;
    private static final int GAMMA = 4;

    private final Group group = new Group("redis", 1, List.of(
            new Member(0, "alpha", MemberKind.REPLICA, "192.0.2.1", 7400),
            new Member(1, "beta", MemberKind.REPLICA, "192.0.2.2", 7400),
            new Member(2, "gamma", MemberKind.WITNESS, "192.0.2.3", 7400)));
    private final EventLog log = new EventLog(LoggerFactory.getLogger(EventWatchTest.class), System::currentTimeMillis, event -> { });
    private final EventWatch watch = new EventWatch(group, log);
    private long millis = 1_000_000;
    private long alphaHeard = millis;
    private int inSync = ALPHA | BETA;
    private int connected = Membership.ALL;

    @Test
    public void shouldTellOfAFailoverWithTheTimeTheFormerLeaderWasSilent() {
        look("BACKUP", 3, 0);
        long before = last().sequence();
        connected = BETA | GAMMA;
        millis += 310;
        look("UNSETTLED", 4, -1);
        look("TAKING_OVER", 4, 1);
        millis += 20;
        inSync = BETA;
        look("SOLO", 4, 1);
        List<VmEvent> failovers = log.since(before).stream().filter(e -> e.kind().equals("failover")).toList();
        assertEquals(List.of("beta leads view 4 and serves the guest; alpha was not heard of for 310 ms"),
                failovers.stream().map(VmEvent::text).toList());
        assertEquals(List.of("role-changed", "unprotected", "failover"), log.since(before).stream().map(VmEvent::kind).toList());
    }

    @Test
    public void shouldTellAHandoverFromAFailover() {
        look("BACKUP", 3, 0);
        hear();
        look("UNSETTLED", 4, -1);
        hear();
        look("TAKING_OVER", 4, 1);
        hear();
        look("SOLO", 4, 1);
        assertEquals(List.of("beta leads view 4 and serves the guest; alpha handed it over"), texts("handover"));
        assertEquals(List.of(), texts("failover"));
    }

    @Test
    public void shouldTellAFollowerWhoLeadsNow() {
        look("SOLO", 4, 1);
        look("UNSETTLED", 5, -1);
        hear();
        look("LEARNER", 5, 0);
        assertEquals(List.of("alpha leads view 5 now; beta led view 4"), texts("handover"));
        look("UNSETTLED", 6, -1);
        look("LEARNER", 6, 0);
        assertEquals(List.of("alpha leads again, in view 6"), texts("view-changed"));
    }

    @Test
    public void shouldTellWhenProtectionBeginsAndEnds() {
        look("BACKUP", 3, 0);
        assertEquals(List.of("protected: the death of any one host is survived"), texts("protected"));
        connected = ALPHA | BETA;
        look("BACKUP", 3, 0);
        look("BACKUP", 3, 0);
        assertEquals(1, texts("unprotected").size());
        assertTrue(texts("unprotected").get(0), texts("unprotected").get(0).startsWith("gamma cannot be reached"));
    }

    @Test
    public void shouldNotRepeatWhatHasNotChanged() {
        look("BACKUP", 3, 0);
        int events = log.since(0).size();
        for (int i = 0; i < 10; i++) {
            look("BACKUP", 3, 0);
        }
        assertEquals(events, log.since(0).size());
    }

    @Test
    public void shouldTellOfASlowEpochNowAndThen() {
        watch.onEpoch(epoch(1, 3_000), 0);
        assertEquals(List.of(), texts("epoch-slow"));
        watch.onEpoch(epoch(2, 800_000), 0);
        watch.onEpoch(epoch(3, 800_000), TimeUnit.SECONDS.toNanos(1));
        watch.onEpoch(epoch(4, 900_000), TimeUnit.SECONDS.toNanos(3));
        List<String> slow = texts("epoch-slow");
        assertEquals(2, slow.size());
        assertEquals("epoch 2 took 802 ms: the guest stood still for 5 ms, alpha had it after 800 ms and ran on 2 ms later;"
                + " 900 pages were written, 12 KiB were sent", slow.get(0));
        assertTrue(slow.get(1), slow.get(1).startsWith("epoch 4") && slow.get(1).endsWith("; 1 more like it since the last one told"));
    }

    private static EpochRecord epoch(long number, long commitMicros) {
        return new EpochRecord(number, 3, 25_000, 5_000, commitMicros, 2_000, 900, 841, 0, 0, 12_600, 7, "idle", -1);
    }

    private void hear() {
        millis += 10;
        alphaHeard = millis;
    }

    private void look(String state, long view, int leader) {
        long now = TimeUnit.MILLISECONDS.toNanos(millis);
        Membership membership = new Membership(view, 1, inSync, Membership.ALL, 0, new long[Group.SIZE]);
        watch.observe(new GroupLoop.StatusView(new ReplicaCore.Snapshot(state, "as the test says", -1, 7, 0), view, leader, leader == 1,
                "NORMAL", membership, 9, now, now, new long[] {TimeUnit.MILLISECONDS.toNanos(alphaHeard), now, now},
                new long[] {Long.MIN_VALUE, Long.MIN_VALUE, Long.MIN_VALUE}), connected);
    }

    private VmEvent last() {
        List<VmEvent> all = log.since(0);
        return all.get(all.size() - 1);
    }

    private List<String> texts(String kind) {
        return log.since(0).stream().filter(e -> e.kind().equals(kind)).map(VmEvent::text).toList();
    }
}
