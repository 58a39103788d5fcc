package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.plover.api.disk.DiskSpec;

/** The file system as the store needs it; tests put one in its place that loses what was not synced. */
interface DiskFiles {
    /**
     * Opens an image and keeps everybody else from it.
     *
     * @param mount where its content may appear if it is not raw
     */
    DiskFile openImage(DiskSpec disk, Path mount) throws IOException;

    /** Opens a file, made if it is missing, with room for this many bytes reserved. */
    DiskFile openReserved(Path file, long bytes) throws IOException;

    /** Names of the files in a directory, which is made if it is missing. */
    List<String> list(Path directory) throws IOException;

    long bytes(Path file) throws IOException;

    void delete(Path file) throws IOException;

    /** Content of a small file, or null if there is none. */
    byte[] load(Path file) throws IOException;

    /** Replaces a small file so that after a crash it is the old or the new one; durable when this returns. */
    void replace(Path file, byte[] content) throws IOException;

    /** Keeps other processes from a state directory until the result is closed. */
    AutoCloseable lock(Path file) throws IOException;
}
