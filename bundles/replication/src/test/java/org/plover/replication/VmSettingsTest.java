package org.plover.replication;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.Test;
import org.plover.api.disk.DiskFormat;
import org.plover.api.disk.DiskSpec;
import org.plover.api.group.MemberKind;

public class VmSettingsTest {
    private static final String[] MEMBERS = {"a=replica@10.0.0.1:7000", "b=replica@host-b.example:7001", " c=witness@[fd00::3]:7002 "};

    /** A configuration of defaults and what is given here. */
    private static VmConfig config(Object... keysAndValues) {
        Map<String, Object> values = new HashMap<>(Map.of("self", "a", "members", MEMBERS, "kernel", "/boot/guest"));
        for (int i = 0; i < keysAndValues.length; i += 2) {
            values.put((String) keysAndValues[i], keysAndValues[i + 1]);
        }
        return (VmConfig) Proxy.newProxyInstance(VmConfig.class.getClassLoader(), new Class<?>[] {VmConfig.class},
                (proxy, method, arguments) -> values.getOrDefault(method.getName(), method.getDefaultValue()));
    }

    private static VmSettings of(Object... keysAndValues) {
        return VmSettings.of("web", config(keysAndValues), Path.of("/data"));
    }

    @Test
    public void shouldTellWhichKeysHaveChangedAndHow() {
        assertEquals("epochTimeoutMillis: 3000 -> 5000; hashers: [xxh3, java] -> [java]",
                SettingChanges.between(config(), config("hashers", new String[] {"java"}, "epochTimeoutMillis", 5000)));
        assertEquals("", SettingChanges.between(config(), config()));
    }

