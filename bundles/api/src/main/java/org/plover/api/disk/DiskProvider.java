package org.plover.api.disk;

import java.io.IOException;
import java.nio.file.Path;

/** Service: serves block devices to guests. Providers carry the property {@code disk.id}. */
public interface DiskProvider {
    /** Service property that names the provider. */
    String ID = "disk.id";

    /**
     * Opens a disk image and begins to serve it.
     *
     * @param image  file or block device that holds the last committed epoch's content
     * @param socket Unix socket at which the machine finds it
     * @throws IOException if the image cannot be used; says what to do
     */
    Disk open(Path image, Path socket) throws IOException;
}
