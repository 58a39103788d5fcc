package org.plover.demo;

import java.io.IOException;
import java.util.List;

/** Looks for everything that a {@link Ledger} says has been acknowledged. */
final class Audit {
    /** Entries of the list asked for at once: short enough for an emulated server to answer quickly. */
    private static final int CHUNK = 500;

    private Audit() { }

    /** Reads the last value of every key. */
    static void keys(Ledger ledger, RespClient client) throws IOException {
        byte[][] gets = new byte[ledger.keys()][];
        for (int key = 0; key < gets.length; key++) {
            gets[key] = Resp.command("GET", ledger.key(key));
        }
        List<Object> values = client.call(gets);
        for (int key = 0; key < gets.length; key++) {
            ledger.auditKey(key, answer(values.get(key)));
        }
    }

    /** Reads the list of all writes. If this throws, the ledger knows only a part and must not be taken as verified. */
    static void list(Ledger ledger, RespClient client) throws IOException {
        for (long from = 0;; from += CHUNK) {
            Object reply = answer(client.call(Resp.command("LRANGE", ledger.list(), Long.toString(from),
                                                           Long.toString(from + CHUNK - 1))).get(0));
            if (!(reply instanceof List<?> entries)) {
                throw new Resp.ProtocolException("LRANGE was answered with " + reply);
            }
            ledger.auditList(entries);
            if (entries.size() < CHUNK) {
                break;
            }
        }
        ledger.endOfList();
    }

    /** Removes what the ledger has written: the server's memory may be small. */
    static void forget(Ledger ledger, RespClient client) throws IOException {
        String[] words = new String[ledger.keys() + 2];
        words[0] = "DEL";
        words[1] = ledger.list();
        for (int key = 0; key < ledger.keys(); key++) {
            words[key + 2] = ledger.key(key);
        }
        answer(client.call(Resp.command(words)).get(0));
    }

    private static Object answer(Object reply) {
        if (reply instanceof Resp.Failure failure) {
            throw new Resp.ProtocolException("the server refused: " + failure.message());
        }
        return reply;
    }
}
