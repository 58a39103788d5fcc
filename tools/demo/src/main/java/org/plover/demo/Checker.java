package org.plover.demo;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
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
 * A client that trusts nobody: keeps connections to a Redis server, writes and reads, and finds every acknowledged write that
 * was lost, every read that went back in time, every connection that broke, and every moment without an answer.
 *
 * <p>A connection is never opened again: for a client of a protected machine a broken connection is a fault. Writes carry
 * rising numbers (see {@link Ledger}), so what may be read is known exactly. At the end every acknowledged write is looked
 * for, over fresh connections and over the old ones.
 *
 * <p>One thread does it all, and sleeps when there is nothing to do: it shares the processors with the machines it watches.
 */
public final class Checker implements Watch {
    private static final int PROBLEMS_MAX = 20;
    private static final long MICROS_MAX = TimeUnit.HOURS.toMicros(1);

    private final CheckerOptions options;
    private final Selector selector;
    private final List<Session> sessions;
    private final Thread thread;
    private final CompletableFuture<Report> report = new CompletableFuture<>();
    private volatile boolean stopRequested;
    private volatile boolean abandoned;

    /** Guards all fields below; the checker's thread holds it while it works on events, never while it waits for them. */
    private final Object lock = new Object();
    private final OutageMeter meter;
    private final Histogram latencyMicros = new Histogram(MICROS_MAX, 3);
    private final List<String> problems = new ArrayList<>();
    private final long startNanos;
    private long acknowledgedWrites;
    private long reads;
    private long staleReads;
    private long corruptReads;
    private int connectionsBroken;

    private Checker(CheckerOptions options, Selector selector, List<Session> sessions) {
        this.options = options;
        this.selector = selector;
        this.sessions = sessions;
        this.meter = new OutageMeter(sessions.size());
        this.startNanos = System.nanoTime();
        this.thread = new Thread(this::run, "checker");
        thread.setDaemon(true);
    }

    public static void main(String[] args) {
        System.exit(new CommandLine(new CheckerCommand()).execute(args));
    }

    /**
     * Opens all connections, then starts to work. Blocks until all are open; a server that is not there yet is tried again.
     *
     * @throws IOException when a connection could not be opened within {@link CheckerOptions#connectTimeout()}; none stays open
     * @throws InterruptedException when interrupted while waiting for the server; no connection stays open
     */
    public static Checker start(CheckerOptions options) throws IOException, InterruptedException {
        // Redis may hold keys of an earlier run: a name of its own keeps this one apart.
        String run = "plover:" + Long.toHexString(new SplittableRandom().nextLong());
        long deadlineNanos = System.nanoTime() + options.connectTimeout().toNanos();
        List<Session> sessions = new ArrayList<>();
        Selector selector = Selector.open();
        try {
            for (int i = 0; i < options.connections(); i++) {
                SocketChannel channel = connect(options.address(), deadlineNanos);
                Session session = new Session(i, new Ledger(run + ":" + i, options.keys()), channel, new SplittableRandom());
                sessions.add(session);
                session.register(selector);
            }
            Checker checker = new Checker(options, selector, sessions);
            checker.thread.start();
            return checker;
        } catch (IOException | InterruptedException | RuntimeException e) {
            for (Session session : sessions) {
                session.close();
            }
            selector.close();
            throw e;
        }
    }

