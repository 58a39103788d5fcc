package org.plover.disk.nbd;

import java.io.IOException;
import java.util.Arrays;
import org.plover.api.disk.Disks;
import org.plover.linux.Linux;

/**
 * Memory for blocks outside the Java heap (and outside the JVM's bound on direct buffers), in slabs that go back to the system when
 * they are no longer needed. {@link #take} and {@link #give} are thread-safe; who holds a slot sees to it that nobody uses its address
 * after it has been given back.
 */
final class BlockMemory implements AutoCloseable {
    private static final int SLAB_BLOCKS = 256;
    private static final long SLAB_BYTES = (long) SLAB_BLOCKS * Disks.BLOCK_BYTES;
    /** As much as is written in between two seals or journal writes of a busy guest: fresh memory costs more than copying into it. */
    private static final int SPARE_SLABS_MAX = 64;

    private volatile long[] slabs = new long[8];
    private long[][] taken = new long[8][];
    private int[] takenCount = new int[8];
    private int spareSlabs;
    private int current = -1;

    synchronized int take() {
        if (current < 0 || takenCount[current] == SLAB_BLOCKS) {
            current = slabWithRoom();
        }
        long[] bits = taken[current];
        for (int w = 0; w < bits.length; w++) {
            if (bits[w] != -1L) {
                int bit = Long.numberOfTrailingZeros(~bits[w]);
                bits[w] |= 1L << bit;
                if (takenCount[current]++ == 0) {
                    spareSlabs--;
                }
                return current * SLAB_BLOCKS + w * 64 + bit;
            }
        }
        throw new IllegalStateException("slab " + current + " counts " + takenCount[current] + " blocks but has no free one");
    }

    private int slabWithRoom() {
        int hole = -1;
        for (int i = 0; i < slabs.length; i++) {
            if (slabs[i] != 0 && takenCount[i] < SLAB_BLOCKS) {
                return i;
            }
            if (slabs[i] == 0 && hole < 0) {
                hole = i;
            }
        }
        if (hole < 0) {
            hole = slabs.length;
            taken = Arrays.copyOf(taken, hole * 2);
            takenCount = Arrays.copyOf(takenCount, hole * 2);
            slabs = Arrays.copyOf(slabs, hole * 2);
        }
        try {
            slabs[hole] = Linux.mapAnonymous(SLAB_BYTES);
        } catch (IOException e) {
            throw new IllegalStateException("no memory for blocks that the guest has written: " + e.getMessage()
                    + "; lower heldBytesMax or give this host more memory", e);
        }
        taken[hole] = new long[SLAB_BLOCKS / 64];
        spareSlabs++;
        return hole;
    }

    synchronized void give(int slot) {
        int slab = slot / SLAB_BLOCKS;
        int at = slot % SLAB_BLOCKS;
        taken[slab][at / 64] &= ~(1L << at);
        if (--takenCount[slab] == 0) {
            spareSlabs++;
            if (spareSlabs > SPARE_SLABS_MAX && slab != current) {
                unmap(slab);
                spareSlabs--;
            }
        }
    }

    long address(int slot) {
        return slabs[slot / SLAB_BLOCKS] + (long) (slot % SLAB_BLOCKS) * Disks.BLOCK_BYTES;
    }

    private void unmap(int slab) {
        long address = slabs[slab];
        slabs[slab] = 0;
        taken[slab] = null;
        takenCount[slab] = 0;
        try {
            Linux.munmap(address, SLAB_BYTES);
        } catch (IOException e) {
            throw new IllegalStateException("slab of blocks at " + Long.toHexString(address), e);
        }
    }

    @Override
    public synchronized void close() {
        for (int i = 0; i < slabs.length; i++) {
            if (slabs[i] != 0) {
                unmap(i);
            }
        }
        current = -1;
        spareSlabs = 0;
    }
}
