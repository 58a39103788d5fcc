package org.plover.api.machine;

/** Something about a machine failed; the message says what, on what, and what to do. */
public class MachineException extends Exception {
    private static final long serialVersionUID = 1L;

    public MachineException(String message) {
        super(message);
    }

    public MachineException(String message, Throwable cause) {
        super(message, cause);
    }
}
