package org.plover.machine.qemu;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.Test;
import org.plover.api.disk.DiskAttachment;
import org.plover.api.machine.MachineSpec;
import org.plover.api.machine.NicSpec;
import org.plover.machine.qemu.Settings.MachineType;

public class CommandLineTest {
    private static final Path RAM = Path.of("/dev/shm");

    private static MachineSpec spec(String name, Path initrd, NicSpec... nics) {
        return new MachineSpec(name, Path.of("/run/x,y"), 512, 3, Path.of("/boot/k"), initrd, "quiet", List.of(nics));
    }

    private static String line(Settings settings, MachineSpec spec, String accelerator) {
        return String.join(" ", CommandLine.build(settings, spec, accelerator, CommandLine.Files.of(spec, RAM)));
    }

    private static Settings with(MachineType type, boolean legacy, String cpu, String... extra) {
        return new Settings("q", "auto", type, cpu, legacy, List.of(extra), 0, RAM, 30, 700);
    }

    @Test
    public void shouldGiveEveryInterfaceItsSocketMacAndMtu() {
        String line = line(Settings.DEFAULT, spec("redis", null, new NicSpec("52:54:00:00:00:01", 1500),
                new NicSpec("52:54:00:00:00:02", 9000)), "tcg");
        assertTrue(line, line.contains("-netdev stream,id=net1,server=off,addr.type=unix,addr.path=/run/x,,y/nic1 -device "
                + "virtio-net-pci,disable-modern=on,disable-legacy=off,romfile=,id=nic1,netdev=net1,mac=52:54:00:00:00:02,host_mtu=9000"));
        assertTrue(line, line.contains("netdev=net0,mac=52:54:00:00:00:01 -chardev"));
        assertTrue(line, line.contains("-object filter-redirector,id=drop1,netdev=net1,queue=tx,outdev=drop1,status=off"));
    }

    @Test
    public void shouldAttachEveryDiskToItsExport() {
        MachineSpec spec = spec("redis", null).withDisks(List.of(new DiskAttachment(Path.of("/run/d,0"), "root", 512, false),
                new DiskAttachment(Path.of("/run/d1"), "data", 4096, true)));
        String line = line(Settings.DEFAULT, spec, "tcg");
        assertTrue(line, line.contains("-blockdev driver=nbd,node-name=disk0,server.type=unix,server.path=/run/d,,0,export=root,"
                + "reconnect-delay=30 -device virtio-blk-pci,disable-modern=on,disable-legacy=off,id=blk0,drive=disk0,"
                + "serial=plover-0,logical_block_size=512,physical_block_size=512,"));
        assertTrue(line, line.contains("export=data,reconnect-delay=30,read-only=on -device virtio-blk-pci,"));
        assertTrue(line, line.contains("serial=plover-1,logical_block_size=4096,physical_block_size=4096,"));
        assertTrue(line, line.contains("werror=report,rerror=report"));
        String microvm = line(with(MachineType.MICROVM, true, ""), spec, "kvm");
        assertTrue(microvm, microvm.contains("-device virtio-blk-device,id=blk0,drive=disk0,"));
    }

    @Test
    public void shouldConfineQemuToTheSystemCallsItNeeds() {
        for (MachineType type : MachineType.values()) {
            String line = line(with(type, true, ""), spec("redis", null), "kvm");
            assertTrue(line, line.contains("-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny "));
        }
    }

    @Test
    public void shouldShareTheMainMemoryAndNothingElse() {
        String line = line(Settings.DEFAULT, spec("redis", null), "tcg");
        assertTrue(line, line.contains("memory-backend-file,id=ram0,share=on,size=512M,mem-path=/dev/shm/plover-redis-"));
        assertTrue(line, line.contains("-m 512M") && line.contains("-smp 3") && line.contains("memory-backend=ram0"));
        assertFalse(line, line.contains("-initrd"));
    }

    @Test
    public void shouldKeepTheGuestsTimeOffTheTscUnderEmulationOnly() {
        assertEquals("quiet clocksource=hpet tsc=unstable", CommandLine.kernelArguments(MachineType.Q35, true, "quiet"));
        assertEquals("tsc_early_khz=1000000", CommandLine.kernelArguments(MachineType.MICROVM, true, ""));
        assertEquals("quiet", CommandLine.kernelArguments(MachineType.Q35, false, "quiet"));
        assertEquals("the operator knows better", "clocksource=acpi_pm",
                CommandLine.kernelArguments(MachineType.PC, true, "clocksource=acpi_pm"));
    }

    @Test
    public void shouldFollowTheSettings() {
        String kvm = line(with(MachineType.MICROVM, true, "", "-device", "virtio-rng-device"),
                spec("a", Path.of("/i"), new NicSpec("52:54:00:00:00:01", 1500)), "kvm");
        assertTrue(kvm, kvm.contains("-accel kvm -cpu host"));
        assertTrue(kvm, kvm.contains("-machine microvm,suppress-vmdesc=on,acpi=on,"));
        assertTrue(kvm, kvm.contains("-device virtio-net-device,id=nic0,netdev=net0,mac="));
        assertTrue(kvm, kvm.contains("-initrd /i"));
        assertTrue(kvm, kvm.endsWith("-append quiet -device virtio-rng-device"));
        String modern = line(with(MachineType.PC, false, "Nehalem"), spec("a", null, new NicSpec("52:54:00:00:00:01", 1500)), "tcg");
        assertTrue(modern, modern.contains("-cpu Nehalem"));
        assertFalse(modern, modern.contains("disable-modern"));
    }

    @Test
    public void shouldSeparateTwoMembersOfOneVmOnOneHost() {
        MachineSpec a = new MachineSpec("vm/1", Path.of("/run/a"), 64, 1, Path.of("/k"), null, "", List.of());
        MachineSpec b = new MachineSpec("vm/1", Path.of("/run/b"), 64, 1, Path.of("/k"), null, "", List.of());
        Path first = CommandLine.Files.of(a, RAM).scratch();
        assertNotEquals(first, CommandLine.Files.of(b, RAM).scratch());
        assertEquals("the same at the next start", first, CommandLine.Files.of(a, RAM).scratch());
        assertEquals("names stay within the directory", RAM, first.getParent());
    }
}
