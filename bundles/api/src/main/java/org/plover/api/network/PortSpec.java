package org.plover.api.network;

/**
 * Where a guest's interface appears on the host.
 *
 * @param nic    number of the guest's interface
 * @param tap    name of the tap interface to create, at most 15 characters
 * @param bridge bridge to put it on, or empty to leave it alone
 * @param mtu    MTU in bytes, up to 9000
 * @param mac    the guest's MAC address as {@code 52:54:00:12:34:56}
 */
public record PortSpec(int nic, String tap, String bridge, int mtu, String mac) {
}
