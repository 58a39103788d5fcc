package org.plover.disk.nbd;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.plover.api.disk.DiskFormat;
import org.plover.api.disk.DiskSpec;
import org.plover.api.disk.DisksSpec;
import org.plover.api.health.Finding;

/** Which images are taken for qcow2, and which of them are served. */
public class Qcow2HeaderTest {
    private static final long BYTES = 5L << 40;

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private final NbdDiskProvider provider = new NbdDiskProvider();
    private final ByteBuffer header = ByteBuffer.allocate(8192).putInt(0, 0x514649fb).putInt(4, 3).putInt(20, 16).putLong(24, BYTES);
    private Path image;

    @Before
    public void create() {
        image = folder.getRoot().toPath().resolve("image");
    }

    private void write() throws IOException {
        Files.write(image, header.array());
    }

    private DisksSpec spec(DiskFormat format) {
        Path root = folder.getRoot().toPath();
        return new DisksSpec("vm", root.resolve("state"), root.resolve("sockets"), List.of(new DiskSpec(image, 512, false, format)));
    }

    private void assertRefused(String reason, String remedy) throws IOException {
        write();
        for (IOException e : List.of(assertThrows(IOException.class, () -> provider.open(spec(DiskFormat.QCOW2), failed -> { })),
                assertThrows(IOException.class, () -> LinuxFiles.bytes(spec(DiskFormat.QCOW2).disks().get(0))))) {
            assertTrue(e.getMessage(), e.getMessage().startsWith("disk image " + image + " "));
            assertTrue(e.getMessage(), e.getMessage().contains(reason));
            assertTrue(e.getMessage(), e.getMessage().contains(remedy));
        }
    }

    @Test
    public void shouldKnowTheLengthOfTheDiskWithoutOpeningIt() throws IOException {
        write();
        assertEquals(BYTES, LinuxFiles.bytes(spec(DiskFormat.QCOW2).disks().get(0)));
        assertEquals(8192, LinuxFiles.bytes(spec(DiskFormat.RAW).disks().get(0)));
        header.putInt(4, 2).putLong(72, 7);
        write();
        assertEquals("version 2 has no features", BYTES, LinuxFiles.bytes(spec(DiskFormat.QCOW2).disks().get(0)));
    }

    @Test
    public void shouldRefuseWhatCannotBeServedAndSayWhatToDo() throws IOException {
        header.putLong(8, 4096).putInt(16, 10).put(4096, "base\u00e9.img".getBytes(StandardCharsets.UTF_8));
        assertRefused("has the backing file base\u00e9.img", "qemu-img rebase");
        header.putLong(8, 0).putInt(32, 2);
        assertRefused("is encrypted", "qemu-img convert");
        header.putInt(32, 0).putLong(72, 2);
        assertRefused("is marked as corrupt", "qemu-img check");
        header.putLong(72, 4);
        assertRefused("in another file", "qemu-img convert");
        header.putLong(72, 0).putInt(4, 4);
        assertRefused("version 4", "qemu-img convert");
        header.putInt(0, 0);
        assertRefused("is none", "format=raw");
        Files.write(image, new byte[] {'Q', 'F', 'I', (byte) 0xfb, 0, 0, 0, 3});
        assertTrue(assertThrows(IOException.class, () -> LinuxFiles.bytes(spec(DiskFormat.QCOW2).disks().get(0))).getMessage()
                .contains("ends within its header"));
    }

    @Test
    public void shouldNotWriteOverWhatLooksLikeQcow2UnlessItIsCalledRaw() throws IOException {
        write();
        String refusal = assertThrows(IOException.class, () -> provider.open(spec(DiskFormat.UNSTATED), failed -> { })).getMessage();
        assertTrue(refusal, refusal.contains("begins like a qcow2 image") && refusal.contains(",format=qcow2") && refusal.contains(",format=raw"));
        Finding finding = provider.preflight(spec(DiskFormat.UNSTATED)).get(0);
        assertEquals(Finding.Level.ERROR, finding.level());
        assertTrue(finding.toString(), finding.text().contains("begins like a qcow2 image") && finding.remedy().contains(",format=qcow2"));
        assertEquals(Finding.Level.OK, provider.preflight(spec(DiskFormat.RAW)).get(0).level());
        provider.open(spec(DiskFormat.RAW), failed -> { }).close();
        assertEquals("as the guest left it", -1, Files.mismatch(image, Files.write(image.resolveSibling("same"), header.array())));
    }

    @Test
    public void shouldLetAGuestWriteToItsRawDiskWhateverItLikes() throws IOException {
        Files.write(image, new byte[8192]);
        try (StoreDisks disks = (StoreDisks) provider.open(spec(DiskFormat.UNSTATED), failed -> { })) {
            disks.exports().get(0).write(0, header.duplicate().clear(), true);
        }
        assertEquals(Finding.Level.OK, provider.preflight(spec(DiskFormat.UNSTATED)).get(0).level());
        try (StoreDisks disks = (StoreDisks) provider.open(spec(DiskFormat.UNSTATED), failed -> { })) {
            assertEquals("it is still raw", 8192, disks.bytes(0));
        }
    }
}
