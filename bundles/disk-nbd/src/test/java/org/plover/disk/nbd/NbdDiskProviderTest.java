package org.plover.disk.nbd;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.plover.api.disk.DiskAttachment;
import org.plover.api.disk.DiskSpec;
import org.plover.api.disk.Disks;
import org.plover.api.disk.DisksSpec;
import org.plover.api.disk.Standing;
import org.plover.api.health.Finding;

/** Disks on files of this host. */
public class NbdDiskProviderTest {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private final NbdDiskProvider provider = new NbdDiskProvider();
    private Path image;

    @Before
    public void create() throws IOException {
        image = folder.getRoot().toPath().resolve("image");
        resize(8 << 20);
    }

    @After
    public void close() {
        provider.deactivate();
    }

    private void resize(long bytes) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(bytes);
        }
    }

    private DisksSpec spec(String name, int sectorBytes, boolean readOnly) {
        Path root = folder.getRoot().toPath();
        return new DisksSpec(name, root.resolve(name), root.resolve("sockets-" + name), List.of(new DiskSpec(image, sectorBytes, readOnly)));
    }

    private StoreDisks open() throws IOException {
        return (StoreDisks) provider.open(spec("vm", 512, false), reason -> { });
    }

    private String refusal(DisksSpec spec) {
        String message = assertThrows(IOException.class, () -> provider.open(spec, reason -> { })).getMessage();
        assertTrue(message, message.contains(image.toString()));
        return message;
    }

    @Test
    public void shouldServeAndRemember() throws IOException {
        try (StoreDisks disks = open()) {
            DiskAttachment attachment = disks.attachments().get(0);
            assertTrue(Files.exists(attachment.socket()));
            assertEquals("disk0", attachment.export());
            assertEquals(List.of(Finding.ok("disks of vm", "1 served, WHOLE, epoch 0")), provider.check());
            assertEquals(Standing.WHOLE, disks.standing());
            disks.exports().get(0).write(4096, Guest.block(7), true);
            disks.exports().get(0).zero(1 << 20, 1 << 20, true);
            assertEquals(Disks.id(0, 1), disks.nextData(0));
            assertEquals(-1, disks.nextData(2));
            disks.exports().get(0).write(9 * 4096, Guest.block(8), false);
        }
        byte[] raw = Files.readAllBytes(image);
        assertEquals("in the image when closed", 7, ByteBuffer.wrap(raw).getInt(4096));
        assertEquals("was not flushed", 0, ByteBuffer.wrap(raw).getInt(9 * 4096));
        try (StoreDisks disks = open()) {
            ByteBuffer in = ByteBuffer.allocate(4096);
            disks.exports().get(0).read(4096, in);
            assertEquals(7, in.getInt(0));
        }
    }

    @Test
    public void shouldRefuseImagesThatCannotBeUsedAndSayWhatToDo() throws IOException {
        resize(0);
        assertTrue(refusal(spec("vm", 512, false)).contains("is empty; give it"));
        resize((8 << 20) + 512);
        assertTrue(refusal(spec("vm", 4096, false)).contains("grow it to " + ((8 << 20) + 4096)));
        Files.delete(image);
        assertTrue(refusal(spec("vm", 512, false)).contains("create it"));
        Files.createDirectory(image);
        assertTrue(refusal(spec("vm", 512, false)).contains("neither a file nor a block device"));
        Files.delete(image);
        resize(1 << 20);
        open().close();
    }

    @Test
    public void shouldRefuseAnImageOrJournalInUse() throws IOException {
        try (Disks disks = open()) {
            assertTrue(refusal(spec("other", 512, false)).contains("in use"));
            assertThrows(IOException.class, this::open);
        }
        provider.open(spec("other", 512, false), reason -> { }).close();
    }

    @Test
    public void shouldRefuseAnImageThatHasShrunkAndTakeOneThatHasGrown() throws IOException {
        open().close();
        resize(16 << 20);
        try (StoreDisks disks = open()) {
            assertEquals("not without an order", 8 << 20, disks.bytes(0));
            assertEquals("", disks.makeRoom(0, 16 << 20).join());
            disks.resize(0, 16 << 20);
            assertEquals(16 << 20, disks.bytes(0));
            assertEquals("", disks.makeRoom(0, 24 << 20).join());
        }
        assertEquals(24 << 20, Files.size(image));
        resize(8 << 20);
        assertTrue(refusal(spec("vm", 512, false)).contains("must not shrink"));
    }

    @Test
    public void shouldServeAReadOnlyImageAndTakeNoWrites() throws IOException {
        Files.write(image, new byte[] {9}, java.nio.file.StandardOpenOption.WRITE);
        try (StoreDisks disks = (StoreDisks) provider.open(spec("vm", 512, true), reason -> { })) {
            assertTrue(disks.attachments().get(0).readOnly());
            Export export = disks.exports().get(0);
            assertThrows(IOException.class, () -> export.write(0, Guest.block(1), false));
            ByteBuffer in = ByteBuffer.allocate(512);
            export.read(0, in);
            assertEquals(9, in.get(0));
            assertTrue("read-only users can share it", provider.open(spec("other", 512, true), reason -> { }).count() == 1);
        }
    }

    @Test
    public void shouldHandleALastBlockThatIsShort() throws IOException {
        resize((8 << 20) - 512);
        try (StoreDisks disks = open()) {
            Export export = disks.exports().get(0);
            export.write((8 << 20) - 2048, ByteBuffer.wrap(new byte[] {1, 2, 3, 4}), false);
            ByteBuffer block = ByteBuffer.allocate(4096);
            disks.alone();
            disks.read(Disks.id(0, 2047), 1, block);
            assertEquals(3, block.get(2050));
            export.zero(4096, 4096, false);
        }
        assertEquals((8 << 20) - 512, Files.size(image));
        assertEquals(2, Files.readAllBytes(image)[(8 << 20) - 2047]);
    }

    @Test
    public void shouldTellHolesFromData() throws IOException {
        try (StoreDisks disks = open()) {
            Export export = disks.exports().get(0);
            assertEquals(-(8 << 20), export.extent(0, 8 << 20));
            export.write(1 << 20, Guest.block(1), false);
            assertEquals(-(1 << 20), export.extent(0, 8 << 20));
            assertEquals(4096, export.extent(1 << 20, 1 << 20));
            assertEquals(512, export.extent((1 << 20) + 1024, 512));
            export.trim(1 << 20, 8192, true);
            assertEquals(-(8 << 20), export.extent(0, 8 << 20));
        }
    }

    @Test
    public void shouldFindBeforehandWhatIsWrong() throws IOException {
        List<Finding> findings = provider.preflight(spec("vm", 512, false));
        assertEquals(findings.toString(), 2, findings.stream().filter(finding -> finding.level() == Finding.Level.OK).count());
        resize(1000);
        assertEquals(Finding.Level.ERROR, provider.preflight(spec("vm", 512, false)).get(0).level());
        Files.delete(image);
        Finding missing = provider.preflight(spec("vm", 512, false)).get(0);
        assertEquals(Finding.Level.ERROR, missing.level());
        assertTrue(missing.remedy(), missing.remedy().contains("create it"));
    }

    @Test
    public void shouldCloseWhatIsOpenWhenItGoesAway() throws IOException {
        StoreDisks disks = open();
        Path socket = disks.attachments().get(0).socket();
        provider.deactivate();
        assertFalse(Files.exists(socket));
        assertThrows(IOException.class, () -> disks.exports().get(0).read(0, ByteBuffer.allocate(512)));
        open().close();
    }
}
