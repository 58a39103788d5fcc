package org.plover.replication;

import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/** The orders of operators that wait for their answer: none is left without a word when the loop that works on them ends. Thread-safe. */
final class PendingOrders {
    private final Set<CompletableFuture<?>> pending = ConcurrentHashMap.newKeySet();
    private volatile String ended;

    /** Whether the order may be begun; if not, it has been answered. */
    boolean accept(CompletableFuture<?> order) {
        pending.add(order);
        order.whenComplete((answer, failure) -> pending.remove(order));
        if (ended != null) {
            refuse(order);
        }
        return ended == null;
    }

    /**
     * Answers every order that is under way, and from now on each that is still given.
     *
     * @param why a sentence for the operator, of which the first one counts
     */
    void end(String why) {
        if (ended == null) {
            ended = why;
        }
        pending.forEach(this::refuse);
    }

    private void refuse(CompletableFuture<?> order) {
        order.completeExceptionally(new IllegalStateException(ended));
    }
}
