package org.plover.api.status;

import java.util.concurrent.CompletableFuture;

/** A result that takes long. Whoever works on it says how far it is, and stops soon after it was cancelled. Thread-safe. */
public class ProgressingFuture<T> extends CompletableFuture<T> {
    private volatile int percent = -1;
    private volatile ProgressingFuture<?> source;

    /** How much is done, 0 to 100, or -1 while that is not known. */
    public int percent() {
        ProgressingFuture<?> followed = source;
        return followed == null ? percent : followed.percent();
    }

    public void reached(int percentDone) {
        percent = Math.max(0, Math.min(100, percentDone));
    }

    /** Is as far as the other from now on, and cancels it when this one is cancelled. The other's result does not come along. */
    public void follow(ProgressingFuture<?> other) {
        source = other;
        whenComplete((done, failed) -> {
            if (isCancelled()) {
                other.cancel(false);
            }
        });
    }
}
