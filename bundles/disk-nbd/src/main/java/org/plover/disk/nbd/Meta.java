package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.zip.CRC32C;
import org.plover.api.memory.PageSet;

/**
 * What must be remembered beside the journal, in one small file that is replaced as a whole.
 *
 * @param lineage         names this journal
 * @param oldestSequence  first record that is not in the images
 * @param nextSequence    no record with this sequence or a later one existed
 * @param durableSequence up to this record the journal was durable: if one of them is damaged, something is wrong
 * @param changedFrom     records from here on are not counted in {@code changed}; {@link #NOTHING_LEFT} if there are none that count
 * @param partial         the images alone are not what a guest had at one moment
 * @param bond            see {@link org.plover.api.disk.Disks#bond()}
 * @param epoch           the last epoch that counts
 * @param diskBytes       lengths of the disks
 * @param changed         for each disk, chunks that changed
 */
record Meta(long lineage, long oldestSequence, long nextSequence, long durableSequence, long changedFrom, boolean partial, long bond,
        long epoch, long[] diskBytes, PageSet[] changed) {
    static final String FILE = "state";
    static final long NOTHING_LEFT = Long.MAX_VALUE;
    private static final long MAGIC = 0x504c4f5644534b31L;
    private static final int FIXED_BYTES = 8 + 7 * 8 + 4 + 4;

    /** The disks were closed in good order: everything is in the images, and nothing has been appended to the journal since. */
    boolean nothingLeft() {
        return changedFrom == NOTHING_LEFT;
    }

    byte[] encode() {
        int bytes = FIXED_BYTES;
        for (PageSet set : changed) {
            bytes += 8 + set.encodedBytes();
        }
        ByteBuffer out = ByteBuffer.allocate(bytes + 4);
        out.putLong(MAGIC).putLong(lineage).putLong(oldestSequence).putLong(nextSequence).putLong(durableSequence).putLong(changedFrom)
                .putLong(bond).putLong(epoch).putInt(partial ? 1 : 0).putInt(changed.length);
        for (int d = 0; d < changed.length; d++) {
            out.putLong(diskBytes[d]);
            changed[d].encode(out);
        }
        return out.putInt(crc(out.array(), bytes)).array();
    }

    private static int crc(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }

    /** @param file for the message */
    static Meta decode(byte[] bytes, Path file) throws IOException {
        try {
            ByteBuffer in = ByteBuffer.wrap(bytes);
            if (bytes.length < FIXED_BYTES + 4 || in.getLong() != MAGIC || in.getInt(bytes.length - 4) != crc(bytes, bytes.length - 4)) {
                throw damaged(file, "it does not begin like one or its checksum is wrong", null);
            }
            long lineage = in.getLong();
            long oldest = in.getLong();
            long next = in.getLong();
            long durable = in.getLong();
            long changedFrom = in.getLong();
            long bond = in.getLong();
            long epoch = in.getLong();
            boolean partial = in.getInt() != 0;
            int disks = in.getInt();
            long[] diskBytes = new long[disks];
            PageSet[] changed = new PageSet[disks];
            for (int d = 0; d < disks; d++) {
                diskBytes[d] = in.getLong();
                changed[d] = PageSet.decode(in);
            }
            return new Meta(lineage, oldest, next, durable, changedFrom, partial, bond, epoch, diskBytes, changed);
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            throw damaged(file, "its parts do not fit together", e);
        }
    }

    private static IOException damaged(Path file, String how, Exception cause) {
        return new IOException(file + " is not a usable record of what the disks hold: " + how + ". The images must not be guessed about:"
                + " if another replica has the disks, move the directory away and the images too, and let them be copied anew", cause);
    }
}
