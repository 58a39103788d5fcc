package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * One disk as the guest sees it, as far as the server needs to know. All methods but the descriptive ones may block for disk I/O
 * and may be called by several threads at once; a request that has been answered is seen by every request that begins later. An
 * IOException becomes an I/O error in the guest; ENOSPC and EROFS are told apart by {@link NoSpaceException} and by {@link #readOnly}.
 */
interface Export {
    String name();

    /** Length in bytes, a multiple of {@link #sectorBytes}. */
    long bytes();

    int sectorBytes();

    boolean readOnly();

    /** Fills {@code to} from {@code offset} on; within the disk, any alignment. */
    void read(long offset, ByteBuffer to) throws IOException;

    /** Writes what remains in {@code from}; with {@code forced} it is as durable as after {@link #flush} when this returns. */
    void write(long offset, ByteBuffer from, boolean forced) throws IOException;

    /** Makes a range read as zeros. */
    void zero(long offset, long length, boolean forced) throws IOException;

    /** The guest no longer needs what is in a range; it may read as zeros or as before. */
    void trim(long offset, long length, boolean forced) throws IOException;

    void flush() throws IOException;

    /** How many bytes from {@code offset} on, at most {@code length}, are alike in whether they are known to be a hole; negative: they are one. */
    long extent(long offset, long length) throws IOException;

    /** The disk or the file system under it is full. */
    final class NoSpaceException extends IOException {
        private static final long serialVersionUID = 1L;

        NoSpaceException(String message) {
            super(message);
        }
    }
}
