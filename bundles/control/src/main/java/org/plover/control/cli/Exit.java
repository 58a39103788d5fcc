package org.plover.control.cli;

/** Exit codes of every command. */
final class Exit {
    static final int OK = 0;
    /** The operation was tried or asked for and did not succeed. */
    static final int FAILED = 1;
    /** The command line is wrong. */
    static final int USAGE = 2;
    /** There is no appliance that could be asked. */
    static final int UNREACHABLE = 3;

    private Exit() {
    }
}
