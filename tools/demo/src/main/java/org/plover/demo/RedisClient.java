package org.plover.demo;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Keys are strings, the list of writes is a list; a write is one SET and one RPUSH, sent at once. */
final class RedisClient implements ServiceClient {
    private final RespClient client;

    RedisClient(RespClient client) {
        this.client = client;
    }

    @Override
    public void prepare() { }

    @Override
    public void timeoutMillis(int millis) throws IOException {
        client.timeoutMillis(millis);
    }

    @Override
    public long write(Ledger ledger, int key, long number) throws IOException {
        String value = Long.toString(number);
        List<Object> answers = call(Resp.command("SET", ledger.key(key), value), Resp.command("RPUSH", ledger.list(), value));
        if (!"OK".equals(answers.get(0)) || !(answers.get(1) instanceof Long length)) {
            throw new IOException("a write was answered with " + answers);
        }
        return length;
    }

    @Override
    public String read(Ledger ledger, int key) throws IOException {
        return value(call(Resp.command("GET", ledger.key(key))).get(0));
    }

    @Override
    public String[] readAll(Ledger ledger) throws IOException {
        byte[][] gets = new byte[ledger.keys()][];
        for (int key = 0; key < gets.length; key++) {
            gets[key] = Resp.command("GET", ledger.key(key));
        }
        return call(gets).stream().map(RedisClient::value).toArray(String[]::new);
    }

    private static String value(Object reply) {
        return reply == Resp.NIL ? null : reply.toString();
    }

    @Override
    public List<String> writes(Ledger ledger, long from, int count) throws IOException {
        Object reply = call(Resp.command("LRANGE", ledger.list(), Long.toString(from), Long.toString(from + count - 1))).get(0);
        if (!(reply instanceof List<?> entries)) {
            throw new IOException("LRANGE was answered with " + reply);
        }
        return entries.stream().map(Object::toString).toList();
    }

    @Override
    public void forget(Ledger ledger) throws IOException {
        List<String> words = new ArrayList<>(List.of("DEL", ledger.list()));
        for (int key = 0; key < ledger.keys(); key++) {
            words.add(ledger.key(key));
        }
        call(Resp.command(words.toArray(String[]::new)));
    }

    private List<Object> call(byte[]... commands) throws IOException {
        List<Object> answers;
        try {
            answers = client.call(commands);
        } catch (Resp.ProtocolException e) {
            throw new IOException(e.getMessage(), e);
        }
        for (Object answer : answers) {
            if (answer instanceof Resp.Failure failure) {
                throw new IOException("the server refused: " + failure.message());
            }
        }
        return answers;
    }

    @Override
    public void close() throws IOException {
        client.close();
    }
}
