package org.plover.replication;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.Test;

public class PendingOrdersTest {
    private final PendingOrders orders = new PendingOrders();

    private static String failure(CompletableFuture<String> order) {
        assertTrue("no answer was given", order.isDone());
        return assertThrows(CompletionException.class, order::join).getCause().getMessage();
    }

    @Test
    public void shouldAnswerEveryOrderThatIsUnderWayWhenTheLoopEnds() {
        CompletableFuture<String> switchover = new CompletableFuture<>();
        CompletableFuture<String> leave = new CompletableFuture<>();
        assertTrue(orders.accept(switchover));
        assertTrue(orders.accept(leave));
        orders.end("its storage failed");
        assertEquals("its storage failed", failure(switchover));
        assertEquals("its storage failed", failure(leave));
    }

    @Test
    public void shouldLeaveAnswersAlone() {
        CompletableFuture<String> done = new CompletableFuture<>();
        assertTrue(orders.accept(done));
        done.complete("beta serves the guest now");
        orders.end("shutting down");
        assertEquals("beta serves the guest now", done.join());
    }

    @Test
    public void shouldAnswerAtOnceWhatIsOrderedAfterTheEndWithTheFirstReason() {
        orders.end("its storage failed");
        orders.end("shutting down");
        CompletableFuture<String> late = new CompletableFuture<>();
        assertFalse(orders.accept(late));
        assertEquals("its storage failed", failure(late));
    }
}
