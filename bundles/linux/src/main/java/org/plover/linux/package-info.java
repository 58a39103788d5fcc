/**
 * Linux: the system calls that Java has no door to, and raw memory by address. Thin on purpose: one method per call,
 * errors as {@link org.plover.linux.SystemCallException}, and nothing allocated by a call that succeeds.
 *
 * <p>Needs a 64-bit little-endian Linux with a C library, and on Java 24 or newer the flags
 * {@code --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow}.
 */
@org.osgi.annotation.versioning.Version("0.1.0")
@org.osgi.annotation.bundle.Export
package org.plover.linux;
