package org.plover.control;

import jakarta.json.JsonArray;
import jakarta.json.JsonObject;
import jakarta.json.JsonValue;
import jakarta.json.spi.JsonProvider;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.plover.api.control.Caller;
import org.plover.api.status.ProgressingFuture;
import org.plover.control.wire.Operation;
import org.plover.control.wire.Protocol;
import org.plover.control.wire.Protocol.Code;
import org.plover.control.wire.RecordJson;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Orders that nobody waits for: begun, asked about, cancelled. The last ones are remembered. Thread-safe. */
final class Operations {
    static final int RUNNING_MAX = 16;
    static final int REMEMBERED_MAX = 200;

    private static final Logger LOG = LoggerFactory.getLogger(Operations.class);
    private static final JsonProvider JSON = JsonProvider.provider();
    /** What only looks can be ended at any moment. What changes who serves cannot be taken back half-way. */
    private static final Set<String> CANCELLABLE = Set.of(Protocol.VERIFY, Protocol.VERIFY_DISKS, Protocol.BACKUP);

    private final Orders orders;
    private final Clock clock;
    private final ExecutorService threads;
    private final Map<String, Running> known = new LinkedHashMap<>();
    private long number;

    Operations(Orders orders, Clock clock) {
        this.orders = orders;
        this.clock = clock;
        threads = new ThreadPoolExecutor(0, RUNNING_MAX, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), task -> {
            Thread thread = new Thread(task, "plover-operation");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Begins an order and returns at once, with an operation that runs. */
    JsonObject start(String kind, JsonObject request, Caller caller) throws CommandException {
        // What takes its time gets it: nobody holds a connection open for it.
        JsonObject patient = request.containsKey(Protocol.TIMEOUT_SECONDS) || !CANCELLABLE.contains(kind) ? request
                : JSON.createObjectBuilder(request).add(Protocol.TIMEOUT_SECONDS, Protocol.TIMEOUT_SECONDS_MAX).build();
        String vm = orders.check(kind, patient);
        Running running = remember(vm, kind, caller);
        try {
            threads.execute(() -> run(running, patient, caller));
        } catch (RejectedExecutionException e) {
            synchronized (this) {
                known.remove(running.id);
            }
            throw new CommandException(Code.REFUSED, RUNNING_MAX + " operations are running already; wait for one, or cancel one");
        }
        return RecordJson.toJson(running.snapshot());
    }

    synchronized JsonArray list() {
        List<Operation> newestFirst = new ArrayList<>(known.values().stream().map(Running::snapshot).toList());
        Collections.reverse(newestFirst);
        return RecordJson.toJson(newestFirst);
    }

    JsonObject get(String id) throws CommandException {
        return RecordJson.toJson(find(id).snapshot());
    }

    String kind(String id) throws CommandException {
        return find(id).kind;
    }

    /** Tells it to end. It has ended when its state says so. */
    JsonObject cancel(String id, Caller caller) throws CommandException {
        Running running = find(id);
        if (!CANCELLABLE.contains(running.kind)) {
            throw new CommandException(Code.REFUSED, "a " + running.kind + " cannot be taken back once it was begun; wait for what comes of it");
        }
        LOG.info("{}: operation {} ({}) is cancelled by user {}", running.vm, id, running.kind, caller.name());
        running.cancel();
        return RecordJson.toJson(running.snapshot());
    }

    /** Stops waiting for all of them. */
    void close() {
        threads.shutdownNow();
    }

    private synchronized Running find(String id) throws CommandException {
        Running running = known.get(id);
        if (running == null) {
            throw new CommandException(Code.NOT_FOUND, "there is no operation " + id + "; the last " + REMEMBERED_MAX
                    + " since the appliance's start are known");
        }
        return running;
    }

    private synchronized Running remember(String vm, String kind, Caller caller) {
        Running running = new Running(Long.toString(++number), vm, kind, caller, clock.millis());
        known.put(running.id, running);
        var oldest = known.values().iterator();
        while (known.size() > REMEMBERED_MAX && oldest.hasNext()) {
            if (oldest.next().ended()) {
                oldest.remove();
            }
        }
        return running;
    }

    private void run(Running running, JsonObject request, Caller caller) {
        try {
            JsonObject result = orders.execute(running.kind, request, caller, running::begun);
            running.end(Operation.DONE, result.getString(Protocol.MESSAGE, ""), result, clock.millis());
        } catch (CommandException e) {
            running.end(e.code() == Code.CANCELLED ? Operation.CANCELLED : Operation.FAILED, e.getMessage(), JsonValue.NULL, clock.millis());
        } catch (InterruptedException e) {
            running.end(Operation.FAILED, "the appliance's control stopped before there was a result", JsonValue.NULL, clock.millis());
        } catch (RuntimeException e) {
            LOG.error("{}: operation {} ({}) failed", running.vm, running.id, running.kind, e);
            running.end(Operation.FAILED, "it failed (" + e + "): the appliance's log has the details", JsonValue.NULL, clock.millis());
        }
    }

    private static final class Running {
        final String id;
        final String vm;
        final String kind;
        private final Caller caller;
        private final long startedAtMillis;
        private CompletableFuture<?> future;
        private boolean cancelled;
        private String state = Operation.RUNNING;
        private String message = "";
        private JsonValue result = JsonValue.NULL;
        private long endedAtMillis;

        Running(String id, String vm, String kind, Caller caller, long startedAtMillis) {
            this.id = id;
            this.vm = vm;
            this.kind = kind;
            this.caller = caller;
            this.startedAtMillis = startedAtMillis;
        }

        synchronized void begun(CompletableFuture<?> begun) {
            future = begun;
            if (cancelled) {
                begun.cancel(false);
            }
        }

        synchronized void cancel() {
            cancelled = true;
            if (future != null) {
                future.cancel(false);
            }
        }

        synchronized void end(String endState, String endMessage, JsonValue endResult, long nowMillis) {
            state = endState;
            message = endMessage;
            result = endResult;
            endedAtMillis = nowMillis;
        }

        synchronized boolean ended() {
            return endedAtMillis != 0;
        }

        synchronized Operation snapshot() {
            int percent = state.equals(Operation.DONE) ? 100 : future instanceof ProgressingFuture<?> known ? known.percent() : -1;
            return new Operation(id, vm, kind, caller.name(), caller.door(), state, percent, startedAtMillis, endedAtMillis, message, result);
        }
    }
}
