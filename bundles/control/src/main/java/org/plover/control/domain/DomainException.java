package org.plover.control.domain;

/** The text is not a description of a virtual machine; the message says what is wrong with it and where. */
public final class DomainException extends Exception {
    private static final long serialVersionUID = 1;

    DomainException(String message) {
        super(message);
    }
}
