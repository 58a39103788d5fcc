package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.plover.api.disk.Disks;

/** A file of the journal: filled from its beginning, put into the images as a whole, then used again. */
final class JournalSegment {
    final Path path;
    final DiskFile file;
    final int blocks;
    /** Where in this file the latest content of a block is, or {@link Layer#ZERO}; changed under {@link Content}'s write lock. */
    final BlockMap index = new BlockMap();
    /** Which use of the file this is; 0 while it is free. A reader that finds another one than before must look again. */
    volatile long serial;
    /** The next block to be written; used by who appends. */
    int used;
    /** Sequence of its first record; later ones follow without gaps. */
    long firstSequence;
    /** The last sequence in it, once it is closed. */
    long lastSequence;
    volatile boolean unsynced;
    /** Records in it that may turn out to be void: nothing of it may go into the images yet. Under the journal's monitor. */
    int pins;
    /** Nothing will be appended any more. Under the journal's monitor. */
    boolean closed;

    JournalSegment(Path path, DiskFile file) {
        this.path = path;
        this.file = file;
        this.blocks = Math.toIntExact(file.bytes() / Disks.BLOCK_BYTES);
    }

    int room() {
        return blocks - used;
    }

    void read(int atBlock, ByteBuffer to) throws IOException {
        file.read((long) atBlock * Disks.BLOCK_BYTES, to);
    }
}
