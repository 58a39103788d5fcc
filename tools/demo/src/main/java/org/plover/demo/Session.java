package org.plover.demo;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** One long-lived connection of a {@link Checker}, with one operation at most under way. Used by the checker's thread. */
final class Session {

    /** What became of an operation. */
    record Completion(boolean write, Ledger.Verdict verdict, String problem) { }

    private enum Operation { NONE, WRITE, READ }

    final int id;
    final Ledger ledger;
    final SocketChannel channel;
    /** When to ask next; meaningful while idle. */
    long dueNanos;
    long sentNanos;
    private final RandomGenerator random;
    private final Resp.Parser parser = new Resp.Parser();
    private final List<Object> replies = new ArrayList<>(2);
    private Operation operation = Operation.NONE;
    private boolean readNext;
    private long number;
    private int key;
    /** Entries in the list beyond the writes made; anything but 0 is a fault, told when it changes and counted by the audit. */
    private long surplus;
    private ByteBuffer unsent = ByteBuffer.allocate(0);
    private SelectionKey selection;
    private boolean open = true;

    Session(int id, Ledger ledger, SocketChannel channel, RandomGenerator random) {
        this.id = id;
        this.ledger = ledger;
        this.channel = channel;
        this.random = random;
    }

    void register(Selector selector) throws IOException {
        channel.configureBlocking(false);
        selection = channel.register(selector, SelectionKey.OP_READ, this);
    }

    boolean open() {
        return open;
    }

    boolean idle() {
        return operation == Operation.NONE;
    }

    /** Writes and reads take turns. */
    void send(long nowNanos) throws IOException {
        if (!idle()) {
            throw new IllegalStateException("connection " + id + ": an operation is under way");
        }
        byte[] request;
        if (readNext) {
            operation = Operation.READ;
            key = ledger.anyWrittenKey(random);
            request = Resp.command("GET", ledger.key(key));
        } else {
            operation = Operation.WRITE;
            key = random.nextInt(ledger.keys());
            number = ledger.begin(key);
            String value = Long.toString(number);
            request = Resp.pipeline(Resp.command("SET", ledger.key(key), value), Resp.command("RPUSH", ledger.list(), value));
        }
        readNext = !readNext;
        sentNanos = nowNanos;
        unsent = ByteBuffer.wrap(request);
        flush();
    }

    void flush() throws IOException {
        channel.write(unsent);
        selection.interestOps(unsent.hasRemaining() ? SelectionKey.OP_READ | SelectionKey.OP_WRITE : SelectionKey.OP_READ);
    }

    /**
     * Takes in what has come.
     *
     * @return the completed operation, or null when more has to come
     * @throws IOException when the connection is closed or reset
     * @throws Resp.ProtocolException when the server answered with an error or with something else than an answer
     */
    Completion receive() throws IOException {
        if (channel.read(parser.room()) < 0) {
            throw new EOFException("the server closed the connection");
        }
        for (Object reply = parser.next(); reply != null; reply = parser.next()) {
            if (operation == Operation.NONE) {
                throw new Resp.ProtocolException("reply without a request: " + reply);
            }
            if (reply instanceof Resp.Failure failure) {
                throw new Resp.ProtocolException("the server refused a " + operation + ": " + failure.message());
            }
            replies.add(reply);
        }
        int wanted = operation == Operation.WRITE ? 2 : 1;
        if (replies.size() > wanted) {
            throw new Resp.ProtocolException("more replies than requests: " + replies);
        }
        return replies.size() < wanted ? null : complete();
    }

    private Completion complete() {
        boolean write = operation == Operation.WRITE;
        List<Object> answers = List.copyOf(replies);
        replies.clear();
        operation = Operation.NONE;
        if (!write) {
            Ledger.Verdict verdict = ledger.judge(key, answers.get(0));
            return new Completion(false, verdict, verdict == Ledger.Verdict.CURRENT ? null
                    : ledger.key(key) + " is " + verdict + ": read " + answers.get(0) + " after "
                      + ledger.acknowledgedWrites() + " acknowledged writes");
        }
        if (!"OK".equals(answers.get(0)) || !(answers.get(1) instanceof Long length)) {
            throw new Resp.ProtocolException("a write was answered with " + answers);
        }
        ledger.acknowledge();
        long surplusBefore = surplus;
        surplus = length - number;
        return new Completion(true, Ledger.Verdict.CURRENT, surplus == surplusBefore ? null
                : ledger.list() + " has " + length + " entries after write " + number);
    }

    /** Leaves the selector's hands, so that the audit can use the connection with blocking calls. */
    RespClient audit(int timeoutMillis) throws IOException {
        selection.cancel();
        selection.selector().selectNow();
        channel.configureBlocking(true);
        return RespClient.over(channel.socket(), parser, timeoutMillis);
    }

    void close() throws IOException {
        open = false;
        channel.close();
    }
}
