package org.plover.api.memory;

/**
 * The guest's RAM, mapped into the appliance: page {@code p} lies at {@code address() + p * 4096} and has the same number
 * on every replica.
 */
public interface GuestMemory {
    /** Bytes of a page. */
    int PAGE_BYTES = 4096;

    /** Address of page 0 in this process; valid until the machine is closed. */
    long address();

    /** Number of pages. */
    int pageCount();
}
