package org.plover.demo;

import java.io.IOException;
import java.util.List;

/** Looks for everything that a {@link Ledger} says has been acknowledged. */
final class Audit {
    /** Entries of the list asked for at once: short enough for an emulated server to answer quickly. */
    private static final int CHUNK = 500;

    private Audit() { }

    /** Reads the last value of every key. */
    static void keys(Ledger ledger, ServiceClient client) throws IOException {
        String[] values = client.readAll(ledger);
        for (int key = 0; key < ledger.keys(); key++) {
            ledger.auditKey(key, values[key]);
        }
    }

    /** Reads the list of all writes. If this throws, the ledger knows only a part and must not be taken as verified. */
    static void list(Ledger ledger, ServiceClient client) throws IOException {
        ledger.beginList();
        for (long from = 0;; from += CHUNK) {
            List<String> entries = client.writes(ledger, from, CHUNK);
            ledger.auditList(entries);
            if (entries.size() < CHUNK) {
                break;
            }
        }
        ledger.endOfList();
    }
}
