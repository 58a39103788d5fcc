package org.plover.demo.chaos;

import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/** SET and GET. Every SET writes another value. */
final class Register implements Model {
    /** Values kept in mind to tell invented ones from old ones; older ones are rare enough to be called invented. */
    private final Set<String> written = new HashSet<>();
    private String lastRead;

    @Override
    public Object next(Object state, Operation operation) {
        return operation.verb == Operation.Verb.SET ? operation.argument : state;
    }

    @Override
    public String answer(Object state, Operation operation) {
        return operation.verb == Operation.Verb.SET ? Answer.OK : Answer.value((String) state);
    }

    @Override
    public void called(Operation operation) {
        if (operation.verb == Operation.Verb.SET) {
            written.add(operation.argument);
        }
    }

    @Override
    public void answered(Operation operation) {
        if (operation.verb == Operation.Verb.GET) {
            lastRead = Answer.text(operation.result);
        }
    }

    @Override
    public Fault fault(Operation operation, Collection<Object> states) {
        if (operation.verb != Operation.Verb.GET) {
            return Fault.ANOMALY;
        }
        String value = operation.result.startsWith("-") ? null : Answer.text(operation.result);
        if (operation.result.startsWith("-") || value != null && !written.contains(value)) {
            return Fault.ANOMALY;
        }
        // Somebody has read what is now gone back from, so it was there once.
        return value != null && states.contains(lastRead) ? Fault.STALE : Fault.LOST;
    }

    @Override
    public Object seen(Operation operation) {
        return operation.verb == Operation.Verb.GET && !operation.result.startsWith("-") ? Answer.text(operation.result) : UNTOLD;
    }
}
