/**
 * Disk: a block device served to the guest, whose dirty blocks belong to epochs.
 */
@org.osgi.annotation.versioning.Version("0.1.0")
@org.osgi.annotation.bundle.Export
package org.plover.api.disk;
