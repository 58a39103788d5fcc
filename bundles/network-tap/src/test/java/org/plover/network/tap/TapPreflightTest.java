package org.plover.network.tap;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.plover.api.health.Finding;
import org.plover.api.health.Finding.Level;

public class TapPreflightTest {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    @Test
    public void shouldBeContentWithADeviceAndTheCapability() throws Exception {
        assertEquals(List.of(Level.OK, Level.OK), levels(check("CapEff:\t0000000000001000\n", "/dev/null")));
    }

    @Test
    public void shouldSayWhatToDoWhenTheCapabilityIsMissing() throws Exception {
        List<Finding> findings = check("CapPrm:\t0000000000001000\nCapEff:\t000001ffffffefff\n", "/dev/null");
        assertEquals(List.of(Level.OK, Level.ERROR), levels(findings));
        assertTrue(findings.get(1).remedy().contains("CAP_NET_ADMIN"));
    }

    @Test
    public void shouldSayWhatToDoWhenTheDeviceIsMissing() throws Exception {
        List<Finding> findings = check("CapEff:\t000001ffffffffff\n", folder.getRoot() + "/tun");
        assertEquals(List.of(Level.ERROR, Level.OK), levels(findings));
        assertTrue(findings.get(0).remedy(), findings.get(0).remedy().contains("modprobe tun"));
    }

    @Test
    public void shouldWarnWhenTheCapabilitiesCannotBeRead() throws Exception {
        assertEquals(List.of(Level.OK, Level.WARNING), levels(check("nothing\n", "/dev/null")));
        assertEquals(List.of(Level.OK, Level.WARNING), levels(check("CapEff:\tmany\n", "/dev/null")));
    }

    private List<Finding> check(String status, String device) throws Exception {
        Path file = folder.newFile().toPath();
        Files.writeString(file, status);
        return new TapPreflight(file, device).check();
    }

    private static List<Level> levels(List<Finding> findings) {
        return findings.stream().map(Finding::level).toList();
    }
}
