package org.plover.api.machine;

/**
 * A guest's network interface.
 *
 * @param mac MAC address as {@code 52:54:00:12:34:56}
 * @param mtu largest payload of a frame in bytes, up to 9000
 */
public record NicSpec(String mac, int mtu) {
}
