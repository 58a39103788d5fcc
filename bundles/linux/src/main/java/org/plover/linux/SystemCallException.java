package org.plover.linux;

import java.io.IOException;

/** A system call failed; carries errno, its name and its text. */
public class SystemCallException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int errno;

    /**
     * @param what  the call and what it was applied to, for instance {@code open /dev/net/tun}
     * @param errno the number that the system gave, for instance {@link Errno#ENOENT}
     */
    public SystemCallException(String what, int errno) {
        super(what + ": " + Errno.describe(errno));
        this.errno = errno;
    }

    /** The error number, to be compared with the constants of {@link Errno}. */
    public int errno() {
        return errno;
    }
}
