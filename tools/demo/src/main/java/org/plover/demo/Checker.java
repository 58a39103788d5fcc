package org.plover.demo;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.ToLongFunction;
import org.HdrHistogram.Histogram;
import picocli.CommandLine;

/**
 * A client that trusts nobody: keeps connections to a server, writes and reads, and finds every acknowledged write that
 * was lost, every read that went back in time, every connection that broke, and every moment without an answer.
 *
 * <p>A connection is never opened again, but after a restart that was announced: for a client of a protected machine a broken
 * connection is a fault. Writes carry rising numbers (see {@link Ledger}), so what may be read is known exactly. At the end every
 * acknowledged write is looked for, over fresh connections and over the old ones; before that, whenever asked to.
 *
 * <p>Each connection has a thread, which sleeps when there is nothing to do: the checker shares the processors with the machines
 * it watches.
 */
public final class Checker implements Watch {
    private static final int PROBLEMS_MAX = 20;
    private static final long MICROS_MAX = TimeUnit.HOURS.toMicros(1);
    private static final int CONNECT_MILLIS_MAX = 5_000;
    private static final int CONNECT_AGAIN_MILLIS = 100;

    private final CheckerOptions options;
    private final List<Session> sessions;
    private final Thread thread;
    private final CompletableFuture<Report> report = new CompletableFuture<>();

    /** Guards all fields below and some of the sessions'; held only while nothing is waited for, and notified of every change. */
    private final Object lock = new Object();
    private final OutageMeter meter;
    private final Histogram latencyMicros = new Histogram(MICROS_MAX, 3);
    private final List<String> problems = new ArrayList<>();
    private final long startNanos;
    private boolean stopRequested;
    private boolean stopping;
    private boolean abandoned;
    private int auditsWanted;
    private int restarts;
    private long acknowledgedWrites;
    private long reads;
    private long staleReads;
    private long corruptReads;
    private int connectionsBroken;
    private long audits;

    private Checker(CheckerOptions options, List<Session> sessions) {
        this.options = options;
        this.sessions = sessions;
        this.meter = new OutageMeter(sessions.size());
        this.startNanos = System.nanoTime();
        this.thread = new Thread(this::run, "checker");
        thread.setDaemon(true);
    }

    public static void main(String[] args) {
        System.exit(new CommandLine(new CheckerCommand()).setCaseInsensitiveEnumValuesAllowed(true).execute(args));
    }

    /**
     * Opens all connections, then starts to work. Blocks until all are open; a server that is not there yet is tried again.
     *
     * @throws IOException when a connection could not be opened within {@link CheckerOptions#connectTimeout()}; none stays open
     * @throws InterruptedException when interrupted while waiting for the server; no connection stays open
     */
    public static Checker start(CheckerOptions options) throws IOException, InterruptedException {
        // The server may hold keys of an earlier run: a name of its own keeps this one apart.
        String run = "plover:" + Long.toHexString(new SplittableRandom().nextLong());
        long deadlineNanos = System.nanoTime() + options.connectTimeout().toNanos();
        List<Session> sessions = new ArrayList<>();
        try {
            for (int i = 0; i < options.connections(); i++) {
                ServiceClient client = connect(options, deadlineNanos);
                sessions.add(new Session(i, new Ledger(run + ":" + i, options.keys()), client, new SplittableRandom()));
                client.timeoutMillis((int) options.answerTimeout().toMillis());
                client.prepare();
                client.timeoutMillis(0);
            }
            Checker checker = new Checker(options, sessions);
            checker.thread.start();
            return checker;
        } catch (IOException | InterruptedException | RuntimeException e) {
            for (Session session : sessions) {
                session.client.close();
            }
            throw e;
        }
    }

