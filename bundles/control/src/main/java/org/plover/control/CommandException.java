package org.plover.control;

import org.plover.control.wire.Protocol;

/** A request that was not fulfilled; the message is what the one who asked gets to read. */
final class CommandException extends Exception {
    private static final long serialVersionUID = 1;

    private final Protocol.Code code;

    CommandException(Protocol.Code code, String message) {
        super(message);
        this.code = code;
    }

    Protocol.Code code() {
        return code;
    }
}
