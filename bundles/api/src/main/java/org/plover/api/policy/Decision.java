package org.plover.api.policy;

/** What a policy wants, and why. */
public enum Decision {
    /** Let the guests run on. */
    CONTINUE(false),
    /** End the epoch: the guests are idle, so that their memory is as alike as it gets. */
    END_IDLE(true),
    /** End the epoch: it has lasted as long as it may. */
    END_INTERVAL_MAX(true),
    /** End the epoch: so much output is held that clients or memory would suffer. */
    END_OUTPUT(true),
    /** End the epoch: so much written to disks waits for it that memory would suffer. */
    END_DISK(true);

    private final boolean end;

    Decision(boolean end) {
        this.end = end;
    }

    public boolean ends() {
        return end;
    }
}
