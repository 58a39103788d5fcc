package org.plover.control.domain;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.junit.Test;
import org.plover.api.health.Finding;
import org.plover.control.domain.Planner.Wishes;

public class PlannerTest {
    private static final List<String> MEMBERS = List.of("a=replica@192.0.2.1:7400", "b=replica@192.0.2.2:7400", "w=witness@192.0.2.3:7400");
    private static final Wishes WISHES = new Wishes("", MEMBERS, "");

    private final Map<String, Long> images = new HashMap<>();
    private final HostView host = new HostView() {
        @Override
        public OptionalLong bytesOf(String path) {
            return images.containsKey(path) ? OptionalLong.of(images.get(path)) : OptionalLong.empty();
        }

        @Override
        public boolean hasBridge(String name) {
            return name.equals("br0");
        }
    };

    @Test
    public void shouldTakeAGuestThatBootsAKernelAsItIs() throws Exception {
        images.put("/dev/vg0/redis", 4L << 30);
        images.put("/srv/redis/seed.img", 1L << 20);
        images.put("/srv/redis/vmlinuz", 8L << 20);
        images.put("/srv/redis/initrd.img", 20L << 20);
        Plan plan = Planner.plan(resource("direct-kernel.xml"), WISHES, host);
        assertTrue(describe(plan), plan.possible());
        assertEquals("redis", plan.name());
        assertEquals(describe(plan), List.of(), of(plan, Finding.Level.WARNING));
        assertEquals(List.of("org.plover.machine.qemu.cfg", "org.plover.vm~redis.config", "org.plover.vm~redis.config", "org.plover.vm~redis.config"),
                plan.files().stream().map(Plan.PlannedFile::name).toList());
        assertTrue(plan.files().get(0).content().contains("cpuModel = Cascadelake-Server\n"));
        assertEquals("""
                self="a"
                members=["a\\=replica@192.0.2.1:7400","b\\=replica@192.0.2.2:7400","w\\=witness@192.0.2.3:7400"]
                kernel="/srv/redis/vmlinuz"
                initrd="/srv/redis/initrd.img"
                kernelArguments="root\\=UUID\\=8b0f console\\=ttyS0 \\"quoted\\""
                memoryMiB=I"1024"
                vcpus=I"1"
                nics=["52:54:00:aa:bb:cc@br0"]
                mtu=I"9000"
                disks=["/dev/vg0/redis,sector\\=4096","/srv/redis/seed.img,readonly"]
                """, plan.files().get(1).content());
        assertFalse("a witness needs no kernel", plan.files().get(3).content().contains("kernel="));
    }

    @Test
    public void shouldSayWhatBlocksADesktopInstallationAndHowToMendIt() throws Exception {
        Plan plan = Planner.plan(resource("debian-uefi.xml"), WISHES, host);
        assertEquals(describe(plan), List.of("Boot"), of(plan, Finding.Level.ERROR));
        assertTrue("qcow2 is said, for it is never guessed", plan.files().get(0).content().contains("disks=[\"/var/lib/libvirt/images/shop.qcow2,format\\=qcow2\"]"));
        assertTrue(describe(plan), describe(plan).contains("UEFI firmware"));
        assertEquals("a name that can be part of a file's", "web-server-shop", plan.name());
        List<String> warned = of(plan, Finding.Level.WARNING);
        assertTrue(warned.toString(), warned.containsAll(List.of("Name", "CPU", "CPUs", "Clock", "Disk sda", "Interface 52:54:00:11:22:33", "Watchdog")));
        assertTrue(plan.changes().toString(), plan.changes().stream().anyMatch(change -> change.contains("org.qemu.guest_agent.0")));
        assertTrue(plan.changes().toString(), plan.changes().stream().anyMatch(change -> change.contains("keeps the 2 that it has now")));
        assertTrue("all of its memory", plan.files().get(0).content().contains("memoryMiB=I\"4096\""));
        assertEquals("a cdrom without a disk, once", 1, plan.changes().stream().filter(change -> change.startsWith("The cdrom sdb")).count());
    }

    @Test
    public void shouldNameEverythingThatCannotBeKeptAlikeOnTwoHosts() throws Exception {
        Plan plan = Planner.plan(resource("windows-11.xml"), WISHES, host);
        assertEquals(describe(plan), List.of("Boot", "NUMA", "Disk sda", "Device filesystem (mount)", "Interface 52:54:00:00:00:01", "Device tpm (tpm-crb)",
                "Device hostdev (pci)"), of(plan, Finding.Level.ERROR));
        assertTrue(describe(plan), describe(plan).contains("-device ivshmem-plain"));
    }

    @Test
    public void shouldReadTheCommandLineOfAScript() throws Exception {
        images.put("/srv/db/root.img", 1L << 30);
        Plan plan = Planner.plan(resource("server-script.txt"), new Wishes("", MEMBERS, "br0"), host);
        assertEquals(describe(plan), List.of(), of(plan, Finding.Level.ERROR));
        String file = plan.files().get(1).content();
        assertTrue(file, file.contains("memoryMiB=I\"2048\"\nvcpus=I\"2\"\n"));
        assertTrue(file, file.contains("kernelArguments=\"root\\=/dev/vda1 console\\=ttyS0\""));
        assertTrue(file, file.contains("nics=[\"52:54:00:de:ad:01@br0\",\"52:54:00:de:ad:02@br0\"]"));
        assertTrue(file, file.contains("disks=[\"/srv/db/root.img\",\"/srv/db/data.qcow2,format\\=qcow2\"]"));
        assertEquals("machineType = pc\ncpuModel = EPYC-Rome\n", plan.files().get(0).content().lines().skip(1).map(line -> line + "\n").collect(Collectors.joining()));
    }

