package org.plover.replication;

import org.plover.api.memory.GuestMemory;
import org.plover.linux.Linux;
import org.plover.linux.Memory;
import org.plover.linux.SystemCallException;

/**
 * Room for copies of guest pages, one after the other. Address space for all of the guest's RAM is reserved, memory is used
 * only for what was ever stored; after an unusually large epoch it is given back. Not thread-safe.
 */
final class PageArena implements AutoCloseable {
    private static final int KEEP_PAGES = (64 << 20) / GuestMemory.PAGE_BYTES;

    private final int capacityPages;
    private long address;
    private int used;

    PageArena(int capacityPages) throws SystemCallException {
        this.capacityPages = capacityPages;
        this.address = Linux.mapAnonymous(bytes());
    }

    private long bytes() {
        return (long) capacityPages * GuestMemory.PAGE_BYTES;
    }

    /** Address of slot 0. */
    long address() {
        return address;
    }

    /** Address of a slot. */
    long address(int slot) {
        return address + (long) slot * GuestMemory.PAGE_BYTES;
    }

    /** Takes the next slot. */
    int take() {
        if (used == capacityPages) {
            throw new IllegalStateException("more pages than the guest has");
        }
        return used++;
    }

    /** Copies a page into the next slot. */
    int add(long pageAddress) {
        int slot = take();
        Memory.copy(pageAddress, address(slot), GuestMemory.PAGE_BYTES);
        return slot;
    }

    /** Forgets all pages. */
    void reset() throws SystemCallException {
        if (used > KEEP_PAGES) {
            Linux.munmap(address, bytes());
            address = Linux.mapAnonymous(bytes());
        }
        used = 0;
    }

    @Override
    public void close() throws SystemCallException {
        Linux.munmap(address, bytes());
        address = 0;
    }
}