    private static SocketChannel connect(InetSocketAddress address, long deadlineNanos) throws IOException, InterruptedException {
        while (true) {
            SocketChannel channel = SocketChannel.open();
            try {
                channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                channel.socket().connect(address, 1_000);
                return channel;
            } catch (IOException e) {
                channel.close();
                if (System.nanoTime() - deadlineNanos >= 0) {
                    throw new IOException("no connection to " + address + ": " + e.getMessage()
                                          + "; is the server up and reachable from here?", e);
                }
                Thread.sleep(100);
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

    @Override
    public void requestStop() {
        stopRequested = true;
        synchronized (lock) {
            // A closed selector must not be woken up, and needs not to be.
            if (selector.isOpen()) {
                selector.wakeup();
            }
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
        abandoned = true;
        requestStop();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    // --- the checker's thread ---

    private void run() {
        try {
            work();
            double seconds = (System.nanoTime() - startNanos) / 1e9;
            if (abandoned) {
                throw new IllegalStateException("closed before it was stopped");
            }
            dropSilentSessions();
            report.complete(audit(seconds));
        } catch (IOException | RuntimeException e) {
            report.completeExceptionally(e);
        } finally {
            closeAll();
        }
    }

    private void work() throws IOException {
        long thinkNanos = options.think().toNanos();
        for (Session session : sessions) {
            // Spread out, or all connections would ask in step.
            session.dueNanos = startNanos + thinkNanos * session.id / sessions.size();
        }
        long endNanos = options.duration().isZero() ? Long.MAX_VALUE : options.duration().toNanos();
        long drainNanos = Long.MAX_VALUE;
        while (true) {
            long elapsedNanos = System.nanoTime() - startNanos;
            boolean stopping = stopRequested || elapsedNanos >= endNanos;
            if (stopping && drainNanos == Long.MAX_VALUE) {
                drainNanos = elapsedNanos + options.answerTimeout().toNanos();
            }
            long wakeNanos = stopping ? drainNanos : endNanos;
            synchronized (lock) {
                boolean idle = true;
                for (Session session : sessions) {
                    if (session.open() && session.idle() && !stopping) {
                        wakeNanos = Math.min(wakeNanos, sendIfDue(session));
                    }
                    idle &= !session.open() || session.idle();
                }
                if (stopping && (idle || abandoned || elapsedNanos >= drainNanos)) {
                    return;
                }
            }
            selector.select(this::handle, selectMillis(wakeNanos));
        }
    }

    /** Time to wait, up to the next millisecond; 0 (for ever) when nothing is due. */
    private long selectMillis(long wakeNanos) {
        if (wakeNanos == Long.MAX_VALUE) {
            return 0;
        }
        long nanos = wakeNanos - (System.nanoTime() - startNanos);
        return Math.max(1, TimeUnit.NANOSECONDS.toMillis(nanos + 999_999));
    }

    /** Returns when the session is due, in nanoseconds since the start; at once it is if it has just asked. */
    private long sendIfDue(Session session) {
        long now = System.nanoTime();
        if (session.dueNanos - now > 0) {
            return session.dueNanos - startNanos;
        }
        try {
            meter.sent(session.id, now);
            session.send(now);
        } catch (IOException e) {
            broken(session, e.toString());
        }
        return Long.MAX_VALUE;
    }

    private void handle(SelectionKey key) {
        synchronized (lock) {
            Session session = (Session) key.attachment();
            try {
                if (key.isWritable()) {
                    session.flush();
                }
                if (key.isReadable()) {
                    Session.Completion completion = session.receive();
                    if (completion != null) {
                        completed(session, completion);
                    }
                }
            } catch (IOException e) {
                broken(session, e.toString());
            } catch (Resp.ProtocolException e) {
                broken(session, e.getMessage());
            }
        }
    }

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
        meter.broken(session.id);
        problem(session, "broken: " + reason);
        try {
            session.close();
        } catch (IOException e) {
            problem(session, "not closed: " + e);
        }
    }

    private void problem(Session session, String text) {
        if (problems.size() < PROBLEMS_MAX) {
            problems.add(String.format("t=%.3fs connection %d: %s", (System.nanoTime() - startNanos) / 1e9, session.id, text));
        }
    }

    private void dropSilentSessions() {
        synchronized (lock) {
            for (Session session : sessions) {
                if (session.open() && !session.idle()) {
                    broken(session, "no answer for " + (System.nanoTime() - session.sentNanos) / 1_000_000 + " ms");
                }
            }
        }
    }

    // --- audit ---

    private CheckerReport audit(double seconds) throws IOException {
        List<Outage> outages = outages();
        int timeoutMillis = (int) options.answerTimeout().toMillis();
        for (Session session : sessions) {
            if (session.open()) {
                try {
                    Audit.keys(session.ledger, session.audit(timeoutMillis));
                } catch (IOException | Resp.ProtocolException e) {
                    synchronized (lock) {
                        broken(session, "in the audit: " + e);
                    }
                }
            }
        }
        long unverified = 0;
        for (Session session : sessions) {
            boolean verified = false;
            try (RespClient fresh = RespClient.connect(options.address(), timeoutMillis)) {
                Audit.keys(session.ledger, fresh);
                Audit.list(session.ledger, fresh);
                verified = true;
                if (session.ledger.lostWrites() == 0) {
                    Audit.forget(session.ledger, fresh);
                }
            } catch (IOException | Resp.ProtocolException e) {
                unverified += verified ? 0 : session.ledger.acknowledgedWrites();
                synchronized (lock) {
                    problem(session, (verified ? "its keys were not removed: " : "its writes could not be looked for: ") + e);
                }
            }
        }
        synchronized (lock) {
            return new CheckerReport(seconds, sessions.size(), acknowledgedWrites, reads,
                                     sum(Ledger::lostWrites), staleReads, corruptReads + sum(Ledger::corruptValues),
                                     sum(Ledger::duplicatedWrites), sum(Ledger::misorderedWrites), unverified,
                                     connectionsBroken, latencyMicros.copy(), outages, List.copyOf(problems));
        }
    }

    private long sum(ToLongFunction<Ledger> field) {
        return sessions.stream().map(session -> session.ledger).mapToLong(field).sum();
    }

    private void closeAll() {
        synchronized (lock) {
            for (Session session : sessions) {
                try {
                    session.close();
                } catch (IOException e) {
                    problem(session, "not closed: " + e);
                }
            }
            try {
                selector.close();
            } catch (IOException e) {
                report.completeExceptionally(e);
            }
        }
    }
}
