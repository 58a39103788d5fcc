package org.plover.demo;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A client that watches a service while something is done to it. All methods may be called from any thread. */
public interface Watch extends AutoCloseable {

    /** Names this moment, so that the outage after it can be told. Does not block. */
    void mark(String name);

    /** Asks to look for everything that the service has acknowledged so far, as soon as may be; does not wait. Nothing where nothing is written. */
    default void audit() {
    }

    /**
     * Says that the service is being restarted, on purpose or by a loss of power: connections break now and that is no fault. What was
     * acknowledged must still be there when the service is back. Marks the moment as {@link #mark} does. Does not block.
     */
    default void restart(String name) {
        mark(name);
    }

    /** What is known by now of the outages after the marks. An outage that is still going on counts as far as it has come. */
    List<Outage> outages();

    /** One line for a person. */
    String statusLine();

    /** Ends the watch; does not wait for its report. */
    void requestStop();

    /**
     * Waits for the end of the watch.
     *
     * @return the report, or empty when the watch has not ended in that time
     * @throws IllegalStateException when the watch itself failed; what it saw until then is lost
     * @throws InterruptedException when interrupted; the watch goes on
     */
    Optional<Report> awaitReport(Duration timeout) throws InterruptedException;

    /** Ends the watch without a report if it has not ended yet, and waits until its connections are closed. */
    @Override
    void close();
}
