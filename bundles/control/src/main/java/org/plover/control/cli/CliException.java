package org.plover.control.cli;

/** Ends the command: one sentence for the person at the terminal, and the exit code. */
class CliException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int exitCode;

    CliException(int exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }

    CliException(int exitCode, String message, Throwable cause) {
        super(message, cause);
        this.exitCode = exitCode;
    }

    int exitCode() {
        return exitCode;
    }

    /** There is no appliance at all, as opposed to one that cannot be spoken to. */
    static final class NotRunning extends CliException {
        private static final long serialVersionUID = 1;

        NotRunning(String message, Throwable cause) {
            super(Exit.UNREACHABLE, message, cause);
        }
    }
}
