package org.plover.api.status;

import java.util.concurrent.CompletableFuture;

/** A result that takes long. Whoever works on it says how far it is, and stops soon after it was cancelled. Thread-safe. */
public class ProgressingFuture<T> extends CompletableFuture<T> {
    private volatile int percent = -1;

    /** How much is done, 0 to 100, or -1 while that is not known. */
    public int percent() {
        return percent;
    }

    public void reached(int percentDone) {
        percent = Math.max(0, Math.min(100, percentDone));
    }
}
