package org.plover.api.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.plover.api.memory.PageSet;

/**
 * A guest's disk. Its content belongs to the epoch (safety rule S6): what the guest writes is speculative until the epoch
 * commits. Called from the thread that drives the machine.
 */
public interface Disk extends AutoCloseable {
    /** Bytes of a block, the unit of dirtiness. */
    int BLOCK_BYTES = 4096;

    /** Number of blocks. */
    int blockCount();

    /** Adds the blocks written since the last call; block numbers take the place of page numbers. */
    void fetchDirty(PageSet into);

    /** Reads a block as the guest sees it. */
    void read(int block, ByteBuffer to) throws IOException;

    /** Puts a block's committed content in place while the guest is stopped. */
    void write(int block, ByteBuffer from) throws IOException;

    /** Everything written so far belongs to {@code epoch}, which has committed: makes it durable. */
    void commit(long epoch) throws IOException;

    @Override
    void close() throws IOException;
}
