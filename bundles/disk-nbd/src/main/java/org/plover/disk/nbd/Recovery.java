package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.plover.api.disk.Disks;
import org.plover.linux.Memory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads a journal after a crash and brings the images to the last state that was made durable. Used once, before anyone else has the files. */
final class Recovery {
    private static final Logger log = LoggerFactory.getLogger(Recovery.class);

    /** Room for every record that can have been written and not be found any more. */
    private static final long SEQUENCE_LEAP = 1L << 32;

    private static final int SCAN_BLOCKS = 256;

    private record Found(int file, int atBlock, RecordHeader header) {
    }

    private final DiskFiles files;
    private final Path directory;
    private final Meta meta;
    private final Image[] images;
    private final List<DiskFile> segments = new ArrayList<>();

    private final BlockMap changed = new BlockMap();
    private long epoch;
    private boolean partial;
    private int replayed;

    Recovery(DiskFiles files, Path directory, Meta meta, Image[] images) {
        this.files = files;
        this.directory = directory;
        this.meta = meta;
        this.images = images;
        this.epoch = meta.epoch();
        this.partial = meta.partial();
    }

    /** Chunks that records changed which {@link Meta#changed} does not count. */
    BlockMap changed() {
        return changed;
    }

    long epoch() {
        return epoch;
    }

    boolean partial() {
        return partial;
    }

    long nextSequence() {
        return meta.nextSequence() + SEQUENCE_LEAP;
    }

    /** Everything that counts is in the images, durably, when this returns. */
    void run() throws IOException {
        if (meta.nothingLeft()) {
            return;
        }
        try {
            for (String name : files.list(directory)) {
                if (name.startsWith(Journal.PREFIX)) {
                    Path path = directory.resolve(name);
                    segments.add(files.openReserved(path, files.bytes(path)));
                }
            }
            List<Found> records = chain();
            replay(records);
            for (Image image : images) {
                image.sync();
            }
        } finally {
            for (DiskFile segment : segments) {
                segment.close();
            }
        }
    }

    // ---- finding the records ----

    private List<Found> chain() throws IOException {
        List<Found> records = new ArrayList<>();
        long sequence = meta.oldestSequence();
        Found last = null;
        while (true) {
            Found next = find(sequence, last);
            if (next == null || !next.header.hasItsContent(segments.get(next.file), next.atBlock)) {
                end(sequence, next);
                return records;
            }
            records.add(next);
            last = next;
            sequence++;
        }
    }

    /** A record follows the one before it, or begins another segment. */
    private Found find(long sequence, Found before) throws IOException {
        if (before != null) {
            int at = before.atBlock + before.header.totalBlocks();
            RecordHeader header = RecordHeader.read(segments.get(before.file), at, meta.lineage());
            if (header != null && header.sequence() == sequence) {
                return new Found(before.file, at, header);
            }
        }
        for (int f = 0; f < segments.size(); f++) {
            RecordHeader header = RecordHeader.read(segments.get(f), 0, meta.lineage());
            if (header != null && header.sequence() == sequence) {
                return new Found(f, 0, header);
            }
        }
        return null;
    }

    /** The chain ends before this sequence: is that where writing ended, or is something missing that was durable? */
    private void end(long sequence, Found torn) throws IOException {
        if (sequence <= meta.durableSequence()) {
            throw damaged(sequence, "it had been made durable");
        }
        int later = 0;
        for (DiskFile segment : segments) {
            later += laterRecords(segment, sequence);
        }
        if (torn != null || later > 0) {
            log.warn("disk journal {}: the host stopped while record {} was being written; it and {} later ones had not been made durable"
                    + " and do not count", directory, sequence, later);
        }
    }

    /** Counts the records in this file that come after the chain's end; none of them may have been written when that was durable. */
    private int laterRecords(DiskFile segment, long sequence) throws IOException {
        int later = 0;
        ByteBuffer run = Memory.allocate(SCAN_BLOCKS * Disks.BLOCK_BYTES);
        long end = segment.bytes() / Disks.BLOCK_BYTES * Disks.BLOCK_BYTES;
        for (long at = nextData(segment, 0); at >= 0 && at < end; at = nextData(segment, at)) {
            run.clear().limit((int) Math.min(run.capacity(), end - at));
            segment.read(at, run);
            int bytes = run.position();
            for (int block = 0; block < bytes; block += Disks.BLOCK_BYTES) {
                if (!RecordHeader.mayBegin(run.slice(block, Disks.BLOCK_BYTES).order(run.order()), meta.lineage())) {
                    continue;
                }
                RecordHeader header = RecordHeader.read(segment, (int) ((at + block) / Disks.BLOCK_BYTES), meta.lineage());
                if (header != null && header.sequence() > sequence) {
                    later++;
                    if (header.durableBefore() >= sequence) {
                        throw damaged(sequence, "record " + header.sequence() + " was written after it had been made durable");
                    }
                }
            }
            at += bytes;
        }
        return later;
    }

