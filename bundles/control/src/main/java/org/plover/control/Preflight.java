package org.plover.control;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.plover.api.health.Finding;
import org.plover.api.health.PreflightCheck;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs all pre-flight checks at once, each with the same time limit; a check that fails is a finding like any other. */
final class Preflight {
    private static final Logger LOG = LoggerFactory.getLogger(Preflight.class);

    private final Duration limit;

    Preflight(Duration limit) {
        this.limit = limit;
    }

    /**
     * Blocks until every check has ended or the time is over. Findings come in the order of the checks.
     *
     * @throws InterruptedException if the caller was interrupted; the checks are interrupted, too
     */
    List<Finding> run(List<PreflightCheck> checks) throws InterruptedException {
        ExecutorService threads = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "plover-preflight");
            thread.setDaemon(true);
            return thread;
        });
        try {
            List<Future<List<Finding>>> runs = new ArrayList<>();
            for (PreflightCheck check : checks) {
                runs.add(threads.submit(check::check));
            }
            long endNanos = System.nanoTime() + limit.toNanos();
            List<Finding> findings = new ArrayList<>();
            if (checks.stream().allMatch(check -> check instanceof BundleCheck)) {
                // Nothing looked at is not nothing wrong: our own check looks at the appliance, not at the host.
                findings.add(Finding.error("pre-flight checks", "this appliance has no part that could check the host",
                        "look into its log for bundles that did not start, and compare its bundles with those of the distribution"));
            }
            for (int i = 0; i < runs.size(); i++) {
                findings.addAll(result(checks.get(i), runs.get(i), endNanos - System.nanoTime()));
            }
            return findings;
        } finally {
            threads.shutdownNow();
        }
    }

    private List<Finding> result(PreflightCheck check, Future<List<Finding>> run, long nanos) throws InterruptedException {
        String name = check.getClass().getSimpleName();
        try {
            return run.get(Math.max(0, nanos), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            return List.of(Finding.error(name, "the check has not ended within " + limit.toSeconds() + " s",
                    "see whether the host is overloaded or a disk does not answer, and run the check again"));
        } catch (ExecutionException e) {
            LOG.error("Pre-flight check {} failed", check.getClass().getName(), e.getCause());
            return List.of(Finding.error(name, "the check failed: " + e.getCause(),
                    "the appliance's log has the details; what it looks at is not known to work"));
        }
    }
}
