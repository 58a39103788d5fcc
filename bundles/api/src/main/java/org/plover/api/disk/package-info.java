/**
 * Disk: block devices served to the guest, whose written blocks belong to epochs.
 */
@org.osgi.annotation.versioning.Version("0.3.0")
@org.osgi.annotation.bundle.Export
package org.plover.api.disk;
