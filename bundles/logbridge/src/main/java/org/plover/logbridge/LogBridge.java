package org.plover.logbridge;

import org.osgi.annotation.bundle.Header;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.service.log.LogEntry;
import org.osgi.service.log.LogListener;
import org.osgi.service.log.LogReaderService;
import org.osgi.util.tracker.ServiceTracker;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;
import org.slf4j.event.Level;

/**
 * Brings what is written to the OSGi log service and to {@code java.util.logging} to slf4j, so that the
 * appliance has one log. Without it a component that fails to activate says so to nobody.
 *
 * <p>{@code org.apache.felix.logback} would do this too, but 1.0.6 does not work with the Logback of today.
 */
@Header(name = Constants.BUNDLE_ACTIVATOR, value = "${@class}")
public final class LogBridge implements BundleActivator {

    /** Loggers of this prefix report framework, bundle and service events, one line for each. */
    private static final String EVENTS = "Events.";

    private final LogListener listener = LogBridge::forward;
    private ServiceTracker<LogReaderService, LogReaderService> readers;

    @Override
    public void start(BundleContext context) {
        SLF4JBridgeHandler.removeHandlersForRootLogger();
        SLF4JBridgeHandler.install();
        readers = new ServiceTracker<>(context, LogReaderService.class, null) {
            @Override
            public LogReaderService addingService(ServiceReference<LogReaderService> reference) {
                LogReaderService reader = super.addingService(reference);
                reader.addLogListener(listener);
                return reader;
            }

            @Override
            public void removedService(ServiceReference<LogReaderService> reference, LogReaderService reader) {
                reader.removeLogListener(listener);
                super.removedService(reference, reader);
            }
        };
        readers.open();
    }

    @Override
    public void stop(BundleContext context) {
        readers.close();
        SLF4JBridgeHandler.uninstall();
    }

    static void forward(LogEntry entry) {
        String logger = loggerName(entry);
        LoggerFactory.getLogger(logger)
                .atLevel(level(entry, logger))
                .setCause(entry.getException())
                .log(entry.getMessage());
    }

    static String loggerName(LogEntry entry) {
        String name = entry.getLoggerName();
        if (name == null) {
            name = "osgi";
        }
        return name.startsWith(EVENTS) && entry.getBundle() != null
                ? name + "." + entry.getBundle().getSymbolicName()
                : name;
    }

    static Level level(LogEntry entry, String logger) {
        return switch (entry.getLogLevel()) {
            case AUDIT, ERROR -> Level.ERROR;
            case WARN -> Level.WARN;
            // An event of the framework is not news for the operator, a failure in one is.
            case INFO -> logger.startsWith(EVENTS) ? Level.DEBUG : Level.INFO;
            case DEBUG -> Level.DEBUG;
            case TRACE -> Level.TRACE;
        };
    }
}
