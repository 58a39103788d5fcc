/**
 * Machines in an unmodified QEMU, driven from outside: QMP for control, a shared mapping for RAM, the host kernel for dirty
 * pages, Unix sockets for frames.
 */
package org.plover.machine.qemu;
