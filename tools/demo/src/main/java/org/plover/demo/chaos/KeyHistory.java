package org.plover.demo.chaos;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * Whether what clients saw of one key can be explained by commands that were executed one after the other, each at some moment
 * between its call and its answer (linearizability, Herlihy and Wing 1990).
 *
 * <p>Checks while the history grows, by "just-in-time linearization" (G. Lowe, Testing for linearizability, 2017): all
 * configurations that are possible at this point of time are kept, a configuration being a state and the set of operations that
 * have happened without having been answered. An answer leaves those configurations in which the operation has happened, after
 * as many of the other open ones as that takes. If none is left, the answer cannot be explained. Nothing but the open operations
 * and the configurations is kept, so an hour is as easily checked as a second.
 *
 * <p>An answer is looked at once all operations called before it have been answered (or never will be): what they were answered
 * rules out most of the orders that would have to be tried. Not thread-safe.
 */
final class KeyHistory {
    /** Open operations at one time, those included that will never be answered; the bits of a set. */
    private static final int OPEN_MAX = 62;
    private static final int CONFIGURATIONS_MAX = 50_000;

    private record Configuration(Object state, long happened) { }

    /** @param operation null: the service was started again, and all open operations had been given up */
    private record Event(Operation operation, boolean call) { }

    private final Model model;
    /** Is told each answer that cannot be explained, and why. */
    private final BiConsumer<Operation, Model.Fault> faults;
    private final ArrayDeque<Event> events = new ArrayDeque<>();
    private final Operation[] open = new Operation[OPEN_MAX];
    private Set<Configuration> configurations = new HashSet<>();
    private boolean retired;
    private boolean undecided;

    KeyHistory(Model model, BiConsumer<Operation, Model.Fault> faults) {
        this.model = model;
        this.faults = faults;
        configurations.add(new Configuration(null, 0));
    }

    /** An operation was called, now. */
    void called(Operation operation) {
        if (!retired) {
            events.add(new Event(operation, true));
        }
    }

    /** An operation was answered, now; its outcome is set already. */
    void answered(Operation operation) {
        if (!retired) {
            events.add(new Event(operation, false));
            advance();
        }
    }

    /** Open operations have been given up by their clients; their outcome is set already. */
    void gaveUp() {
        if (!retired) {
            advance();
        }
    }

    /** All open operations have been given up, and whatever has not happened by now never will: the service was started again. */
    void restarted() {
        if (!retired) {
            events.add(new Event(null, false));
            advance();
        }
    }

    /** Whether there was more to try than is sensible: nothing is known then about this key. */
    boolean isUndecided() {
        return undecided;
    }

    int configurations() {
        return configurations.size();
    }

    private void advance() {
        while (!events.isEmpty() && !retired) {
            Event event = events.peek();
            if (event.call) {
                if (!open(event.operation)) {
                    retire();
                    undecided = true;
                    return;
                }
            } else if (anyPending()) {
                return;
            } else if (event.operation == null) {
                settle();
            } else {
                close(event.operation);
            }
            events.poll();
        }
    }

    private boolean open(Operation operation) {
        for (int slot = 0; slot < OPEN_MAX; slot++) {
            if (open[slot] == null) {
                open[slot] = operation;
                model.called(operation);
                return true;
            }
        }
        return false;
    }

    private boolean anyPending() {
        for (Operation operation : open) {
            if (operation != null && operation.outcome == Operation.Outcome.PENDING) {
                return true;
            }
        }
        return false;
    }

    private int slot(Operation operation) {
        for (int slot = 0; slot < OPEN_MAX; slot++) {
            if (open[slot] == operation) {
                return slot;
            }
        }
        throw new IllegalStateException("answered without a call: " + operation);
    }

    private void close(Operation operation) {
        int slot = slot(operation);
        Set<Configuration> after = new HashSet<>();
        Set<Configuration> tried = new HashSet<>();
        ArrayDeque<Configuration> toTry = new ArrayDeque<>(configurations);
        while (!toTry.isEmpty()) {
            Configuration c = toTry.poll();
            if ((c.happened >> slot & 1) != 0) {
                after.add(new Configuration(c.state, c.happened & ~(1L << slot)));
                continue;
            }
            if (!tryAll(c, tried, toTry)) {
                return;
            }
        }
        if (after.isEmpty()) {
            inexplicable(operation, slot);
            return;
        }
        configurations = after;
        open[slot] = null;
        model.answered(operation);
    }

    /** Any of the open operations has happened, in any order, or has not: only what is now the state remains to be known. */
    private void settle() {
        Set<Configuration> tried = new HashSet<>(configurations);
        ArrayDeque<Configuration> toTry = new ArrayDeque<>(configurations);
        while (!toTry.isEmpty()) {
            if (!tryAll(toTry.poll(), tried, toTry)) {
                return;
            }
        }
        Set<Configuration> settled = new HashSet<>();
        tried.forEach(c -> settled.add(new Configuration(c.state, 0)));
        configurations = settled;
        java.util.Arrays.fill(open, null);
    }

    /** Adds what may come next after a configuration to what is to be tried; false, and undecided, if that is too much. */
    private boolean tryAll(Configuration c, Set<Configuration> tried, ArrayDeque<Configuration> toTry) {
        for (int slot = 0; slot < OPEN_MAX; slot++) {
            Configuration next = happens(c, slot);
            if (next != null && tried.add(next)) {
                toTry.add(next);
            }
        }
        if (tried.size() > CONFIGURATIONS_MAX) {
            undecided = true;
            retire();
            return false;
        }
        return true;
    }

    /** The configuration after the operation in a slot has happened; null if it cannot happen there. */
    private Configuration happens(Configuration c, int slot) {
        Operation operation = open[slot];
        if (operation == null || (c.happened >> slot & 1) != 0) {
            return null;
        }
        if (operation.outcome == Operation.Outcome.ANSWERED && !operation.result.equals(model.answer(c.state, operation))) {
            return null;
        }
        return new Configuration(model.next(c.state, operation), c.happened | 1L << slot);
    }

    /** Reports it, then goes on from what the answer showed: one fault must neither hide the next nor be counted again. */
    private void inexplicable(Operation operation, int slot) {
        List<Object> states = new ArrayList<>();
        configurations.forEach(c -> states.add(c.state));
        faults.accept(operation, model.fault(operation, states));
        Object seen = model.seen(operation);
        if (seen == Model.UNTOLD) {
            retire();
            return;
        }
        open[slot] = null;
        long all = 0;
        for (int i = 0; i < OPEN_MAX; i++) {
            all |= open[i] == null ? 0 : 1L << i;
        }
        // The answer may show what now is, or only have been wrong itself; and any of the open ones may have happened.
        Set<Object> now = new HashSet<>(states);
        now.add(seen);
        configurations = new HashSet<>();
        long subset = all;
        do {
            for (Object state : now) {
                configurations.add(new Configuration(state, subset));
            }
            subset = subset - 1 & all;
        } while (subset != all && configurations.size() < CONFIGURATIONS_MAX);
    }

    private void retire() {
        retired = true;
        events.clear();
        configurations = new HashSet<>();
        java.util.Arrays.fill(open, null);
    }
}
