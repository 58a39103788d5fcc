package org.plover.machine.qemu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A qcow2 image with one internal snapshot whose VM state lies in one contiguous run of clusters: {@code snapshot-load} takes
 * whatever bytes were written there, so that loading a state costs one write into tmpfs and no image work.
 * Layout by QEMU's {@code docs/interop/qcow2.txt}: cluster 0 header, 1 refcount table, 2 refcount block, 3 active L1,
 * 4 snapshot table, 5 the snapshot's L1, 6 L2 (shared by both), 7 and up the VM state.
 */
final class StateSlot implements AutoCloseable {
    /** Name of the snapshot. */
    static final String TAG = "s";
    /** Largest state that fits. */
    static final int CAPACITY_BYTES = 4 << 20;
    /** Where in the file the state lies. */
    static final long STATE_OFFSET = 7L << 16;

    private static final int CLUSTER_BITS = 16;
    private static final int CLUSTER = 1 << CLUSTER_BITS;
    private static final int STATE_CLUSTERS = CAPACITY_BYTES >> CLUSTER_BITS;
    private static final int CLUSTERS = 7 + STATE_CLUSTERS;

    private final FileChannel file;

    private StateSlot(FileChannel file) {
        this.file = file;
    }

    /** Makes the image anew. */
    static StateSlot create(Path path) throws IOException {
        FileChannel file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            writeFully(file, metadata(), 0);
            writeFully(file, ByteBuffer.allocate(1), (long) CLUSTERS * CLUSTER - 1);
            return new StateSlot(file);
        } catch (IOException e) {
            file.close();
            throw e;
        }
    }

    static ByteBuffer metadata() {
        ByteBuffer b = ByteBuffer.allocate(7 * CLUSTER);
        // header, version 3; the virtual disk is one cluster, so that the VM state begins at the second L1 entry
        b.putInt(0x514649fb).putInt(3).putLong(0).putInt(0).putInt(CLUSTER_BITS).putLong(CLUSTER).putInt(0);
        b.putInt(2).putLong(3L * CLUSTER);
        b.putLong(CLUSTER).putInt(1);
        b.putInt(1).putLong(4L * CLUSTER);
        b.putLong(0).putLong(0).putLong(0).putInt(4).putInt(104);
        b.putLong(CLUSTER, 2L * CLUSTER);
        for (int i = 0; i < CLUSTERS; i++) {
            b.putShort(2 * CLUSTER + 2 * i, (short) (i < 6 ? 1 : 2));
        }
        b.putLong(3 * CLUSTER + 8, 6L * CLUSTER);
        b.putLong(5 * CLUSTER + 8, 6L * CLUSTER);
        for (int i = 0; i < STATE_CLUSTERS; i++) {
            b.putLong(6 * CLUSTER + 8 * i, STATE_OFFSET + (long) i * CLUSTER);
        }
        b.position(4 * CLUSTER);
        b.putLong(5L * CLUSTER).putInt(2).putShort((short) 1).putShort((short) TAG.length());
        b.putInt(1).putInt(0).putLong(0).putInt(CAPACITY_BYTES);
        b.putInt(24).putLong(CAPACITY_BYTES).putLong(CLUSTER).putLong(-1);
        b.put((byte) '1').put(TAG.getBytes(StandardCharsets.US_ASCII));
        return b.clear();
    }

    /** Puts a state in place; its remaining bytes are read, its position stays. */
    void write(ByteBuffer state) throws IOException {
        if (state.remaining() > CAPACITY_BYTES) {
            throw new IOException("device state of " + state.remaining() + " bytes does not fit into the slot of "
                    + CAPACITY_BYTES + " bytes: use fewer devices");
        }
        writeFully(file, state.duplicate(), STATE_OFFSET);
    }

    private static void writeFully(FileChannel file, ByteBuffer from, long at) throws IOException {
        long offset = at;
        while (from.hasRemaining()) {
            offset += file.write(from, offset);
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
