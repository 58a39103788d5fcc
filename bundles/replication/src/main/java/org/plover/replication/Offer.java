package org.plover.replication;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.plover.api.memory.PageSet;

/**
 * What a fresh backup's machine and disks hold already, for the primary that is to bring it in.
 *
 * @param dirty   pages of memory that are not empty
 * @param bond    see {@code Disks.bond}; 0 for none
 * @param bytes   length of each disk
 * @param changed for each disk, the chunks that may have changed since the bond's last epoch
 */
record Offer(PageSet dirty, long bond, List<Long> bytes, List<PageSet> changed) {
    byte[] encode() {
        int size = dirty.encodedBytes() + 8 + 4;
        for (PageSet set : changed) {
            size += 8 + set.encodedBytes();
        }
        ByteBuffer to = ByteBuffer.allocate(size);
        dirty.encode(to);
        to.putLong(bond).putInt(changed.size());
        for (int i = 0; i < changed.size(); i++) {
            to.putLong(bytes.get(i));
            changed.get(i).encode(to);
        }
        return to.array();
    }

    /** Throws IllegalArgumentException if it is none. */
    static Offer decode(byte[] encoded) {
        try {
            ByteBuffer from = ByteBuffer.wrap(encoded);
            PageSet dirty = PageSet.decode(from);
            long bond = from.getLong();
            int disks = from.getInt();
            int pagesLeft = PageSet.PAGES_MAX;
            List<Long> bytes = new ArrayList<>();
            List<PageSet> changed = new ArrayList<>();
            for (int i = 0; i < disks; i++) {
                bytes.add(from.getLong());
                changed.add(PageSet.decode(from, pagesLeft));
                pagesLeft -= changed.get(i).pageCount();
            }
            return new Offer(dirty, bond, bytes, changed);
        } catch (BufferUnderflowException e) {
            throw new IllegalArgumentException("the fresh backup's offer is cut short", e);
        }
    }
}
