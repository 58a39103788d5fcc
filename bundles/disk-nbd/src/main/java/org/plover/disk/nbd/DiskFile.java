package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/** A file of which parts are read and written in place: an image or a piece of the journal. Thread-safe. Errors name the file. */
interface DiskFile extends AutoCloseable {
    String name();

    /** Length when it was opened, or {@link #grow} was called. */
    long bytes();

    /** Makes it at least this long; what is new need not read as zeros. Says what to do where that cannot be done. */
    void grow(long bytes) throws IOException;

    /** Fills what remains in {@code to}; past the end it reads as zeros. */
    void read(long offset, ByteBuffer to) throws IOException;

    /** Writes what remains in {@code from}; it is durable after {@link #sync}, before that all, a part or none of it may be. */
    void write(long offset, ByteBuffer from) throws IOException;

    /** Makes a range read as zeros and gives its room back where the file system can do that. */
    void zero(long offset, long length) throws IOException;

    /** The first offset at or after this one that is not in a hole, or -1; the same one if nobody knows. */
    long nextData(long offset) throws IOException;

    /** The first offset at or after this one that is in a hole; the end of the file counts as one. */
    long nextHole(long offset) throws IOException;

    void sync() throws IOException;

    /** Whom to tell if it can be noticed without an access that the file is of no use any more; at most once, on any thread. */
    default void onLost(Consumer<IOException> told) {
        // Most files only show it when they are used.
    }

    @Override
    void close() throws IOException;
}
