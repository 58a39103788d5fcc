package org.plover.control;

import jakarta.json.JsonArray;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.FrameworkListener;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceListener;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.plover.api.health.Finding;
import org.plover.api.health.PreflightCheck;
import org.plover.control.wire.Protocol;
import org.plover.control.wire.RecordJson;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends an appliance that was started only to check the host ({@code plover.check=true}): waits until it has started, runs the
 * checks, prints the findings between two marker lines on standard output and exits, 0 if none of them is an error, else 1.
 *
 * <p>In any other appliance it does nothing.
 */
@Component(service = {}, immediate = true)
public final class CheckMode {
    /** No service has come or gone for so long: components that were to start have started. */
    private static final long SETTLED_MILLIS = 700;
    /** Then the checks are run even if services still come and go. */
    private static final long SETTLED_MILLIS_MAX = 15_000;

    private static final Logger LOG = LoggerFactory.getLogger(CheckMode.class);

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    private volatile List<PreflightCheck> checks;

    private final BlockingQueue<Object> events = new LinkedBlockingQueue<>();
    private final ServiceListener onService = events::add;
    private final FrameworkListener onFramework = events::add;
    private BundleContext context;
    private Thread thread;

    static boolean isOn(BundleContext context) {
        return Boolean.parseBoolean(context.getProperty(Protocol.CHECK_PROPERTY));
    }

    @Activate
    void activate(BundleContext bundleContext) throws InvalidSyntaxException {
        if (!isOn(bundleContext)) {
            return;
        }
        context = bundleContext;
        context.addFrameworkListener(onFramework);
        context.addServiceListener(onService, "(" + Constants.OBJECTCLASS + "=*)");
        thread = new Thread(this::checkAndExit, "plover-check");
        thread.setDaemon(true);
        thread.start();
    }

    @Deactivate
    void deactivate() {
        if (thread != null) {
            context.removeFrameworkListener(onFramework);
            context.removeServiceListener(onService);
            thread.interrupt();
        }
    }

    private void checkAndExit() {
        try {
            awaitStart();
            awaitSettled();
            // Standard output is what this mode is for: the one who started the process reads it. A log would go elsewhere.
            // System.exit and not a stop of the framework, since the launcher ends a stopped framework with 0; its shutdown
            // hook stops the framework in order.
            report(new Preflight(ControlComponent.CHECK_LIMIT).run(checks), System.out, System::exit);
        } catch (InterruptedException stopping) {
            LOG.debug("The appliance stops before the check of the host has ended");
        }
    }

    /** Prints the findings and ends the process with the code that says whether this host will do. */
    static void report(List<Finding> findings, PrintStream out, IntConsumer exit) {
        JsonArray json = RecordJson.toJson(findings);
        // In one piece, so that no line of a log comes between.
        out.print("\n" + Protocol.FINDINGS_BEGIN + "\n" + json + "\n" + Protocol.FINDINGS_END + "\n");
        out.flush();
        exit.accept(findings.stream().anyMatch(finding -> finding.level() == Finding.Level.ERROR) ? 1 : 0);
    }

    private void awaitStart() throws InterruptedException {
        Bundle framework = context.getBundle(Constants.SYSTEM_BUNDLE_ID);
        while (framework.getState() != Bundle.ACTIVE) {
            // The state changes before the event is sent, so an event missed is a state seen.
            Object event = events.take();
            if (event instanceof FrameworkEvent reached && reached.getType() == FrameworkEvent.STARTED) {
                return;
            }
        }
    }

    private void awaitSettled() throws InterruptedException {
        long endNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(SETTLED_MILLIS_MAX);
        Object event;
        do {
            event = events.poll(SETTLED_MILLIS, TimeUnit.MILLISECONDS);
        } while (event != null && System.nanoTime() < endNanos);
    }
}
