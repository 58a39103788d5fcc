package org.plover.api.disk;

/**
 * How a disk's content lies in its image. Always the operator's word, never found out from the image: a guest can write to its raw
 * disk whatever another format begins with.
 */
public enum DiskFormat {
    /** Nobody has said: raw, unless the image has never been used here and looks like one of another format; then it is refused. */
    UNSTATED,
    /** As it is, whatever it looks like. */
    RAW,
    /** QEMU's, version 2 or 3, without a backing file. */
    QCOW2
}
