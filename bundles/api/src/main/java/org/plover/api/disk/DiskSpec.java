package org.plover.api.disk;

import java.nio.file.Path;
import java.util.Objects;

/**
 * One disk of a guest.
 *
 * @param image       file or block device that lies on this host alone
 * @param sectorBytes logical and physical sector that the guest sees: 512 or 4096
 * @param readOnly    the guest may not write to it
 * @param format      what the image is; the length of a raw one is the disk's
 */
public record DiskSpec(Path image, int sectorBytes, boolean readOnly, DiskFormat format) {
    public DiskSpec {
        Objects.requireNonNull(image, "image");
        Objects.requireNonNull(format, "format");
        if (sectorBytes != 512 && sectorBytes != 4096) {
            throw new IllegalArgumentException("a sector of " + sectorBytes + " bytes is neither 512 nor 4096");
        }
    }

    /** A raw one, without anyone's having said so. */
    public DiskSpec(Path image, int sectorBytes, boolean readOnly) {
        this(image, sectorBytes, readOnly, DiskFormat.UNSTATED);
    }
}