    @Test
    public void shouldRefuseAnImageThatIsNoWholeNumberOfSectors() throws Exception {
        images.put("/dev/vg0/redis", 1_000_003L);
        Plan plan = Planner.plan(resource("direct-kernel.xml"), WISHES, host);
        assertEquals(List.of("Image /dev/vg0/redis"), of(plan, Finding.Level.ERROR));
        assertTrue(describe(plan), describe(plan).contains("truncate -s 1003520 /dev/vg0/redis"));
    }

    @Test
    public void shouldTellThatAddressesAreExamplesWhenNoMembersAreGiven() throws Exception {
        Plan plan = Planner.plan(resource("direct-kernel.xml"), new Wishes("", List.of(), ""), host);
        assertTrue(of(plan, Finding.Level.WARNING).contains("Members"));
        assertTrue(plan.files().get(1).content().contains("192.0.2.1"));
    }

    @Test
    public void shouldMakeTheSameAddressOnEveryHostForAnInterfaceWithoutOne() throws Exception {
        String text = "qemu-system-x86_64 -name x -kernel /k -nic bridge,br=br0,model=virtio-net-pci";
        String first = Planner.plan(text, WISHES, host).files().get(0).content();
        assertTrue(first, first.matches("(?s).*nics=\\[\"52:54:00:[0-9a-f:]{8}@br0\"].*"));
        assertEquals(first, Planner.plan(text, WISHES, host).files().get(0).content());
    }

    @Test
    public void shouldReadNothingFromOutsideOfTheDocument() {
        String external = "<!DOCTYPE domain [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><domain type='kvm'><name>&x;</name></domain>";
        assertTrue(refusal(external), refusal(external).contains("DOCTYPE"));
        String laughs = "<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]><domain type='kvm'><name>&b;</name></domain>";
        assertTrue(refusal(laughs), refusal(laughs).contains("DOCTYPE"));
    }

    @Test
    public void shouldBoundWhatItReads() {
        assertTrue(refusal("<domain>" + "<a>".repeat(40)).contains("deeper than 32"));
        assertTrue(refusal("<domain>" + "<a/>".repeat(6_000) + "</domain>").contains("5000 elements"));
        assertTrue(refusal("<domain>" + " ".repeat(300_000) + "</domain>").contains("at most 262144"));
        assertTrue(refusal("qemu-system-x86_64 " + "-S ".repeat(3_000)).contains("2000 words"));
    }

    @Test
    public void shouldSayWhatIsWrongWithATextThatIsNoMachine() {
        assertTrue(refusal("").contains("neither a libvirt domain"));
        assertTrue(refusal("hello").contains("neither a libvirt domain"));
        assertTrue(refusal("<network><name>default</name></network>").contains("<network>"));
        assertTrue(refusal("<domain type='kvm'><name>x</name>").contains("not well-formed"));
        assertTrue(refusal("<domain type='kvm'><name>x</name></domain>").contains("no <memory>"));
        assertTrue(refusal("<domain type='kvm'><memory unit='cows'>3</memory></domain>").contains("no amount of memory"));
        assertTrue(refusal("<domain type='kvm'><memory unit='TiB'>999999999999999</memory></domain>").contains("larger than any memory"));
        assertTrue(refusal("qemu-system-x86_64 -m lots -kernel /k").contains("'lots'"));
        assertTrue(refusal("qemu-system-x86_64 -append \"root").contains("not closed"));
        assertTrue(refusal("qemu-system-x86_64 -kernel").contains("has no value"));
    }

    @Test
    public void shouldRefuseMembersThatAreNoGroup() throws Exception {
        String text = resource("direct-kernel.xml");
        for (List<String> members : List.of(MEMBERS.subList(0, 2), List.of("a=replica@h:1", "a=replica@i:2", "w=witness@j:3"),
                List.of("a=replica@h:1", "b=witness@i:2", "w=witness@j:3"), List.of("a=replica@h:99999", "b=replica@i:2", "w=witness@j:3"), List.of("nobody"))) {
            assertThrows(members.toString(), DomainException.class, () -> Planner.plan(text, new Wishes("", members, ""), host));
        }
    }

    @Test
    public void shouldKeepTextsOfTheDescriptionWithinTheirValues() throws Exception {
        String text = "<domain type='kvm'><name>x</name><memory>65536</memory><os><type>hvm</type><kernel>/k</kernel>"
                + "<cmdline>a\"\nself=\"evil</cmdline></os></domain>";
        String file = Planner.plan(text, WISHES, host).files().get(0).content();
        assertEquals(1, file.lines().filter(line -> line.startsWith("self=")).count());
    }

    private String refusal(String text) {
        return assertThrows(DomainException.class, () -> Planner.plan(text, WISHES, host)).getMessage();
    }

    private static List<String> of(Plan plan, Finding.Level level) {
        return plan.findings().stream().filter(finding -> finding.level() == level).map(Finding::subject).toList();
    }

    private static String describe(Plan plan) {
        return plan.findings().stream().map(Finding::toString).collect(Collectors.joining("\n"));
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = PlannerTest.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
