package org.plover.api.disk;

/** What the content on stable storage is good for. */
public enum Standing {
    /** All disks are exactly what a guest of this replica had at one moment: it may be booted from. */
    WHOLE,
    /** A copy from another replica began to overwrite it and was not completed: of no use but to be overwritten further. */
    PARTIAL
}
