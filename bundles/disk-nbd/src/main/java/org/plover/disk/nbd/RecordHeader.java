package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.plover.api.disk.Disks;
import org.plover.linux.Memory;

/**
 * One record of the journal: this header with the numbers of its blocks, padded to whole blocks, then the content of those that
 * are not zero. What must be durable wholly or not at all may take several records, a group; all have the number of its first one,
 * and only the last one says that it is the last.
 *
 * @param lineage       whose journal it is; another one's, in a block that a guest wrote, must not be taken for ours
 * @param sequence      counts up by one with every record
 * @param groupFirst    sequence of the group's first record
 * @param durableBefore up to this sequence everything was durable when this record was written
 * @param argument      what UNSTAGE names
 * @param ids           blocks; {@link #ZERO} is set in one that reads as zeros
 */
record RecordHeader(RecordKind kind, boolean last, long lineage, long sequence, long groupFirst, long durableBefore, long epoch,
        long argument, int contents, int contentCrc, long[] ids) {
    static final long ZERO = 1L << 63;
    static final int CONTENTS_MAX = 4096;
    static final int IDS_MAX = 8192;
    private static final long MAGIC = 0x504c4f564a4e4c31L;
    private static final int FIXED_BYTES = 8 + 4 + 4 + 6 * 8 + 3 * 4 + 4;

    /** Blocks that a header with so many ids takes. */
    static int blocks(int ids) {
        return (FIXED_BYTES + ids * 8 + Disks.BLOCK_BYTES - 1) / Disks.BLOCK_BYTES;
    }

    int headerBlocks() {
        return blocks(ids.length);
    }

    int totalBlocks() {
        return headerBlocks() + contents;
    }

    ByteBuffer encode() {
        ByteBuffer out = Memory.allocate(headerBlocks() * Disks.BLOCK_BYTES);
        out.putLong(MAGIC).putInt(kind.ordinal()).putInt(last ? 1 : 0).putLong(lineage).putLong(sequence).putLong(groupFirst)
                .putLong(durableBefore).putLong(epoch).putLong(argument).putInt(ids.length).putInt(contents).putInt(contentCrc);
        int crcAt = out.position();
        out.putInt(0);
        for (long id : ids) {
            out.putLong(id);
        }
        int end = out.position();
        out.putInt(crcAt, crc(out, end));
        return out.clear();
    }

    private static int crc(ByteBuffer header, int end) {
        CRC32C crc = new CRC32C();
        crc.update(header.duplicate().position(0).limit(end));
        return (int) crc.getValue();
    }

    /** Whether this block begins like a record of this journal. */
    static boolean mayBegin(ByteBuffer block, long lineage) {
        return block.getLong(0) == MAGIC && block.getLong(16) == lineage;
    }

    /** The header at this block, or null if there is no whole one of this journal. */
    static RecordHeader read(DiskFile file, int atBlock, long lineage) throws IOException {
        long offset = (long) atBlock * Disks.BLOCK_BYTES;
        if (offset + Disks.BLOCK_BYTES > file.bytes()) {
            return null;
        }
        ByteBuffer in = Memory.allocate(Disks.BLOCK_BYTES);
        file.read(offset, in);
        in.flip();
        if (!mayBegin(in, lineage)) {
            return null;
        }
        int count = in.getInt(FIXED_BYTES - 16);
        int contents = in.getInt(FIXED_BYTES - 12);
        if (count < 0 || count > IDS_MAX || contents < 0 || contents > CONTENTS_MAX
                || offset + (long) (blocks(count) + contents) * Disks.BLOCK_BYTES > file.bytes()) {
            return null;
        }
        if (blocks(count) > 1) {
            in = Memory.allocate(blocks(count) * Disks.BLOCK_BYTES);
            file.read(offset, in);
            in.flip();
        }
        int crc = in.getInt(FIXED_BYTES - 4);
        in.putInt(FIXED_BYTES - 4, 0);
        int kind = in.getInt(8);
        if (crc != crc(in, FIXED_BYTES + count * 8) || kind < 0 || kind >= RecordKind.values().length) {
            return null;
        }
        in.position(FIXED_BYTES);
        long[] ids = new long[count];
        in.asLongBuffer().get(ids);
        return new RecordHeader(RecordKind.values()[kind], in.getInt(12) == 1, lineage, in.getLong(24), in.getLong(32), in.getLong(40),
                in.getLong(48), in.getLong(56), contents, in.getInt(FIXED_BYTES - 8), ids);
    }

    /** Whether the content after the header is what was written. */
    boolean hasItsContent(DiskFile file, int atBlock) throws IOException {
        CRC32C crc = new CRC32C();
        ByteBuffer buffer = Memory.allocate(64 * Disks.BLOCK_BYTES);
        long offset = (long) (atBlock + headerBlocks()) * Disks.BLOCK_BYTES;
        long left = (long) contents * Disks.BLOCK_BYTES;
        while (left > 0) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), left));
            file.read(offset, buffer);
            buffer.flip();
            offset += buffer.remaining();
            left -= buffer.remaining();
            crc.update(buffer);
        }
        return (int) crc.getValue() == contentCrc;
    }
}
