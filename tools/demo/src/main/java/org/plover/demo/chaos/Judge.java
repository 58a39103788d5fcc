package org.plover.demo.chaos;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Judges what clients saw, as {@link Recorder} tells it: every key's history, every broken connection, every answer that does
 * not come. Knows nothing of the product.
 *
 * <p>Thread-safe.
 */
final class Judge {
    private static final int OPEN_SECONDS_MAX = 60;

    private final Map<Long, Operation> open = new HashMap<>();
    private final Map<String, KeyHistory> keys = new HashMap<>();
    private final Consumer<String> log;
    private final AckClock clock = new AckClock();
    private int reign;
    private long operations;
    private long lost;
    private long stale;
    private long anomalies;
    private long undecidedKeys;
    private final List<String> problems = new ArrayList<>();

    Judge(Consumer<String> log) {
        this.log = log;
    }

    /** One line of a {@link Recorder}. */
    synchronized void take(String line) {
        String[] word = line.split(" ");
        switch (word[0]) {
            case "I" -> invoked(new Operation(Long.parseLong(word[1]), Integer.parseInt(word[2]), Operation.Verb.valueOf(word[4]),
                    word[5], word.length > 7 ? word[7] : "", Long.parseLong(word[6])), Integer.parseInt(word[3]));
            case "R" -> answered(Long.parseLong(word[1]), Long.parseLong(word[2]), word[3]);
            case "X" -> restarted(Integer.parseInt(word[1]));
            case "B" -> broken(Integer.parseInt(word[1]), Integer.parseInt(word[2]), line);
            default -> problem("the recorder said: " + line);
        }
    }

    private void invoked(Operation operation, int itsReign) {
        if (itsReign != reign) {
            return; // of a guest that is gone
        }
        open.put(operation.id, operation);
        keys.computeIfAbsent(operation.key, k -> new KeyHistory(model(k), this::fault)).called(operation);
    }

    private static Model model(String key) {
        return switch (key.charAt(0)) {
            case 'r' -> new Register();
            case 'n' -> new Counter();
            case 's' -> new Appended();
            default -> throw new IllegalArgumentException("no such key: " + key);
        };
    }

    private void answered(long id, long nanos, String result) {
        Operation operation = open.remove(id);
        if (operation == null) {
            return;
        }
        operation.answer(result, nanos);
        operations++;
        clock.acknowledged(operation.invokedNanos, nanos);
        KeyHistory key = keys.get(operation.key);
        key.answered(operation);
        if (key.isUndecided()) {
            undecided(operation.key);
            keys.remove(operation.key);
        }
    }

    private void fault(Operation operation, Model.Fault fault) {
        switch (fault) {
            case LOST -> lost++;
            case STALE -> stale++;
            case ANOMALY -> anomalies++;
        }
        problem(fault + ": " + operation);
    }

    private void broken(int client, int itsReign, String line) {
        if (itsReign != reign) {
            return;
        }
        anomaly("connection broken: " + line);
        giveUp(client);
    }

    /**
     * All clients have given their connections up, because the guest was booted anew from its disks: what is open has happened
     * before that or never will, and what was answered must still be there.
     */
    private void restarted(int itsReign) {
        if (itsReign <= reign) {
            return; // a guest that begins with nothing, of which beginReign has told
        }
        reign = itsReign;
        open.values().forEach(operation -> operation.outcome = Operation.Outcome.UNKNOWN);
        open.clear();
        clock.forget();
        for (Iterator<Map.Entry<String, KeyHistory>> i = keys.entrySet().iterator(); i.hasNext();) {
            Map.Entry<String, KeyHistory> key = i.next();
            key.getValue().restarted();
            if (key.getValue().isUndecided()) {
                undecided(key.getKey());
                i.remove();
            }
        }
    }

    private void undecided(String key) {
        undecidedKeys++;
        anomaly("too many possibilities for " + key + ": its history could not be decided");
    }

    private void giveUp(int client) {
        for (Iterator<Operation> i = open.values().iterator(); i.hasNext();) {
            Operation operation = i.next();
            if (operation.client == client) {
                operation.outcome = Operation.Outcome.UNKNOWN;
                i.remove();
                KeyHistory key = keys.get(operation.key);
                if (key != null) {
                    key.gaveUp();
                }
            }
        }
    }

    /** Operations that have waited far too long while everything was well are faults, once each. */
    synchronized void blameSilence(long nowNanos) {
        for (Iterator<Operation> i = open.values().iterator(); i.hasNext();) {
            Operation operation = i.next();
            if (nowNanos - operation.invokedNanos > TimeUnit.SECONDS.toNanos(OPEN_SECONDS_MAX)) {
                anomaly("no answer for " + (nowNanos - operation.invokedNanos) / 1_000_000 + " ms: " + operation);
                operation.outcome = Operation.Outcome.UNKNOWN;
                i.remove();
                keys.get(operation.key).gaveUp();
            }
        }
    }

    /** A guest that begins with nothing: what was known of the former one does not bind it. */
    synchronized void beginReign(int number) {
        reign = number;
        open.clear();
        keys.clear();
    }

    synchronized void anomaly(String what) {
        anomalies++;
        problem("ANOMALY: " + what);
    }

    private void problem(String what) {
        problems.add(what);
        log.accept(what);
    }

    AckClock clock() {
        return clock;
    }

    synchronized long operations() {
        return operations;
    }

    synchronized long lost() {
        return lost;
    }

    synchronized long stale() {
        return stale;
    }

    synchronized long anomalies() {
        return anomalies;
    }

    synchronized long undecidedKeys() {
        return undecidedKeys;
    }

    synchronized int open() {
        return open.size();
    }

    synchronized List<String> problems() {
        return List.copyOf(problems);
    }
}
