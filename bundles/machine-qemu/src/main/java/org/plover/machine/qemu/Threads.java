package org.plover.machine.qemu;

import org.plover.linux.Linux;
import org.plover.linux.SystemCallException;
import org.slf4j.Logger;

/** Small things about ending threads and descriptors. */
final class Threads {
    private Threads() {
    }

    /** Waits for a thread that is about to end, even if the caller has been interrupted; the interrupt is kept. */
    static void join(Thread thread) {
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Closes a descriptor whose content no longer matters. */
    static void closeQuietly(int fd, Logger log) {
        try {
            Linux.close(fd);
        } catch (SystemCallException e) {
            log.debug("closing descriptor {}", fd, e);
        }
    }
}
