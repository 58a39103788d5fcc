/**
 * Virtual machines as others describe them (a libvirt domain, a QEMU command line), and what becomes of them here. Pure: text in,
 * a plan out; what has to be known of the host comes in through an interface.
 */
package org.plover.control.domain;
