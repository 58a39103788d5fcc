package org.plover.machine.qemu;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.plover.api.health.Finding;
import org.plover.api.machine.MachineException;
import org.plover.api.machine.MachineListener;
import org.plover.api.machine.MachineSpec;
import org.plover.api.machine.NicSpec;
import org.plover.machine.qemu.Settings.MachineType;

public class HostCheckTest {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();
    private Path kernel;

    @Before
    public void prepare() throws Exception {
        kernel = folder.newFile("kernel").toPath();
    }

    private Path fakeQemu(String says) throws Exception {
        Path program = folder.getRoot().toPath().resolve("fake-qemu");
        Files.writeString(program, "#!/bin/sh\necho '" + says + "'\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        return program;
    }

    private static Settings settings(String qemu, String accelerator, Path ram) {
        return new Settings(qemu, accelerator, MachineType.Q35, "", true, List.of(), 0, ram, 30);
    }

    private MachineSpec spec(int memoryMiB, Path directory, String mac) {
        return new MachineSpec("vm", directory, memoryMiB, 1, kernel, null, "", List.of(new NicSpec(mac, 1500)));
    }

    private static Finding find(List<Finding> findings, String subject) {
        return findings.stream().filter(f -> f.subject().equals(subject)).findFirst().orElseThrow();
    }

    private static void assertError(Finding finding) {
        assertEquals(finding.toString(), Finding.Level.ERROR, finding.level());
        assertFalse("a remedy is given", finding.remedy().isEmpty());
    }

    @Test
    public void shouldRefuseAnOldQemuAndTakeANewOne() throws Exception {
        String qemu = fakeQemu("QEMU emulator version 6.9.1").toString();
        assertError(find(new HostCheck(settings(qemu, "tcg", Path.of("/dev/shm"))).check(), "QEMU version"));
        fakeQemu("QEMU emulator version 10.0.2 (Debian)");
        assertEquals(Finding.Level.OK,
                find(new HostCheck(settings(qemu, "tcg", Path.of("/dev/shm"))).check(), "QEMU version").level());
        fakeQemu("hello");
        assertError(find(new HostCheck(settings(qemu, "tcg", Path.of("/dev/shm"))).check(), "QEMU version"));
    }

    @Test
    public void shouldFindTracingAndTrackingByTryingThem() {
        List<Finding> findings = new HostCheck(settings("no-such-qemu", "tcg", Path.of("/dev/shm"))).check();
        assertError(find(findings, "QEMU version"));
        assertEquals(Finding.Level.WARNING, find(findings, "Accelerator").level());
        assertEquals(Finding.Level.OK, find(findings, "Dirty page tracking").level());
        assertEquals(Finding.Level.OK, find(findings, "Tracing of QEMU").level());
    }

    @Test
    public void shouldRefuseARamDirectoryOnADisk() {
        assertError(find(new HostCheck(settings("q", "tcg", Path.of("/proc"))).check(), "RAM directory"));
        assertError(find(new HostCheck(settings("q", "tcg", Path.of("/no/such"))).check(), "RAM directory"));
    }

    @Test
    public void shouldSayWhatAVirtualMachineLacks() {
        HostCheck check = new HostCheck(settings("q", "tcg", Path.of("/dev/shm")));
        Path fine = folder.getRoot().toPath().resolve("run");
        assertEquals(Finding.Level.OK, find(check.quickCheck(spec(64, fine, "52:54:00:00:00:01")), "Virtual machine").level());
        assertError(find(check.quickCheck(spec(64, fine, "53:54:00:00:00:01")), "Virtual machine"));
        assertError(find(check.quickCheck(spec(64, fine, "52:54")), "Virtual machine"));
        assertError(find(check.quickCheck(spec(1 << 30, fine, "52:54:00:00:00:01")), "Memory"));
        assertError(find(check.quickCheck(spec(1 << 30, fine, "52:54:00:00:00:01")), "Room in RAM directory"));
        assertError(find(check.quickCheck(spec(64, fine.resolve("x".repeat(100)), "52:54:00:00:00:01")), "Runtime directory"));
        assertError(find(check.quickCheck(spec(64, kernel.resolve("run"), "52:54:00:00:00:01")), "Runtime directory"));
    }

    @Test
    public void shouldNotCreateAMachineWhoseKernelIsMissing() throws Exception {
        MachineSpec spec = spec(64, folder.getRoot().toPath().resolve("run"), "52:54:00:00:00:01");
        Files.delete(kernel);
        MachineListener nobody = new MachineListener() {
            @Override
            public void onFrame(int nic, java.nio.ByteBuffer frame) {
                throw new AssertionError("no guest, no frame");
            }

            @Override
            public void onExit(String reason) {
                throw new AssertionError(reason);
            }
        };
        QemuMachineProvider provider = QemuMachineProvider.with(settings(fakeQemu("x").toString(), "tcg", Path.of("/dev/shm")));
        MachineException e = assertThrows(MachineException.class, () -> provider.create(spec, nobody));
        assertEquals("VM vm: Kernel: " + kernel + " does not exist; correct the path in the VM's configuration, or the file's"
                + " permissions", e.getMessage());
        assertFalse("nothing is left behind", Files.exists(spec.runtimeDir()));
    }

    @Test
    public void shouldExplainAWrongConfiguration() {
        assertTrue(assertThrows(IllegalArgumentException.class, () -> Settings.of(configuration("xen", "q35")))
                .getMessage().contains("choose auto, kvm or tcg"));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> Settings.of(configuration("tcg", "isapc")))
                .getMessage().contains("choose q35, pc or microvm"));
        assertEquals(MachineType.MICROVM, Settings.of(configuration("tcg", "microvm")).machineType());
    }

    /** The defaults of the annotation, but for two values. */
    private static QemuConfiguration configuration(String accelerator, String machineType) {
        return (QemuConfiguration) java.lang.reflect.Proxy.newProxyInstance(QemuConfiguration.class.getClassLoader(),
                new Class<?>[] {QemuConfiguration.class}, (proxy, method, arguments) -> switch (method.getName()) {
                    case "accelerator" -> accelerator;
                    case "machineType" -> machineType;
                    default -> method.getDefaultValue();
                });
    }
}
