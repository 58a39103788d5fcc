package org.plover.replication;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.plover.api.status.VmEvent;
import org.slf4j.Logger;

/**
 * The last events of a VM's member, for operators: each is remembered, told to whoever listens, and written to the log once.
 * Outlives the member's loop, which may be started anew. Thread-safe; nothing here blocks.
 */
final class EventLog {
    static final int KEPT = 1000;
    /** So many events of a kind are taken up in {@link #WINDOW_MILLIS}; one fault that repeats must not push the others out. */
    static final int KIND_MAX = 20;
    static final long WINDOW_MILLIS = 10_000;

    private static final class Window {
        long begunMillis;
        int events;
    }

    private final Logger log;
    private final LongSupplier clockMillis;
    private final Consumer<VmEvent> listener;
    private final Deque<VmEvent> events = new ArrayDeque<>();
    private final Map<String, Window> windows = new HashMap<>();
    private long sequence;

    /** @param listener is told of each event, on the thread that reports it; must not block */
    EventLog(Logger log, LongSupplier clockMillis, Consumer<VmEvent> listener) {
        this.log = log;
        this.clockMillis = clockMillis;
        this.listener = listener;
        this.sequence = clockMillis.getAsLong() * 1000; // larger than what was counted before a restart
    }

    void info(String kind, String text) {
        log.info(text);
        add(kind, text);
    }

    void warn(String kind, String text) {
        log.warn(text);
        add(kind, text);
    }

    /** As the others, for what has been logged elsewhere, with more detail than operators want here. */
    void add(String kind, String text) {
        VmEvent event;
        synchronized (this) {
            long now = clockMillis.getAsLong();
            Window window = windows.computeIfAbsent(kind, k -> new Window());
            if (window.events == 0 || now - window.begunMillis >= WINDOW_MILLIS || now < window.begunMillis) {
                window.begunMillis = now;
                window.events = 0;
            }
            if (++window.events > KIND_MAX) {
                return; // the log has them all
            }
            event = new VmEvent(++sequence, now, kind, window.events < KIND_MAX ? text
                    : text + " (more of these in this log's next " + WINDOW_MILLIS / 1000 + " s are in the appliance's log only)");
            events.addLast(event);
            if (events.size() > KEPT) {
                events.removeFirst();
            }
        }
        listener.accept(event);
    }

    synchronized List<VmEvent> since(long after) {
        List<VmEvent> found = new ArrayList<>();
        for (VmEvent event : events) {
            if (event.sequence() > after) {
                found.add(event);
            }
        }
        return found;
    }
}
