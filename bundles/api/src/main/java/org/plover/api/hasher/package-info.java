/**
 * Hasher: keyed 128-bit digests of 4 KiB pages, taken straight from memory.
 */
@org.osgi.annotation.versioning.Version("0.1.0")
@org.osgi.annotation.bundle.Export
package org.plover.api.hasher;
