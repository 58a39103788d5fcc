package org.plover.demo.chaos;

import java.util.Collection;

/** INCR and GET. */
final class Counter implements Model {
    private long highestAnswered;

    @Override
    public Object next(Object state, Operation operation) {
        return operation.verb == Operation.Verb.INCR ? Long.valueOf(count(state) + 1) : state;
    }

    @Override
    public String answer(Object state, Operation operation) {
        return operation.verb == Operation.Verb.INCR ? Answer.number(count(state) + 1)
                : Answer.value(state == null ? null : state.toString());
    }

    private static long count(Object state) {
        return state == null ? 0 : (Long) state;
    }

    @Override
    public void called(Operation operation) {
        // A count tells all by itself.
    }

    @Override
    public void answered(Operation operation) {
        highestAnswered = Math.max(highestAnswered, count(seen(operation)));
    }

    @Override
    public Fault fault(Operation operation, Collection<Object> states) {
        Object seen = seen(operation);
        if (seen == UNTOLD) {
            return Fault.ANOMALY;
        }
        long count = count(seen);
        long least = states.stream().mapToLong(Counter::count).min().orElse(0);
        if (operation.verb == Operation.Verb.INCR) {
            return count <= least ? Fault.LOST : Fault.ANOMALY;
        }
        if (count >= least) {
            return Fault.ANOMALY;
        }
        return seen != null && highestAnswered > count ? Fault.STALE : Fault.LOST;
    }

    @Override
    public Object seen(Operation operation) {
        try {
            if (operation.verb == Operation.Verb.INCR) {
                return operation.result.startsWith(":") ? (Object) Long.valueOf(operation.result.substring(1)) : UNTOLD;
            }
            String text = Answer.text(operation.result);
            return text == null ? null : (Object) Long.valueOf(text);
        } catch (IllegalArgumentException e) {
            return UNTOLD;
        }
    }
}
