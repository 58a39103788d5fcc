package org.plover.api.disk;

import java.nio.file.Path;

/**
 * Where a machine finds one of its disks: an NBD export on a Unix socket that is listened to.
 *
 * @param socket      the Unix socket
 * @param export      name of the export
 * @param sectorBytes 512 or 4096
 * @param readOnly    the guest may not write to it
 */
public record DiskAttachment(Path socket, String export, int sectorBytes, boolean readOnly) {
}
