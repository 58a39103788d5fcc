package org.plover.disk.nbd;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.plover.api.disk.DiskSpec;
import org.plover.api.disk.Disks;
import org.plover.api.disk.DisksSpec;

/** A disk larger than 2 TiB, where 32 bits do not count sectors any more; sparse, so it takes no room. */
public class LargeDiskTest {
    private static final long BYTES = 3L << 40;

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private StoreDisks open() throws Exception {
        Path image = folder.getRoot().toPath().resolve("large.img");
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(BYTES);
        }
        DisksSpec spec = new DisksSpec("vm", folder.getRoot().toPath().resolve("state"), folder.getRoot().toPath(),
                List.of(new DiskSpec(image, 4096, false)));
        return new StoreDisks(spec, reason -> { }, new LinuxFiles(), () -> new StoreSettings(8 << 20, 1 << 20, 4 << 20), closed -> { });
    }

    @Test
    public void shouldKeepWhatIsWrittenAtItsEnd() throws Exception {
        byte[] last = new byte[4096];
        java.util.Arrays.fill(last, (byte) 7);
        long block = BYTES / 4096 - 1;
        StoreDisks disks = open();
        disks.exports().get(0).write(BYTES - 4096, ByteBuffer.wrap(last), true);
        assertArrayEquals(new long[] {Disks.id(0, block)}, disks.fetchWritten());
        assertTrue(disks.changed(0).contains((int) (block / Disks.CHUNK_BLOCKS)));
        assertEquals("all before it is a hole", Disks.id(0, block), disks.nextData(0));
        disks.close();

        disks = open();
        ByteBuffer read = ByteBuffer.allocate(4096);
        disks.exports().get(0).read(BYTES - 4096, read);
        assertArrayEquals(last, read.array());
        assertEquals(1, disks.changed(0).size());
        disks.close();
    }
}
