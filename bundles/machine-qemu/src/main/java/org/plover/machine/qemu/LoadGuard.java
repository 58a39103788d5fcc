package org.plover.machine.qemu;

import java.nio.ByteBuffer;
import org.plover.api.memory.GuestMemory;
import org.plover.api.memory.PageSet;
import org.plover.linux.Memory;

/**
 * Keeps RAM as it was across a load of device state. QEMU resets the machine before it loads, and a reset writes the pages that
 * firmware and boot data came from. Which ones is learned in a rehearsal, before RAM holds anything of value; from then on
 * their content is kept aside during each load and put back afterwards.
 */
final class LoadGuard {
    private final GuestMemory memory;
    private final PageSet learned;
    private int[] pages = new int[0];
    private ByteBuffer kept = Memory.allocate(0);

    LoadGuard(GuestMemory memory) {
        this.memory = memory;
        this.learned = new PageSet(memory.pageCount());
    }

    /** Adds pages that a load was seen to write. */
    void learn(PageSet touched) {
        learned.addAll(touched);
        pages = learned.toArray();
        kept = Memory.allocate(pages.length * GuestMemory.PAGE_BYTES);
    }

    int learnedPages() {
        return pages.length;
    }

    /** Before a load: keeps the content of the learned pages. */
    void keep() {
        long to = Memory.addressOf(kept);
        for (int i = 0; i < pages.length; i++) {
            Memory.copy(addressOf(pages[i]), to + (long) i * GuestMemory.PAGE_BYTES, GuestMemory.PAGE_BYTES);
        }
    }

    /** After a load: puts back what was kept, where it differs; all learned pages, since that costs no more than to ask which. */
    void restore() {
        long from = Memory.addressOf(kept);
        for (int i = 0; i < pages.length; i++) {
            long page = addressOf(pages[i]);
            long copy = from + (long) i * GuestMemory.PAGE_BYTES;
            if (!Memory.equal(page, copy, GuestMemory.PAGE_BYTES)) {
                Memory.copy(copy, page, GuestMemory.PAGE_BYTES);
            }
        }
    }

    /** Of the pages that a load has touched, those whose content had not been kept. */
    PageSet lost(PageSet touched) {
        PageSet lost = new PageSet(memory.pageCount());
        lost.addAll(touched);
        lost.removeAll(learned);
        return lost;
    }

    private long addressOf(int page) {
        return memory.address() + (long) page * GuestMemory.PAGE_BYTES;
    }
}
