package org.plover.disk.nbd;

import java.util.ArrayList;
import java.util.List;
import org.plover.api.disk.Disks;
import org.plover.api.memory.PageSet;

/**
 * Which chunks may differ from the other replica of the bond: a base, and what each epoch since has changed, in order, so that it can be
 * forgotten when the other replica has that epoch. Thread-safe.
 */
final class ChangeTracker {
    /** Instead of an epoch: written by a guest without a backup. */
    static final long NO_EPOCH = -1;
    private static final int ENTRIES_MAX = 64;

    private static final class Entry {
        long epoch;
        BlockMap chunks = new BlockMap();
    }

    private final PageSet[] base;
    private final List<Entry> entries = new ArrayList<>();

    ChangeTracker(PageSet[] base) {
        this.base = base;
    }

    /** These chunks change with this epoch (or without one). To be called before that can become durable. */
    synchronized void add(long epoch, BlockMap chunks) {
        Entry last = entries.isEmpty() ? null : entries.get(entries.size() - 1);
        if (last == null || last.epoch != epoch) {
            last = new Entry();
            last.epoch = epoch;
            entries.add(last);
        }
        last.chunks.addKeys(chunks);
        if (entries.size() > ENTRIES_MAX) {
            // Forgetting the first of the two later than it could be is safe.
            Entry oldest = entries.remove(0);
            entries.get(0).chunks.addKeys(oldest.chunks);
        }
    }

    /** Forgets what changed up to this epoch; nothing if it is not known. */
    synchronized void settle(long epoch) {
        forget(indexOf(epoch) + 1);
    }

    /** Forgets what changed before this epoch. */
    synchronized void settleBefore(long epoch) {
        forget(indexOf(epoch));
    }

    /** The disk has another length; what is new does not differ. */
    synchronized void resize(int disk, int chunks) {
        PageSet resized = new PageSet(chunks);
        for (int chunk : base[disk].toArray()) {
            if (chunk < chunks) {
                resized.add(chunk);
            }
        }
        base[disk] = resized;
        for (Entry entry : entries) {
            BlockMap kept = new BlockMap();
            for (long chunk : entry.chunks.sortedKeys()) {
                if (Disks.diskOf(chunk) != disk || Disks.blockOf(chunk) < chunks) {
                    kept.put(chunk, 0);
                }
            }
            entry.chunks = kept;
        }
    }

    private void forget(int count) {
        if (count > 0) {
            entries.subList(0, count).clear();
            clearBase();
        }
    }

    private void clearBase() {
        for (PageSet set : base) {
            set.clear();
        }
    }

    /** The disks are equal as of this epoch, the last one that is durable: what is known of later ones is kept. */
    synchronized void bond(long epoch) {
        clearBase();
        entries.subList(0, indexOf(epoch) + 1).clear();
    }

    private int indexOf(long epoch) {
        for (int i = entries.size() - 1; i >= 0; i--) {
            if (entries.get(i).epoch == epoch) {
                return i;
            }
        }
        return -1;
    }

    synchronized PageSet[] snapshot() {
        PageSet[] all = new PageSet[base.length];
        for (int d = 0; d < all.length; d++) {
            all[d] = new PageSet(base[d].pageCount());
            all[d].addAll(base[d]);
        }
        for (Entry entry : entries) {
            addTo(all, entry.chunks);
        }
        return all;
    }

    static void addTo(PageSet[] sets, BlockMap chunks) {
        for (long chunk : chunks.sortedKeys()) {
            sets[Disks.diskOf(chunk)].add((int) Disks.blockOf(chunk));
        }
    }
}
