package org.plover.transport.tcp;

import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.plover.api.transport.Lane;
import org.plover.api.transport.TransportListener;

/** A listener that writes down what it is told, in order, and lets tests wait for it. */
class Recorder implements TransportListener {
    /** @param text the reason of a disconnection, else null */
    record Event(String kind, int member, Lane lane, byte[] bytes, long incarnation, String text) {
    }

    private static final long PATIENCE_MILLIS = 30_000;

    private final List<Event> events = new ArrayList<>();

    @Override
    public void onMessage(int member, Lane lane, ByteBuffer message) {
        byte[] bytes = new byte[message.remaining()];
        message.get(bytes);
        add(new Event("message", member, lane, bytes, 0, null));
    }

    @Override
    public void onConnected(int member, long incarnation) {
        add(new Event("connected", member, null, null, incarnation, null));
    }

    @Override
    public void onDisconnected(int member, String reason) {
        add(new Event("disconnected", member, null, null, 0, reason));
    }

    private synchronized void add(Event event) {
        events.add(event);
        notifyAll();
    }

    synchronized List<Event> events() {
        return List.copyOf(events);
    }

    synchronized List<Event> events(String kind, int member) {
        return events.stream().filter(e -> e.kind().equals(kind) && e.member() == member).toList();
    }

    void awaitConnected(int member, int times) {
        await("connection " + times + " to member " + member, all -> count(all, "connected", member) >= times);
    }

    /** The reason of that disconnection. */
    String awaitDisconnected(int member, int times) {
        await("disconnection " + times + " from member " + member, all -> count(all, "disconnected", member) >= times);
        return events("disconnected", member).get(times - 1).text();
    }

    void awaitMessages(int member, int times) {
        await(times + " messages of member " + member, all -> count(all, "message", member) >= times);
    }

    synchronized void await(String what, Predicate<List<Event>> condition) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
        while (!condition.test(events)) {
            long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            assertTrue("waited " + PATIENCE_MILLIS + " ms for " + what, left > 0);
            try {
                wait(left);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static long count(List<Event> all, String kind, int member) {
        return all.stream().filter(e -> e.kind().equals(kind) && e.member() == member).count();
    }

    /** For conditions that announce themselves to nobody. */
    static void awaitTrue(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
        while (!condition.getAsBoolean()) {
            assertTrue("waited " + PATIENCE_MILLIS + " ms for " + what, System.nanoTime() < deadline);
            LockSupport.parkNanos(200_000);
        }
    }
}