    private static long nextData(DiskFile segment, long at) throws IOException {
        long data = at < segment.bytes() ? segment.nextData(at) : -1;
        return data < 0 ? -1 : data / Disks.BLOCK_BYTES * Disks.BLOCK_BYTES;
    }

    private IOException damaged(long sequence, String evidence) {
        return new IOException("disk journal " + directory + ": record " + sequence + " is damaged or missing although " + evidence
                + ", so the disks cannot be brought to a state that they had. Mend the storage; if another replica has the disks, move the"
                + " directory and the images away and let them be copied anew");
    }

    // ---- putting them into the images ----

    private void replay(List<Found> records) throws IOException {
        Set<Long> voided = new HashSet<>();
        for (Found record : records) {
            if (record.header.kind() == RecordKind.UNSTAGE && record.header.last()) {
                voided.add(record.header.argument());
            }
        }
        BlockMap where = new BlockMap();
        List<Found> group = new ArrayList<>();
        List<Found> counting = new ArrayList<>();
        for (Found record : records) {
            if (!group.isEmpty() && group.get(0).header.groupFirst() != record.header.groupFirst()) {
                group.clear();
            }
            group.add(record);
            if (record.header.last()) {
                if (!voided.contains(record.header.groupFirst())) {
                    count(group, counting, where);
                }
                group.clear();
            }
        }
        if (!group.isEmpty()) {
            log.warn("disk journal {}: {} records of an epoch that was not completed do not count", directory, group.size());
        }
        write(where, counting);
        if (replayed > 0) {
            log.info("disk journal {}: {} records were put into the images, {} blocks", directory, replayed, where.size());
        }
    }

    private void count(List<Found> group, List<Found> counting, BlockMap where) throws IOException {
        RecordHeader first = group.get(0).header;
        boolean isContent = first.kind() != RecordKind.CHANGED;
        if (first.kind() == RecordKind.STAGED) {
            partial = false;
        }
        if (first.kind() == RecordKind.STAGED || first.kind() == RecordKind.EPOCH) {
            epoch = first.epoch();
        }
        for (Found record : group) {
            replayed++;
            counting.add(record);
            for (long marked : record.header.ids()) {
                long id = marked & ~RecordHeader.ZERO;
                if (Disks.diskOf(id) >= images.length || Disks.blockOf(id) >= images[Disks.diskOf(id)].blocks()) {
                    throw new IOException("disk journal " + directory + " has a block of disk " + Disks.diskOf(id)
                            + " that is not among the configured disks; configure them as they were");
                }
                if (isContent) {
                    where.put(id, counting.size() - 1);
                }
                if (record.header.sequence() >= meta.changedFrom()) {
                    changed.put(Layer.chunkOf(id), 0);
                }
            }
        }
    }

    /** Writes each block once, from the last record that has it; no record has one twice. */
    private void write(BlockMap where, List<Found> counting) throws IOException {
        ByteBuffer block = Memory.allocate(Disks.BLOCK_BYTES);
        for (int r = 0; r < counting.size(); r++) {
            Found record = counting.get(r);
            int at = record.atBlock + record.header.headerBlocks();
            for (long marked : record.header.ids()) {
                long id = marked & ~RecordHeader.ZERO;
                boolean zero = marked != id;
                Image image = images[Disks.diskOf(id)];
                if (where.get(id) == r) {
                    if (zero) {
                        image.zero(Disks.blockOf(id), 1);
                    } else {
                        block.clear();
                        segments.get(record.file).read((long) at * Disks.BLOCK_BYTES, block);
                        image.write(Disks.blockOf(id), block.flip());
                    }
                }
                at += zero ? 0 : 1;
            }
        }
    }
}
