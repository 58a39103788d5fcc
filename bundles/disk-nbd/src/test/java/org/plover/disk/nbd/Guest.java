package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.plover.api.disk.DiskSpec;
import org.plover.api.disk.Disks;
import org.plover.api.disk.DisksSpec;

/** Disks on a {@link MemoryFiles}, and what a guest does to them in whole blocks of one byte's value. */
final class Guest {
    static final Path STATE = Path.of("state");
    static final StoreSettings SMALL = new StoreSettings(2 << 20, 1 << 16, 1 << 20);

    final MemoryFiles files;
    final StoreDisks disks;
    final List<String> failures = new ArrayList<>();

    Guest(MemoryFiles files, int count) throws IOException {
        this(files, count, SMALL);
    }

    Guest(MemoryFiles files, int count, StoreSettings settings) throws IOException {
        this.files = files;
        this.disks = new StoreDisks(spec(count), failures::add, files, () -> settings, closed -> { });
    }

    static Path image(int disk) {
        return Path.of("image" + disk);
    }

    static MemoryFiles images(int count, int blocks) {
        MemoryFiles files = new MemoryFiles();
        for (int d = 0; d < count; d++) {
            files.create(image(d), blocks * Disks.BLOCK_BYTES);
        }
        return files;
    }

    static DisksSpec spec(int count) {
        List<DiskSpec> specs = new ArrayList<>();
        for (int d = 0; d < count; d++) {
            specs.add(new DiskSpec(image(d), 512, false));
        }
        return new DisksSpec("vm", STATE, Path.of("sockets"), specs);
    }

    /** Four bytes, over and over. */
    static ByteBuffer block(int value) {
        byte[] block = new byte[Disks.BLOCK_BYTES];
        ByteBuffer buffer = ByteBuffer.wrap(block).putInt(0, value);
        for (int filled = 4; filled < block.length; filled *= 2) {
            System.arraycopy(block, 0, block, filled, filled);
        }
        return buffer;
    }

    void write(int disk, long block, int value) throws IOException {
        disks.exports().get(disk).write(block * Disks.BLOCK_BYTES, block(value), false);
    }

    /** One request, with one more in each block. */
    void writeLong(int disk, long block, int count, int value) throws IOException {
        ByteBuffer all = ByteBuffer.allocate(count * Disks.BLOCK_BYTES);
        for (int i = 0; i < count; i++) {
            all.put(block(value + i));
        }
        disks.exports().get(disk).write(block * Disks.BLOCK_BYTES, all.flip(), false);
    }

    void zero(int disk, long block, int count) throws IOException {
        disks.exports().get(disk).zero(block * Disks.BLOCK_BYTES, (long) count * Disks.BLOCK_BYTES, false);
    }

    void flush() throws IOException {
        disks.exports().get(0).flush();
    }

    int read(int disk, long block) throws IOException {
        ByteBuffer in = ByteBuffer.allocate(Disks.BLOCK_BYTES);
        disks.exports().get(disk).read(block * Disks.BLOCK_BYTES, in);
        return value(in);
    }

    /** A block as it is, sector by sector. */
    int[] readSectors(int disk, long block) throws IOException {
        ByteBuffer in = ByteBuffer.allocate(Disks.BLOCK_BYTES);
        disks.exports().get(disk).read(block * Disks.BLOCK_BYTES, in);
        int[] values = new int[Disks.BLOCK_BYTES / 512];
        for (int i = 0; i < values.length; i++) {
            values[i] = value(ByteBuffer.wrap(Arrays.copyOfRange(in.array(), i * 512, (i + 1) * 512)));
        }
        return values;
    }

    int readSealed(int disk, long block) throws IOException {
        ByteBuffer in = ByteBuffer.allocate(Disks.BLOCK_BYTES);
        disks.read(Disks.id(disk, block), 1, in);
        return value(in);
    }

    private static int value(ByteBuffer block) {
        byte[] bytes = block.array();
        if (!Arrays.equals(bytes, 0, bytes.length - 4, bytes, 4, bytes.length)) {
            throw new AssertionError("a block is torn");
        }
        return block.getInt(0);
    }

    void commit(long epoch) {
        disks.seal(epoch);
        disks.commit(epoch).join();
    }

    void stage(long epoch, int disk, long block, int value) throws IOException {
        disks.stageBegin(epoch);
        disks.stage(Disks.id(disk, block), block(value));
        disks.stageEnd(epoch);
    }

    /** Power is lost; the old process's threads end without another write. */
    Guest crash(java.util.Random random) throws IOException {
        MemoryFiles after = files.crash(random);
        disks.close(false);
        return new Guest(after, disks.count());
    }
}
