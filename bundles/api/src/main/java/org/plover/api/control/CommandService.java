package org.plover.api.control;

/**
 * Service: the appliance's commands, the one way in behind every door. A door establishes who is there and passes on what they
 * say; whether they may, and what comes of it, is decided here, so that it is the same everywhere.
 *
 * <p>Requests and answers are JSON texts. A request is an object with a {@code command} and what the command needs; an answer
 * has {@code ok} and then either {@code result}, or {@code error}, a sentence for a person, with {@code code}, a word for a
 * program. Thread-safe.
 */
public interface CommandService {
    /**
     * Carries a request out and blocks until there is a result, for as long as the command takes; those that take long can be
     * begun by {@code start} and asked about by {@code operation} instead.
     *
     * @return never null; what is wrong with a request is said in the answer
     * @throws InterruptedException if the thread was interrupted while it waited; an order that was begun may still come about
     */
    String answer(String request, Caller caller) throws InterruptedException;
}