    private static ServiceClient connect(CheckerOptions options, long deadlineNanos) throws IOException, InterruptedException {
        while (true) {
            try {
                return options.service().connect(options.address(), CONNECT_MILLIS_MAX);
            } catch (IOException e) {
                if (System.nanoTime() - deadlineNanos >= 0) {
                    throw new IOException("no connection to " + options.address() + ": " + e.getMessage()
                                          + "; is the server up and reachable from here?", e);
                }
                Thread.sleep(CONNECT_AGAIN_MILLIS);
            }
        }
    }

    // --- any thread ---

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
            return String.format("t=%.1fs writes=%d reads=%d stale=%d corrupt=%d broken=%d p50=%.1fms p99=%.1fms max=%.1fms waiting=%.0fms",
                                 (now - startNanos) / 1e9, acknowledgedWrites, reads, staleReads, corruptReads, connectionsBroken,
                                 latencyMicros.getValueAtPercentile(50) / 1e3, latencyMicros.getValueAtPercentile(99) / 1e3,
                                 latencyMicros.getMaxValue() / 1e3, meter.pendingNanosMax(now) / 1e6);
        }
    }

    /** Writes acknowledged by now. */
    public long acknowledgedWrites() {
        synchronized (lock) {
            return acknowledgedWrites;
        }
    }

    /** Connections broken by now. */
    public int connectionsBroken() {
        synchronized (lock) {
            return connectionsBroken;
        }
    }

    /** Lists of writes that have been compared by now. */
    public long audits() {
        synchronized (lock) {
            return audits;
        }
    }

    @Override
    public void audit() {
        synchronized (lock) {
            auditsWanted++;
            lock.notifyAll();
        }
    }

    @Override
    public void restart(String name) {
        List<ServiceClient> old = new ArrayList<>();
        synchronized (lock) {
            meter.mark(name, System.nanoTime());
            restarts++;
            sessions.stream().filter(session -> session.open).forEach(session -> old.add(session.client));
            lock.notifyAll();
        }
        // Nobody will tell them: the other end is gone, and TCP would ask it again and again, at ever longer intervals.
        old.forEach(this::closeQuietly);
    }

    @Override
    public void requestStop() {
        synchronized (lock) {
            stopRequested = true;
            lock.notifyAll();
        }
    }

    /** {@link #requestStop()}, then waits for the audit and returns what was found. */
    public CheckerReport stop() throws InterruptedException {
        requestStop();
        while (true) {
            Optional<Report> found = awaitReport(Duration.ofMinutes(1));
            if (found.isPresent()) {
                return (CheckerReport) found.get();
            }
        }
    }

    @Override
    public Optional<Report> awaitReport(Duration timeout) throws InterruptedException {
        try {
            return Optional.of(report.get(timeout.toNanos(), TimeUnit.NANOSECONDS));
        } catch (TimeoutException e) {
            return Optional.empty();
        } catch (ExecutionException e) {
            throw new IllegalStateException("the checker failed: " + e.getCause(), e.getCause());
        }
    }

    @Override
    public void close() {
        synchronized (lock) {
            abandoned = true;
        }
        requestStop();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    // --- the checker's thread ---

    private void run() {
        List<Thread> workers = new ArrayList<>();
        try {
            long thinkNanos = options.think().toNanos();
            for (Session session : sessions) {
                // Spread out, or all connections would ask in step.
                session.dueNanos = startNanos + thinkNanos * session.id / sessions.size();
                Thread worker = new Thread(() -> work(session), "checker-" + session.id);
                worker.setDaemon(true);
                workers.add(worker);
                worker.start();
            }
            awaitEnd();
            double seconds = (System.nanoTime() - startNanos) / 1e9;
            dropSilentSessions();
            for (Thread worker : workers) {
                worker.join();
            }
            synchronized (lock) {
                if (abandoned) {
                    throw new IllegalStateException("closed before it was stopped");
                }
            }
            report.complete(finalAudit(seconds));
        } catch (IOException | InterruptedException | RuntimeException e) {
            report.completeExceptionally(e);
        } finally {
            sessions.forEach(session -> closeQuietly(session.client));
        }
    }

    /** Until it is time to stop, and then until no operation is under way any more or it has taken too long. */
    private void awaitEnd() throws InterruptedException {
        long endNanos = startNanos + (options.duration().isZero() ? Long.MAX_VALUE / 2 : options.duration().toNanos());
        synchronized (lock) {
            while (!stopRequested && System.nanoTime() - endNanos < 0) {
                await(endNanos);
            }
            stopping = true;
            lock.notifyAll();
            long drainNanos = System.nanoTime() + options.answerTimeout().toNanos();
            while (!abandoned && System.nanoTime() - drainNanos < 0 && sessions.stream().anyMatch(session -> session.open && session.busy)) {
                await(drainNanos);
            }
        }
    }

    /** Waits for a change until then; only with the lock. */
    private void await(long untilNanos) throws InterruptedException {
        long leftNanos = untilNanos - System.nanoTime();
        if (leftNanos > 0) {
            lock.wait(Math.min(TimeUnit.HOURS.toMillis(1), TimeUnit.NANOSECONDS.toMillis(leftNanos + 999_999)));
        }
    }

    private void dropSilentSessions() {
        synchronized (lock) {
            for (Session session : sessions) {
                if (session.open && session.busy) {
                    broken(session, "no answer for " + (System.nanoTime() - session.sentNanos) / 1_000_000 + " ms");
                }
            }
        }
    }

    // --- a session's thread ---

    private enum Step { OPERATION, AUDIT, RECONNECT, END }

    private void work(Session session) {
        try {
            while (true) {
                Step step = nextStep(session);
                try {
                    switch (step) {
                        case OPERATION -> operate(session);
                        case AUDIT -> auditInBetween(session);
                        case RECONNECT -> reconnect(session);
                        default -> {
                            return;
                        }
                    }
                } catch (IOException e) {
                    synchronized (lock) {
                        // What breaks after a restart was announced is not a fault.
                        if (session.open && session.restarts == restarts) {
                            broken(session, e.getMessage() == null ? e.toString() : e.getMessage());
                        }
                    }
                } finally {
                    synchronized (lock) {
                        session.busy = false;
                        lock.notifyAll();
                    }
                }
            }
        } catch (InterruptedException | RuntimeException e) {
            report.completeExceptionally(e);
        }
    }

    private Step nextStep(Session session) throws InterruptedException {
        synchronized (lock) {
            while (true) {
                if (stopping || !session.open) {
                    return Step.END;
                }
                if (session.restarts != restarts) {
                    session.busy = true;
                    return Step.RECONNECT;
                }
                if (session.audits < auditsWanted) {
                    return Step.AUDIT;
                }
                long now = System.nanoTime();
                if (now - session.dueNanos >= 0) {
                    session.busy = true;
                    session.sentNanos = now;
                    meter.sent(session.id, now);
                    return Step.OPERATION;
                }
                await(session.dueNanos);
            }
        }
    }

    private void operate(Session session) throws IOException {
        Session.Completion completion = session.operate(session.client);
        synchronized (lock) {
            if (session.open) {
                completed(session, completion);
            }
        }
    }

    private void auditInBetween(Session session) throws IOException {
        session.client.timeoutMillis((int) options.answerTimeout().toMillis());
        Audit.keys(session.ledger, session.client);
        Audit.list(session.ledger, session.client);
        session.client.timeoutMillis(0);
        synchronized (lock) {
            session.audits++;
            audits++;
        }
    }

    /** The service was restarted: comes back with a new connection and looks for everything, as often as it takes. */
    private void reconnect(Session session) throws InterruptedException {
        long deadlineNanos = System.nanoTime() + options.connectTimeout().toNanos();
        while (true) {
            int target;
            synchronized (lock) {
                if (!session.open) {
                    return;
                }
                target = restarts;
            }
            try {
                ServiceClient client = options.service().connect(options.address(), CONNECT_MILLIS_MAX);
                synchronized (lock) {
                    session.client = client;
                }
                client.timeoutMillis((int) options.answerTimeout().toMillis());
                session.recover(client);
                client.timeoutMillis(0);
                synchronized (lock) {
                    session.restarts = target;
                    session.dueNanos = System.nanoTime();
                    audits++;
                }
                return;
            } catch (IOException e) {
                closeQuietly(session.client);
                synchronized (lock) {
                    if (session.open && System.nanoTime() - deadlineNanos >= 0) {
                        broken(session, "not back after the restart: " + e.getMessage());
                        return;
                    }
                    await(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CONNECT_AGAIN_MILLIS));
                }
            }
        }
    }

    // --- with the lock ---

    private void completed(Session session, Session.Completion completion) {
        long now = System.nanoTime();
        meter.completed(session.id, now);
        latencyMicros.recordValue(Math.min(MICROS_MAX, (now - session.sentNanos) / 1_000));
        session.dueNanos = now + options.think().toNanos();
        if (completion.write()) {
            acknowledgedWrites++;
        } else {
            reads++;
        }
        switch (completion.verdict()) {
            case CURRENT -> { }
            case STALE -> staleReads++;
            case CORRUPT -> corruptReads++;
            default -> throw new IllegalStateException();
        }
        if (completion.problem() != null) {
            problem(session, completion.problem());
        }
    }

    private void broken(Session session, String reason) {
        connectionsBroken++;
        session.open = false;
        meter.broken(session.id);
        problem(session, "broken: " + reason);
        closeQuietly(session.client);
    }

    /** What is closed is of no interest any more. */
    private void closeQuietly(ServiceClient client) {
        try {
            client.close();
        } catch (IOException e) {
            synchronized (lock) {
                if (problems.size() < PROBLEMS_MAX) {
                    problems.add("a connection was not closed: " + e.getMessage());
                }
            }
        }
    }

    private void problem(Session session, String text) {
        if (problems.size() < PROBLEMS_MAX) {
            problems.add(String.format("t=%.3fs connection %d: %s", (System.nanoTime() - startNanos) / 1e9, session.id, text));
        }
    }

    // --- the audit at the end, on the checker's thread; no other works any more ---

    private CheckerReport finalAudit(double seconds) throws IOException {
        List<Outage> outages = outages();
        int timeoutMillis = (int) options.answerTimeout().toMillis();
        for (Session session : sessions) {
            if (session.open) {
                try {
                    session.client.timeoutMillis(timeoutMillis);
                    Audit.keys(session.ledger, session.client);
                } catch (IOException e) {
                    synchronized (lock) {
                        broken(session, "in the audit: " + e.getMessage());
                    }
                }
            }
        }
        long unverified = 0;
        for (Session session : sessions) {
            boolean verified = false;
            try (ServiceClient fresh = options.service().connect(options.address(), timeoutMillis)) {
                fresh.timeoutMillis(timeoutMillis);
                Audit.keys(session.ledger, fresh);
                Audit.list(session.ledger, fresh);
                verified = true;
                audits++;
                if (session.ledger.lostWrites() == 0) {
                    fresh.forget(session.ledger);
                }
            } catch (IOException e) {
                unverified += verified ? 0 : session.ledger.acknowledgedWrites();
                synchronized (lock) {
                    problem(session, (verified ? "its keys were not removed: " : "its writes could not be looked for: ") + e.getMessage());
                }
            }
        }
        synchronized (lock) {
            return new CheckerReport(seconds, sessions.size(), acknowledgedWrites, reads,
                                     sum(Ledger::lostWrites), staleReads, corruptReads + sum(Ledger::corruptValues),
                                     sum(Ledger::duplicatedWrites), sum(Ledger::misorderedWrites), unverified,
                                     connectionsBroken, audits, latencyMicros.copy(), outages, List.copyOf(problems));
        }
    }

    private long sum(ToLongFunction<Ledger> field) {
        return sessions.stream().map(session -> session.ledger).mapToLong(field).sum();
    }
}
