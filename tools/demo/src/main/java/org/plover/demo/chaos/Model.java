package org.plover.demo.chaos;

import java.util.Collection;

/**
 * What a key is supposed to do when commands come one after the other. A state is an immutable value (null: no such key).
 * A model may gather what it has seen go by, to tell faults apart; it does not influence {@link #next} and {@link #answer}.
 */
interface Model {
    /** State after an operation. */
    Object next(Object state, Operation operation);

    /** What the operation is answered in that state. */
    String answer(Object state, Operation operation);

    /** An operation was called; in the order of time. */
    void called(Operation operation);

    /** An operation was answered, and in a way that can be explained; in the order of time. */
    void answered(Operation operation);

    /** What kind of fault it is that {@code operation}'s answer fits none of the states that are possible before it. */
    Fault fault(Operation operation, Collection<Object> states);

    /** The state that an inexplicable answer shows, for going on with; {@link #UNTOLD} if it does not tell. */
    Object seen(Operation operation);

    Object UNTOLD = new Object();

    /** A fault that clients can see. */
    enum Fault {
        /** An acknowledged write is gone. */
        LOST,
        /** A read was answered with what an earlier read already had overtaken. */
        STALE,
        /** A value that nobody wrote, an effect that happened twice, an error. */
        ANOMALY
    }
}