    private static void assertRefused(String key, String value, Object... keysAndValues) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> of(keysAndValues));
        assertTrue(e.getMessage(), e.getMessage().contains(key));
        assertTrue(e.getMessage(), e.getMessage().contains(value));
    }

    @Test
    public void shouldReadAWholeConfiguration() {
        VmSettings s = of("self", "b", "memoryMiB", 512, "vcpus", 2, "initrd", "/boot/initrd", "kernelArguments", "quiet", "mtu", 9000,
                "nics", new String[] {"52:54:00:AB:00:01@br0", " 52:54:00:ab:00:02@/tap7 ", ""});
        assertEquals("b", s.group().me().name());
        assertEquals(MemberKind.WITNESS, s.group().member(2).kind());
        assertEquals("[fd00::3]", s.group().member(2).host());
        assertEquals(7001, s.group().me().port());
        assertEquals(512, s.machine().memoryMiB());
        assertEquals(Path.of("/boot/initrd"), s.machine().initrd());
        assertEquals(2, s.ports().size());
        assertEquals("52:54:00:ab:00:01", s.ports().get(0).mac());
        assertEquals("br0", s.ports().get(0).bridge());
        assertEquals("plv-web-0", s.ports().get(0).tap());
        assertEquals("", s.ports().get(1).bridge());
        assertEquals("tap7", s.ports().get(1).tap());
        assertEquals(9000, s.machine().nics().get(1).mtu());
        assertEquals(Path.of("/data/vm/web"), s.stateDir());
    }

    @Test
    public void shouldDoWithoutKernelOnAWitnessOnly() {
        VmSettings s = of("self", "c", "kernel", "");
        assertEquals(MemberKind.WITNESS, s.group().me().kind());
        assertNull(s.machine().initrd());
        assertRefused("kernel", "is not set", "kernel", " ");
    }

    @Test
    public void shouldCutTheNameOfATapToWhatTheKernelTakes() {
        VmSettings s = VmSettings.of("a-very-long-name", config("nics", new String[] {"52:54:00:00:00:01@br0"}), Path.of("/data"));
        assertEquals("plv-a-very-lo-0", s.ports().get(0).tap());
    }

    @Test
    public void shouldNameTheKeyAndTheValueOfWhatIsOutOfRange() {
        assertRefused("memoryMiB", "31", "memoryMiB", 31);
        assertRefused("memoryMiB", "1048577", "memoryMiB", (1 << 20) + 1);
        assertRefused("vcpus", "0", "vcpus", 0);
        assertRefused("vcpus", "256", "vcpus", 256);
        assertRefused("mtu", "575", "mtu", 575);
        assertRefused("mtu", "9001", "mtu", 9001);
        assertRefused("verifyIntervalEpochs", "-1", "verifyIntervalEpochs", -1);
        assertRefused("epochTimeoutMillis", "99", "epochTimeoutMillis", 99);
        assertRefused("inputBacklogBytesMax", "65535", "inputBacklogBytesMax", 65535L);
        assertRefused("inputBacklogBytesMax", "1073741825", "inputBacklogBytesMax", (1L << 30) + 1);
    }

    @Test
    public void shouldNameWhatIsWrongWithAMember() {
        assertRefused("members", "a:replica", "members", new String[] {"a:replica@h:1", MEMBERS[1], MEMBERS[2]});
        assertRefused("members", "a=backup@h:1", "members", new String[] {"a=backup@h:1", MEMBERS[1], MEMBERS[2]});
        assertRefused("members", "a=replica@h:70000", "members", new String[] {"a=replica@h:70000", MEMBERS[1], MEMBERS[2]});
        assertRefused("members", "has 2", "members", new String[] {MEMBERS[0], MEMBERS[2]});
        assertRefused("members", "d=replica@h:9", "members", new String[] {MEMBERS[0], MEMBERS[1], MEMBERS[2], "d=replica@h:9"});
        assertRefused("members", "called a", "members", new String[] {MEMBERS[0], "a=replica@h:9", MEMBERS[2]});
        assertRefused("witness", "has 0", "members", new String[] {MEMBERS[0], MEMBERS[1], "c=replica@h:9"});
        assertRefused("self", "'z'", "self", "z");
        assertRefused("members", "has 0", "members", null);
    }

    @Test
    public void shouldNameWhatIsWrongWithAnInterface() {
        assertRefused("nics", "52:54:00:00:00@br0", "nics", new String[] {"52:54:00:00:00@br0"});
        assertRefused("nics", "52:54:00:00:00:01", "nics", new String[] {"52:54:00:00:00:01"});
        assertRefused("nics", "a-name-too-long-for-it", "nics", new String[] {"52:54:00:00:00:01@br0/a-name-too-long-for-it"});
        assertRefused("nics", "53:54:00:00:00:01", "nics", new String[] {"53:54:00:00:00:01@br0"});
        assertRefused("nics", "52:54:00:00:00:0a", "nics", new String[] {"52:54:00:00:00:0a@br0", "52:54:00:00:00:0A@br1"});
    }

    @Test
    public void shouldTakeAnImageForRawUnlessAFormatIsNamed() {
        VmSettings s = of("disks", new String[] {"/a", "/b,format=qcow2,sector=4096", "/c,readonly,format=raw", "/format=qcow2"});
        assertEquals(List.of(new DiskSpec(Path.of("/a"), 512, false, DiskFormat.UNSTATED), new DiskSpec(Path.of("/b"), 4096, false, DiskFormat.QCOW2),
                new DiskSpec(Path.of("/c"), 512, true, DiskFormat.RAW), new DiskSpec(Path.of("/format=qcow2"), 512, false, DiskFormat.UNSTATED)),
                s.disks().disks());
        assertRefused("disks", "/a,format=vmdk", "disks", new String[] {"/a,format=vmdk"});
        assertRefused("disks", "two formats", "disks", new String[] {"/a,format=raw,format=qcow2"});
        assertRefused("disks", "used twice", "disks", new String[] {"/a,format=qcow2", "/a"});
    }

    @Test
    public void shouldKnowWhichChangesNeedARestart() {
        assertTrue(of().sameButForLive(of("policy", "other", "epochTimeoutMillis", 500, "hashers", new String[] {"java"})));
        assertFalse(of().sameButForLive(of("memoryMiB", 300)));
        assertFalse(of().sameButForLive(of("self", "b")));
        assertFalse(of().sameButForLive(of("nics", new String[] {"52:54:00:00:00:01@br0"})));
    }

    @Test
    public void shouldTakeNewAddressesOfOthersWithoutARestart() {
        String moved = MEMBERS[2].substring(0, MEMBERS[2].indexOf('@')) + "@elsewhere:9";
        assertTrue(of().sameButForLive(of("members", new String[] {MEMBERS[0], MEMBERS[1], moved})));
        String self = MEMBERS[0].substring(0, MEMBERS[0].indexOf('@')) + "@elsewhere:9";
        assertFalse(of().sameButForLive(of("members", new String[] {self, MEMBERS[1], MEMBERS[2]})));
        assertFalse(of().sameButForLive(of("members", new String[] {MEMBERS[0], "x" + MEMBERS[1], MEMBERS[2]})));
    }

    @Test
    public void shouldNameEveryDifferenceOfTheOtherReplicasHardware() {
        long[] none = {};
        assertEquals(List.of(), of().differences(none, of("kernel", "/elsewhere").hardware(none), "b"));
        assertEquals(List.of("memoryMiB is 256 here and 300 on b"), of().differences(none, of("memoryMiB", 300).hardware(none), "b"));
        VmSettings disk = of("disks", new String[] {"/a"});
        assertEquals(List.of("disk 0 is 8192 bytes, sector 512 here and 4096 bytes, sector 512 on b"),
                disk.differences(new long[] {8192}, disk.hardware(new long[] {4096}), "b"));
        assertEquals(List.of("nic 0 is not there here and 52:54:00:00:00:01, mtu 1500 on b"),
                of("nics", new String[0]).differences(none, of("nics", new String[] {"52:54:00:00:00:01@br0"}).hardware(none), "b"));
    }
}
