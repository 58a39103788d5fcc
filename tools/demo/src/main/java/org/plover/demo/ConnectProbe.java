package org.plover.demo;

import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.HdrHistogram.Histogram;

/**
 * Watches any TCP service by opening connections to it, one after the other, and closing them again. An outage is known to
 * about the attempt timeout. One thread.
 */
public final class ConnectProbe implements Watch {
    private static final long MICROS_MAX = TimeUnit.HOURS.toMicros(1);

    private final InetSocketAddress address;
    private final Duration interval;
    private final Duration attemptTimeout;
    private final long durationNanos;
    private final long startNanos = System.nanoTime();
    private final Thread thread = new Thread(this::run, "connect-probe");
    private final CompletableFuture<Report> report = new CompletableFuture<>();
    private final Object lock = new Object();
    private final OutageMeter meter = new OutageMeter(1);
    private final Histogram latencyMicros = new Histogram(MICROS_MAX, 3);
    private long successes;
    private long failures;
    private String lastFailure = "";
    private boolean stopRequested;

    /** What a probe saw; clean when it got a connection and lost none of its attempts. */
    private record ProbeReport(double seconds, long successes, long failures, String lastFailure, Histogram latency,
                               List<Outage> outages) implements Report {
        @Override
        public boolean clean() {
            return successes > 0 && failures == 0;
        }

        @Override
        public JsonObject toJson() {
            JsonArrayBuilder outageArray = Json.createArrayBuilder();
            outages.forEach(outage -> outageArray.add(outage.toJson()));
            return Json.createObjectBuilder()
                    .add("clean", clean())
                    .add("seconds", Report.rounded(seconds))
                    .add("connects", successes)
                    .add("connectsFailed", failures)
                    .add("lastFailure", lastFailure)
                    .add("latencyMillis", CheckerReport.latencyMillis(latency))
                    .add("outages", outageArray)
                    .build();
        }
    }

    private ConnectProbe(InetSocketAddress address, Duration interval, Duration attemptTimeout, Duration duration) {
        this.address = address;
        this.interval = interval;
        this.attemptTimeout = attemptTimeout;
        this.durationNanos = duration.isZero() ? Long.MAX_VALUE : duration.toNanos();
        thread.setDaemon(true);
    }

    /**
     * Starts to probe; does not block.
     *
     * @param interval pause between two attempts, at least a millisecond
     * @param attemptTimeout when an attempt has failed; shorter than the second after which TCP would ask again
     * @param duration when to stop; zero: when {@link #requestStop()} is called
     */
    public static ConnectProbe start(InetSocketAddress address, Duration interval, Duration attemptTimeout, Duration duration) {
        if (interval.toMillis() < 1 || attemptTimeout.toMillis() < 1) {
            throw new IllegalArgumentException("interval and timeout of at least a millisecond needed, not " + interval + " and "
                                               + attemptTimeout);
        }
        ConnectProbe probe = new ConnectProbe(address, interval, attemptTimeout, duration);
        probe.thread.start();
        return probe;
    }

    @Override
    public void mark(String name) {
        synchronized (lock) {
            meter.mark(name, System.nanoTime());
        }
    }

    @Override
    public List<Outage> outages() {
        synchronized (lock) {
            return meter.outages(System.nanoTime());
        }
    }

    @Override
    public String statusLine() {
        synchronized (lock) {
            long now = System.nanoTime();
            return String.format("t=%.1fs connects=%d failed=%d p50=%.1fms max=%.1fms waiting=%.0fms", (now - startNanos) / 1e9,
                                 successes, failures, latencyMicros.getValueAtPercentile(50) / 1e3,
                                 latencyMicros.getMaxValue() / 1e3, meter.pendingNanosMax(now) / 1e6);
        }
    }

    /** Attempts that failed by now. */
    public long failures() {
        synchronized (lock) {
            return failures;
        }
    }

    @Override
    public void requestStop() {
        synchronized (lock) {
            stopRequested = true;
            lock.notifyAll();
        }
    }

    @Override
    public Optional<Report> awaitReport(Duration timeout) throws InterruptedException {
        try {
            return Optional.of(report.get(timeout.toNanos(), TimeUnit.NANOSECONDS));
        } catch (TimeoutException e) {
            return Optional.empty();
        } catch (ExecutionException e) {
            throw new IllegalStateException("the probe failed: " + e.getCause(), e.getCause());
        }
    }

    @Override
    public void close() {
        requestStop();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            boolean waiting = false;
            do {
                // Attempts that fail belong to one wait, which ends with the first that succeeds.
                waiting = !attempt(waiting);
            } while (pause());
            synchronized (lock) {
                long now = System.nanoTime();
                report.complete(new ProbeReport((now - startNanos) / 1e9, successes, failures, lastFailure, latencyMicros.copy(),
                                                meter.outages(now)));
            }
        } catch (InterruptedException | RuntimeException e) {
            report.completeExceptionally(e);
        }
    }

    private boolean attempt(boolean waiting) {
        long sentNanos = System.nanoTime();
        if (!waiting) {
            synchronized (lock) {
                meter.sent(0, sentNanos);
            }
        }
        try (Socket socket = new Socket()) {
            socket.connect(address, (int) attemptTimeout.toMillis());
            synchronized (lock) {
                long now = System.nanoTime();
                meter.completed(0, now);
                latencyMicros.recordValue(Math.min(MICROS_MAX, (now - sentNanos) / 1_000));
                successes++;
            }
            return true;
        } catch (IOException e) {
            synchronized (lock) {
                failures++;
                lastFailure = e.toString();
            }
            return false;
        }
    }

    /** Returns whether to go on. */
    private boolean pause() throws InterruptedException {
        synchronized (lock) {
            long untilNanos = System.nanoTime() + interval.toNanos();
            for (long left = interval.toNanos(); left > 0 && !stopRequested; left = untilNanos - System.nanoTime()) {
                lock.wait(TimeUnit.NANOSECONDS.toMillis(left + 999_999));
            }
            return !stopRequested && System.nanoTime() - startNanos < durationNanos;
        }
    }
}
