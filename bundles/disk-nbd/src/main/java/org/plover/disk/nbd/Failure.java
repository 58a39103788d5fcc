package org.plover.disk.nbd;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The first error that makes a guest's disks useless on this host; reported once. Thread-safe. */
final class Failure {
    private static final Logger log = LoggerFactory.getLogger(Failure.class);

    private final String name;
    private final Consumer<String> listener;
    private final AtomicReference<IOException> first = new AtomicReference<>();

    Failure(String name, Consumer<String> listener) {
        this.name = name;
        this.listener = listener;
    }

    /** Notes the error and returns it; the message must name the file. */
    IOException report(IOException cause) {
        if (first.compareAndSet(null, cause)) {
            String reason = cause.getMessage() + (cause instanceof Export.NoSpaceException ? ""
                    : "; the disks of " + name + " are of no use on this host until that is mended and they are opened again");
            log.error("disks of {}: {}", name, reason, cause);
            listener.accept(reason);
        }
        return cause;
    }

    boolean happened() {
        return first.get() != null;
    }

    void check() throws IOException {
        IOException cause = first.get();
        if (cause != null) {
            String text = "the disks of " + name + " failed: " + cause.getMessage();
            IOException again = cause instanceof Export.NoSpaceException ? new Export.NoSpaceException(text) : new IOException(text);
            again.initCause(cause);
            throw again;
        }
    }
}
