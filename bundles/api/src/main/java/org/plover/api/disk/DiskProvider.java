package org.plover.api.disk;

import java.io.IOException;
import java.util.List;
import org.plover.api.health.Finding;

/** Service: serves block devices to guests. Providers carry the property {@code disk.id}. */
public interface DiskProvider {
    /** Service property that names the provider. */
    String ID = "disk.id";

    /** Name of this provider, for instance {@code nbd}. */
    String id();

    /** Checks whether these disks could be served on this host: images there, of a usable length, writable, room for the journal. */
    List<Finding> preflight(DisksSpec spec);

    /**
     * Opens all disks of a guest, brings them to the last state that was made durable, and begins to serve them. Blocks for
     * as long as that takes.
     *
     * @throws IOException if one of them cannot be used (missing, in use, damaged journal); says which and what to do;
     *                     nothing is left open
     */
    Disks open(DisksSpec spec, DiskListener listener) throws IOException;
}
