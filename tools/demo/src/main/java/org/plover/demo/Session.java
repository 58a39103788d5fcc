package org.plover.demo;

import java.io.IOException;
import java.util.random.RandomGenerator;

/**
 * One long-lived connection of a {@link Checker}, with one operation at most under way. Used by a thread of its own; fields that
 * others look at are guarded by the checker's lock.
 */
final class Session {

    /** What became of an operation. */
    record Completion(boolean write, Ledger.Verdict verdict, String problem) { }

    final int id;
    final Ledger ledger;
    private final RandomGenerator random;
    private boolean readNext;
    /** Entries in the list beyond the writes made; anything but 0 is a fault, told when it changes and counted by the audit. */
    private long surplus;

    // --- guarded by the checker's lock ---
    ServiceClient client;
    boolean open = true;
    /** An operation is under way. */
    boolean busy;
    long sentNanos;
    /** When to ask next; meaningful while not busy. */
    long dueNanos;
    /** Announced restarts of the service that this session has got over. */
    int restarts;
    /** Audits that this session has made while it worked. */
    int audits;

    Session(int id, Ledger ledger, ServiceClient client, RandomGenerator random) {
        this.id = id;
        this.ledger = ledger;
        this.client = client;
        this.random = random;
    }

    /** Writes and reads take turns; a write of unknown outcome is made again first. Blocks until it is answered. */
    Completion operate(ServiceClient connection) throws IOException {
        boolean write = !readNext || ledger.isUnknown();
        readNext = write;
        return write ? write(connection) : read(connection);
    }

    private Completion write(ServiceClient connection) throws IOException {
        if (!ledger.isUnknown()) {
            ledger.begin(random.nextInt(ledger.keys()));
        }
        long number = ledger.unknownNumber();
        long length = connection.write(ledger, ledger.unknownKey(), number);
        ledger.acknowledge();
        long surplusBefore = surplus;
        surplus = length == ServiceClient.UNKNOWN_LENGTH ? 0 : length - number;
        return new Completion(true, Ledger.Verdict.CURRENT, surplus == surplusBefore ? null
                : ledger.list() + " has " + length + " entries after write " + number);
    }

    private Completion read(ServiceClient connection) throws IOException {
        int key = ledger.anyWrittenKey(random);
        String value = connection.read(ledger, key);
        Ledger.Verdict verdict = ledger.judge(key, value);
        return new Completion(false, verdict, verdict == Ledger.Verdict.CURRENT ? null
                : ledger.key(key) + " is " + verdict + ": read " + value + " after " + ledger.acknowledgedWrites() + " acknowledged writes");
    }

    /** Looks for everything that was acknowledged, and finds out what became of a write of unknown outcome. Blocks. */
    void recover(ServiceClient connection) throws IOException {
        Audit.keys(ledger, connection);
        Audit.list(ledger, connection);
        ledger.settle();
    }
}
