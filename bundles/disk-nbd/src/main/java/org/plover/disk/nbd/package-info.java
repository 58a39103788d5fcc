/** Disks of a guest: an NBD server over volatile layers, a journal and raw images. */
package org.plover.disk.nbd;
