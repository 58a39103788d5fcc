package org.plover.demo;

import java.io.IOException;
import java.util.List;

/**
 * One connection to a service that keeps a {@link Ledger}'s keys and its list of writes. For one thread, but for {@link #close};
 * every operation blocks until it is answered. It never reconnects: after an exception it is of no more use.
 *
 * <p>Operations throw IOException when the connection is closed or reset, when no answer comes in time, and when the server refuses
 * or says what is no answer.
 */
interface ServiceClient extends AutoCloseable {
    /** What {@link #write} returns if the service does not tell. */
    long UNKNOWN_LENGTH = -1;

    /** Makes what writes need, if it is not there yet. */
    void prepare() throws IOException;

    /** How long each operation waits from now on; 0: for ever. */
    void timeoutMillis(int millis) throws IOException;

    /** Sets a key to a number and appends the number to the list of writes; returns the length of the list. */
    long write(Ledger ledger, int key, long number) throws IOException;

    /** A key's value, or null if it has none. */
    String read(Ledger ledger, int key) throws IOException;

    /** All keys' values, in order, asked for at once; null for one that has none. */
    String[] readAll(Ledger ledger) throws IOException;

    /** A part of the list of writes, in the order of the list; shorter than {@code count} only at its end. */
    List<String> writes(Ledger ledger, long from, int count) throws IOException;

    /** Removes what the ledger has written: the server may be small. */
    void forget(Ledger ledger) throws IOException;

    /** Closes the connection; an operation under way ends with an exception. From any thread. */
    @Override
    void close() throws IOException;
}
