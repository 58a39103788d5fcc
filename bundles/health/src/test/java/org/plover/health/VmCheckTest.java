package org.plover.health;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.stream.StreamSupport;
import org.apache.felix.hc.api.Result;
import org.apache.felix.hc.api.ResultLog;
import org.junit.Test;
import org.plover.api.status.MemberStatus;
import org.plover.api.status.Percentiles;
import org.plover.api.status.ProtectedVm;
import org.plover.api.status.Role;
import org.plover.api.status.VmStatus;

public class VmCheckTest {
    private Role role = Role.PRIMARY;
    private boolean protectedNow = true;
    private long quorumMillis = 10;
    private boolean betaConnected = true;
    private boolean gammaConnected = true;
    private boolean gammaVotes = true;
    private List<String> notes = List.of();

    @Test
    public void shouldBeFineWithAProtectedVm() {
        assertEquals(Result.Status.OK, check().getStatus());
    }

    @Test
    public void shouldWarnOfAVmThatIsNotProtectedAndSayWhy() {
        protectedNow = false;
        Result result = check();
        assertEquals(Result.Status.WARN, result.getStatus());
        assertTrue(texts(result), texts(result).contains("alpha: gamma cannot be reached; bring it {back}"));
    }

    @Test
    public void shouldWarnOfAMemberThatIsBeingBroughtIn() {
        protectedNow = false;
        role = Role.SYNCHRONISING;
        assertEquals(Result.Status.WARN, check().getStatus());
    }

    @Test
    public void shouldWarnOfWhatShouldNotBe() {
        notes = List.of("interface plv-redis-0 is on no bridge");
        Result result = check();
        assertEquals(Result.Status.WARN, result.getStatus());
        assertTrue(texts(result), texts(result).contains("plv-redis-0"));
    }

    @Test
    public void shouldCallAFailedMemberCritical() {
        role = Role.FAILED;
        assertEquals(Result.Status.CRITICAL, check().getStatus());
    }

    @Test
    public void shouldCallALostMajorityCriticalOnWhateverMemberNoticesIt() {
        protectedNow = false;
        betaConnected = false;
        assertEquals("two of three are there", Result.Status.WARN, check().getStatus());
        gammaConnected = false;
        assertEquals(Result.Status.CRITICAL, check().getStatus());
        role = Role.VIEW_CHANGE;
        assertEquals(Result.Status.CRITICAL, check().getStatus());
    }

    @Test
    public void shouldCountOnlyTheVotesThatCount() {
        protectedNow = false;
        gammaVotes = false;
        betaConnected = false;
        assertEquals("one of two is no majority, whoever else is there", Result.Status.CRITICAL, check().getStatus());
    }

    @Test
    public void shouldCallAPrimaryCriticalWhoseLinksLookUpButWhoGetsNoMajority() {
        protectedNow = false;
        quorumMillis = 1500;
        assertEquals(Result.Status.CRITICAL, check().getStatus());
    }

    private Result check() {
        VmStatus status = new VmStatus("redis", "alpha", role, protectedNow, protectedNow ? "protected" : "gamma cannot be reached; bring it {back}",
                "", notes, 3, "alpha", 7, List.of(new MemberStatus("alpha", "replica", true, true, true, true, false, 0, -1),
                        new MemberStatus("beta", "replica", false, betaConnected, true, true, false, 0, 210),
                        new MemberStatus("gamma", "witness", false, gammaConnected, false, gammaVotes, false, 0, 1350)),
                0, 0, 0, 0, quorumMillis, 0, 0, Percentiles.NONE, Percentiles.NONE, Percentiles.NONE, Percentiles.NONE, Percentiles.NONE,
                0, 0, 0, -1, "xxh3", "idle", "tcp");
        ProtectedVm vm = (ProtectedVm) Proxy.newProxyInstance(ProtectedVm.class.getClassLoader(), new Class<?>[] {ProtectedVm.class},
                (proxy, method, arguments) -> {
                    assertEquals("a check only looks", "status", method.getName());
                    return status;
                });
        return new VmCheck(vm).execute();
    }

    private static String texts(Result result) {
        return StreamSupport.stream(result.spliterator(), false).map(ResultLog.Entry::getMessage).toList().toString();
    }
}
