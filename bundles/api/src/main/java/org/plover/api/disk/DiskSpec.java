package org.plover.api.disk;

import java.nio.file.Path;
import java.util.Objects;

/**
 * One disk of a guest.
 *
 * @param image       file or block device with raw content that lies on this host alone; its length is the disk's
 * @param sectorBytes logical and physical sector that the guest sees: 512 or 4096
 * @param readOnly    the guest may not write to it
 */
public record DiskSpec(Path image, int sectorBytes, boolean readOnly) {
    public DiskSpec {
        Objects.requireNonNull(image, "image");
        if (sectorBytes != 512 && sectorBytes != 4096) {
            throw new IllegalArgumentException("a sector of " + sectorBytes + " bytes is neither 512 nor 4096");
        }
    }
}
