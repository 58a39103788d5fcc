package org.plover.demo.chaos;

import java.io.IOException;

/**
 * One fault that is ready to be inflicted.
 *
 * @param role of the host that it strikes
 * @param details what was drawn by lot
 * @param holdMillis time between the two steps
 */
record Fault(FaultKind kind, String role, String details, Step inject, long holdMillis, Step heal) {
    /** One half of a fault. */
    interface Step {
        void run() throws IOException, InterruptedException;
    }

    /** For the log and the figures: what and to whom. */
    String name() {
        return kind.word + ":" + role;
    }
}
