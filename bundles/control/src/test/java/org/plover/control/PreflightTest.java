package org.plover.control;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.Test;
import org.plover.api.health.Finding;
import org.plover.api.health.Finding.Level;
import org.plover.api.health.PreflightCheck;

public class PreflightTest {
    private final Finding fine = Finding.ok("KVM", "usable");
    private final Finding slow = Finding.warning("CPU", "two cores", "take four");

    @Test
    public void shouldReturnFindingsInTheOrderOfTheChecks() throws InterruptedException {
        assertEquals(List.of(fine, slow), run(Duration.ofSeconds(5), () -> List.of(fine), () -> List.of(slow)));
    }

    @Test
    public void shouldMakeAFindingOfACheckThatFails() throws InterruptedException {
        List<Finding> findings = run(Duration.ofSeconds(5), () -> {
            throw new IllegalStateException("no such file");
        }, () -> List.of(fine));
        assertEquals(Level.ERROR, findings.get(0).level());
        assertTrue(findings.get(0).text().contains("no such file"));
        assertEquals(fine, findings.get(1));
    }

    @Test
    public void shouldNotWaitForEverForACheck() throws InterruptedException {
        CountDownLatch never = new CountDownLatch(1);
        CountDownLatch interrupted = new CountDownLatch(1);
        List<Finding> findings = run(Duration.ofMillis(100), () -> {
            try {
                never.await();
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
            return List.of();
        }, () -> List.of(fine));
        assertEquals(Level.ERROR, findings.get(0).level());
        assertTrue(findings.get(0).text().contains("has not ended"));
        interrupted.await();
    }

    @Test
    public void shouldNotCallAHostGoodThatNobodyLookedAt() throws InterruptedException {
        assertEquals(Level.ERROR, run(Duration.ofSeconds(1)).get(0).level());
        // A check of ours that fails for want of a framework; it is there, and still nobody looked at the host.
        List<Finding> findings = run(Duration.ofSeconds(1), new BundleCheck(null));
        assertEquals(2, findings.size());
        assertEquals("pre-flight checks", findings.get(0).subject());
    }

    @Test
    public void shouldExitWithOneOnlyForAnError() {
        assertEquals(0, exitCode(List.of(fine, slow)));
        assertEquals(1, exitCode(List.of(fine, Finding.error("QEMU", "not there", "install it"))));
    }

    private static int exitCode(List<Finding> findings) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        List<Integer> codes = new ArrayList<>();
        CheckMode.report(findings, new PrintStream(out, true, StandardCharsets.UTF_8), codes::add);
        String[] lines = out.toString(StandardCharsets.UTF_8).split("\n");
        assertEquals(4, lines.length);
        assertTrue(lines[2], lines[2].startsWith("[{\"level\":"));
        assertEquals(1, codes.size());
        return codes.get(0);
    }

    private static List<Finding> run(Duration limit, PreflightCheck... checks) throws InterruptedException {
        return new Preflight(limit).run(List.of(checks));
    }
}
