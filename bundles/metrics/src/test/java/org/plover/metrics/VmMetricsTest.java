package org.plover.metrics;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;

public class VmMetricsTest {
    private static final String LABELS = "{member=\"alpha\",vm=\"redis\"}";

    private final VmMetrics metrics = new VmMetrics();
    private final FakeVm vm = new FakeVm();

    @Before
    public void setUp() {
        metrics.addVm(vm);
    }

    @After
    public void tearDown() {
        metrics.removeVm(vm);
    }

    @Test
    public void shouldCountEveryEpochOnceHoweverOftenItIsAsked() throws IOException {
        vm.commit(1, 1_000);
        vm.commit(2, 30_000);
        assertEquals(2, value("plover_epoch_pause_seconds_count" + LABELS), 0);
        metrics.fetch();
        vm.commit(3, 4_000);
        assertEquals(3, value("plover_epoch_pause_seconds_count" + LABELS), 0);
        assertEquals(3, value("plover_epoch_pause_seconds_count" + LABELS), 0);
        assertEquals(0.035, value("plover_epoch_pause_seconds_sum" + LABELS), 1e-9);
        assertEquals(1, value("plover_epoch_pause_seconds_bucket{member=\"alpha\",vm=\"redis\",le=\"0.001\"}"), 0);
        assertEquals(3 * 841, value("plover_epoch_same_pages_total" + LABELS), 0);
        assertEquals(3 * 900, value("plover_epoch_dirty_pages_sum" + LABELS), 0);
        assertEquals(3 * 12_600, value("plover_transferred_bytes_total" + LABELS), 0);
        assertEquals(1, value("plover_epochs_verified_total" + LABELS), 0);
    }

    @Test
    public void shouldShowZeroBeforeTheFirstFailoverSoThatItIsAnIncrease() throws IOException {
        assertEquals(0, value("plover_failovers_total" + LABELS), 0);
        vm.happen(1, "failover");
        vm.happen(2, "handover");
        vm.happen(3, "member-lost");
        assertEquals(1, value("plover_failovers_total" + LABELS), 0);
        assertEquals(1, value("plover_handovers_total" + LABELS), 0);
        assertEquals(1, value("plover_events_total{kind=\"member-lost\",member=\"alpha\",vm=\"redis\"}"), 0);
    }

    @Test
    public void shouldShowWhatIsTrueNow() throws IOException {
        assertEquals(1, value("plover_protected" + LABELS), 0);
        vm.protectedNow = false;
        assertEquals(0, value("plover_protected" + LABELS), 0);
        assertEquals(1, value("plover_role{member=\"alpha\",role=\"primary\",vm=\"redis\"}"), 0);
        assertEquals(0, value("plover_role{member=\"alpha\",role=\"backup\",vm=\"redis\"}"), 0);
        assertEquals(0.03, value("plover_oldest_held_seconds" + LABELS), 1e-9);
        assertEquals(0.00021, value("plover_member_round_trip_seconds{member=\"alpha\",peer=\"beta\",vm=\"redis\"}"), 1e-9);
        assertEquals(0, value("plover_member_connected{member=\"alpha\",peer=\"gamma\",vm=\"redis\"}"), 0);
        assertEquals(0.4, value("plover_synchronisation_ratio" + LABELS), 1e-9);
    }

    @Test
    public void shouldShowLatenciesOfAgreementInSeconds() throws IOException {
        assertEquals(5, value("plover_input_consensus_seconds_bucket{member=\"alpha\",vm=\"redis\",le=\"1.0E-4\"}"), 0);
        assertEquals(8, value("plover_input_consensus_seconds_bucket{member=\"alpha\",vm=\"redis\",le=\"0.001\"}"), 0);
        assertEquals(9, value("plover_input_consensus_seconds_count" + LABELS), 0);
        assertEquals(0.007, value("plover_input_consensus_seconds_sum" + LABELS), 1e-9);
    }

    @Test
    public void shouldAnswerInOpenMetricsIfAskedTo() throws IOException {
        String accept = "application/openmetrics-text; version=1.0.0";
        assertTrue(metrics.contentType(accept), metrics.contentType(accept).startsWith("application/openmetrics-text"));
        assertTrue(text(accept).endsWith("# EOF\n"));
        assertTrue(metrics.contentType(null), metrics.contentType(null).startsWith("text/plain"));
    }

    @Test
    public void shouldForgetAVmThatIsGone() throws IOException {
        vm.commit(1, 1_000);
        vm.happen(1, "failover");
        assertTrue(text(null).contains("vm=\"redis\""));
        metrics.removeVm(vm);
        assertFalse(text(null), text(null).contains("vm=\"redis\""));
    }

    @Test
    public void shouldGoOnAfterAFailureAndMissNothing() throws IOException {
        vm.commit(1, 1_000);
        metrics.fetch();
        vm.broken = true;
        vm.commit(2, 1_000);
        metrics.fetch();
        vm.broken = false;
        assertEquals(2, value("plover_epoch_pause_seconds_count" + LABELS), 0);
    }

    @Test
    public void shouldShowTheJvmToo() throws IOException {
        metrics.activate();
        try {
            assertTrue(text(null).contains("jvm_memory_used_bytes{"));
        } finally {
            metrics.deactivate();
        }
    }

    private double value(String sample) throws IOException {
        List<String> lines = text(null).lines().toList();
        Optional<String> line = lines.stream().filter(l -> l.startsWith(sample + " ")).findFirst();
        assertTrue("no " + sample + " in " + lines, line.isPresent());
        return Double.parseDouble(line.get().substring(sample.length() + 1));
    }

    private String text(String accept) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        metrics.write(accept, out);
        return out.toString(StandardCharsets.UTF_8);
    }
}
