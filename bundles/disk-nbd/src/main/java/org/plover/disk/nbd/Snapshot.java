package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntConsumer;
import org.plover.api.disk.Disks;
import org.plover.linux.Memory;

/**
 * A copy of all images as of one moment: when everything up to a segment of the journal is in them and nothing later. What comes later
 * waits for {@link #beforeOverwriting} to copy what it is about to replace.
 */
final class Snapshot {
    private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(Disks.BLOCK_BYTES).asReadOnlyBuffer();

    private final Image[] images;
    private final List<Path> files;
    private volatile long boundary = Long.MAX_VALUE;
    private final FileChannel[] outputs;
    private final BitSet[] copied;
    private final ByteBuffer buffer = Memory.allocate(Disks.CHUNK_BLOCKS * Disks.BLOCK_BYTES);
    private IOException failure;
    private boolean ended;

    Snapshot(Image[] images, List<Path> files) {
        this.images = images;
        this.files = files;
        this.outputs = new FileChannel[images.length];
        this.copied = new BitSet[images.length];
        for (int d = 0; d < images.length; d++) {
            copied[d] = new BitSet(images[d].chunks());
        }
    }

    long boundary() {
        return boundary;
    }

    /**
     * Makes the files, which must not exist.
     *
     * @param lastSerial of the last segment that belongs to the copy
     */
    void begin(long lastSerial) throws IOException {
        for (int d = 0; d < images.length; d++) {
            outputs[d] = create(files.get(d));
        }
        boundary = lastSerial;
    }

    private static FileChannel create(Path file) throws IOException {
        try {
            return FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
        } catch (FileAlreadyExistsException e) {
            throw new IOException(file + " exists already, and a copy of a disk is never written over a file; name another one", e);
        } catch (NoSuchFileException e) {
            throw new IOException(file + " cannot be made: there is no directory " + file.getParent(), e);
        }
    }

    /**
     * Copies all that has not been copied yet; the images hold the copy's moment, but for what has been copied, when it is called.
     *
     * @param percent is told how far it is
     */
    void run(IntConsumer percent) throws IOException {
        long all = Arrays.stream(images).mapToLong(Image::chunks).sum();
        long done = 0;
        for (int d = 0; d < images.length; d++) {
            for (int chunk = 0; chunk < images[d].chunks(); chunk++) {
                copyOnce(d, chunk);
                percent.accept((int) (++done * 100 / all));
            }
        }
        finish();
    }

    private synchronized void copyOnce(int disk, int chunk) throws IOException {
        if (failure != null) {
            throw failure;
        }
        if (!copied[disk].get(chunk)) {
            copy(disk, chunk);
            copied[disk].set(chunk);
        }
    }

    /** Called by the checkpointer; a copy that fails does not make the disks fail. */
    synchronized void beforeOverwriting(long first, int count) {
        if (ended || failure != null) {
            return;
        }
        int disk = Disks.diskOf(first);
        long last = (Disks.blockOf(first) + count - 1) / Disks.CHUNK_BLOCKS;
        for (long chunk = Disks.blockOf(first) / Disks.CHUNK_BLOCKS; chunk <= last; chunk++) {
            try {
                copyOnce(disk, (int) chunk);
            } catch (IOException e) {
                failure = e;
                return;
            }
        }
    }

    /** The images are about to be overwritten by something else: there is nothing left to copy. */
    synchronized void abandon(String why) {
        if (!ended && failure == null) {
            failure = new IOException("the copy of the disks cannot be completed: " + why);
        }
    }

    private void copy(int disk, int chunk) throws IOException {
        Image image = images[disk];
        long block = (long) chunk * Disks.CHUNK_BLOCKS;
        long data = image.nextData(block);
        if (data < 0 || data >= block + Disks.CHUNK_BLOCKS) {
            return;
        }
        long offset = block * Disks.BLOCK_BYTES;
        int bytes = (int) Math.min(buffer.capacity(), image.bytes() - offset);
        buffer.clear().limit(bytes);
        image.read(block, buffer);
        for (int at = 0; at < bytes; at += Disks.BLOCK_BYTES) {
            int n = Math.min(Disks.BLOCK_BYTES, bytes - at);
            ByteBuffer part = buffer.duplicate().position(at).limit(at + n);
            if (part.mismatch(ZEROS.duplicate().limit(n)) >= 0) {
                for (long to = offset + at; part.hasRemaining(); ) {
                    to += outputs[disk].write(part, to);
                }
            }
        }
    }

    private synchronized void finish() throws IOException {
        if (failure != null) {
            throw failure;
        }
        for (int d = 0; d < images.length; d++) {
            long bytes = images[d].bytes();
            if (outputs[d].size() < bytes) {
                // Makes a sparse file as long as the disk.
                outputs[d].write(ByteBuffer.allocate(1), bytes - 1);
            }
            outputs[d].force(true);
        }
        ended = true;
    }

    /** Closes the files, and removes them if they are not complete. */
    synchronized void end() throws IOException {
        boolean complete = ended;
        ended = true;
        for (int d = 0; d < outputs.length; d++) {
            if (outputs[d] != null) {
                outputs[d].close();
                outputs[d] = null;
                if (!complete) {
                    Files.deleteIfExists(files.get(d));
                }
            }
        }
    }
}
