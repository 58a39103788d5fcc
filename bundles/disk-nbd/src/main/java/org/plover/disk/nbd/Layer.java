package org.plover.disk.nbd;

import org.plover.api.disk.Disks;

/** Blocks that lie over what is below, in memory. Changed under the write lock of {@link Content}, immutable once it is no longer the current one. */
final class Layer {
    /** Value of a block that reads as zeros and has no memory. */
    static final int ZERO = -1;
    /** What an entry costs beside its content. */
    private static final int ENTRY_BYTES = 32;

    private final BlockMemory memory;
    private final BlockMap slots = new BlockMap();
    private final BlockMap chunks = new BlockMap();
    private volatile long bytes;

    Layer(BlockMemory memory) {
        this.memory = memory;
    }

    /** A slot of the memory, {@link #ZERO} or {@link BlockMap#ABSENT}. */
    int slot(long id) {
        return slots.get(id);
    }

    /** Where to put the block's content. What is there if it is new (or was zero) is undefined. */
    long place(long id) {
        int slot = slots.get(id);
        if (slot < 0) {
            int fresh = memory.take();
            slots.put(id, fresh);
            count(id, slot == ZERO ? Disks.BLOCK_BYTES : Disks.BLOCK_BYTES + ENTRY_BYTES);
            slot = fresh;
        }
        return memory.address(slot);
    }

    void zero(long id) {
        int before = slots.put(id, ZERO);
        if (before >= 0) {
            memory.give(before);
            bytes -= Disks.BLOCK_BYTES;
        } else if (before == BlockMap.ABSENT) {
            count(id, ENTRY_BYTES);
        }
    }

    private void count(long id, int more) {
        bytes += more;
        chunks.put(chunkOf(id), 0);
    }

    /** Number of a chunk over all disks. */
    static long chunkOf(long id) {
        return Disks.id(Disks.diskOf(id), Disks.blockOf(id) / Disks.CHUNK_BLOCKS);
    }

    boolean isEmpty() {
        return slots.size() == 0;
    }

    int size() {
        return slots.size();
    }

    long bytes() {
        return bytes;
    }

    long[] ids() {
        return slots.sortedKeys();
    }

    BlockMap chunks() {
        return chunks;
    }

    /** Gives the memory back; nobody may be reading. */
    void release() {
        slots.forEachValue(slot -> {
            if (slot >= 0) {
                memory.give(slot);
            }
        });
        slots.clear();
        bytes = 0;
    }
}
