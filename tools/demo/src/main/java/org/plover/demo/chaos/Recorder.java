package org.plover.demo.chaos;

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.plover.demo.Resp;

/**
 * The clients, a process of their own on the client's host: long-lived connections that read and write the same few keys. It
 * judges nothing; it tells what it does and what it is answered, line by line on standard output, in the order in which it happened:
 *
 * <pre>
 * I id client reign verb key nanos [argument]   called
 * R id nanos answer                             answered, as {@link Answer} writes it
 * B client reign nanos reason                   a connection broke; a new one is opened
 * X reign nanos                                 connections were given up: what was not answered never will be
 * C reign nanos                                 all clients are connected, and the service answers
 * A nanos                                       the audit is over: all keys were read over fresh connections
 * </pre>
 *
 * On standard input it takes {@code reign N} (forget everything, connect anew), {@code restart N} (connect anew to the same keys),
 * {@code audit} and {@code stop}. One thread does all the work, so the order of lines is the order of events.
 */
public final class Recorder {
    private static final int REGISTERS = 6;
    private static final int COUNTERS = 3;
    private static final int STRINGS = 3;
    private static final int STRING_WORDS_MAX = 120;
    private static final int CONNECT_MILLIS_MAX = 3_000;
    private static final int CONNECT_SECONDS_MAX = 180;

    /** A connection and the one operation that is open on it. */
    private static final class Client {
        final int number;
        SocketChannel channel;
        Resp.Parser parser;
        long openId;
        long dueNanos;
        ByteBuffer unsent;

        Client(int number) {
            this.number = number;
        }
    }

    private final InetSocketAddress address;
    private final int thinkMicros;
    private final SplittableRandom random;
    private final Selector selector;
    private final PrintStream out;
    private final List<Client> clients = new ArrayList<>();
    private final ConcurrentLinkedQueue<String> orders = new ConcurrentLinkedQueue<>();
    private final int[] appends = new int[STRINGS];
    private final List<String> toAudit = new ArrayList<>();
    private int reign;
    /** The reign in which the present keys were new; part of their names. */
    private int keysSince;
    private long nextId = 1;
    private boolean resting;
    private Client auditor;

    private Recorder(String host, int port, int connections, int thinkMicros, long seed) throws IOException {
        this.address = new InetSocketAddress(host, port);
        this.thinkMicros = thinkMicros;
        this.random = new SplittableRandom(seed);
        this.selector = Selector.open();
        this.out = new PrintStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out)), false, StandardCharsets.US_ASCII);
        for (int i = 0; i < connections; i++) {
            clients.add(new Client(i));
        }
    }

    /** Arguments: host, port, connections, mean think time in microseconds, seed. */
    public static void main(String[] args) throws IOException, InterruptedException {
        Recorder recorder = new Recorder(args[0], Integer.parseInt(args[1]), Integer.parseInt(args[2]), Integer.parseInt(args[3]),
                Long.parseLong(args[4]));
        Thread reader = new Thread(recorder::readOrders, "orders");
        reader.setDaemon(true);
        reader.start();
        recorder.run();
    }

    private void readOrders() {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                order(line);
            }
        } catch (IOException e) {
            System.err.println("recorder: " + e);
        }
        order("stop"); // who started us is gone
    }

    private void order(String line) {
        orders.add(line);
        selector.wakeup();
    }

    private void run() throws IOException, InterruptedException {
        connectAll();
        while (true) {
            for (String order = orders.poll(); order != null; order = orders.poll()) {
                if (order.equals("stop")) {
                    return;
                } else if (order.equals("audit")) {
                    resting = true;
                } else if (order.startsWith("reign ")) {
                    beginReign(Integer.parseInt(order.substring(6)));
                } else if (order.startsWith("restart ")) {
                    connectAnew(Integer.parseInt(order.substring(8)));
                }
            }
            long wakeNanos = Long.MAX_VALUE;
            boolean idle = true;
            for (Client client : clients) {
                if (client.openId == 0 && !resting) {
                    wakeNanos = Math.min(wakeNanos, callIfDue(client));
                }
                idle &= client.openId == 0;
            }
            if (resting && idle) {
                audit();
            }
            out.flush();
            long millis = wakeNanos == Long.MAX_VALUE ? 1000 : Math.max(1, (wakeNanos - System.nanoTime() + 999_999) / 1_000_000);
            selector.select(this::ready, millis);
        }
    }

    // --- connections ---

    private void beginReign(int number) throws IOException, InterruptedException {
        keysSince = number;
        java.util.Arrays.fill(appends, 0);
        connectAnew(number);
    }

    private void connectAnew(int number) throws IOException, InterruptedException {
        reign = number;
        resting = false;
        clients.remove(auditor);
        auditor = null;
        toAudit.clear();
        say("X " + reign + " " + System.nanoTime());
        for (Client client : clients) {
            client.channel.close();
        }
        connectAll();
    }

    private void connectAll() throws IOException, InterruptedException {
        long now = System.nanoTime();
        for (Client client : clients) {
            connect(client);
            client.dueNanos = now;
        }
        say("C " + reign + " " + System.nanoTime());
    }

    private void connect(Client client) throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(CONNECT_SECONDS_MAX);
        while (true) {
            // By a socket of its own each time: a channel whose connect has failed is closed.
            SocketChannel channel = SocketChannel.open();
            try {
                channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                Socket socket = channel.socket();
                socket.connect(address, CONNECT_MILLIS_MAX);
                awaitService(socket);
                channel.configureBlocking(false);
                channel.register(selector, SelectionKey.OP_READ, client);
                client.channel = channel;
                client.parser = new Resp.Parser();
                client.openId = 0;
                client.unsent = null;
                return;
            } catch (IOException e) {
                channel.close();
                if (System.nanoTime() > end) {
                    throw new IOException("no connection to " + address + " within " + CONNECT_SECONDS_MAX + " s: " + e.getMessage(), e);
                }
                Thread.sleep(50);
            }
        }
    }

    /** A Redis that has just been started accepts connections, and refuses all commands until it has read its file. */
    private static void awaitService(Socket socket) throws IOException, InterruptedException {
        socket.setSoTimeout((int) TimeUnit.SECONDS.toMillis(CONNECT_SECONDS_MAX));
        BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII), 1);
        while (true) {
            socket.getOutputStream().write(Resp.command("PING"));
            String answer = in.readLine();
            if ("+PONG".equals(answer)) {
                return;
            } else if (answer == null || !answer.startsWith("-LOADING")) {
                throw new IOException("PING was answered with " + answer);
            }
            Thread.sleep(50);
        }
    }

    private void broken(Client client, String reason) {
        say("B " + client.number + " " + reign + " " + System.nanoTime() + " " + reason);
        out.flush();
        try {
            client.channel.close();
            connect(client);
            client.dueNanos = System.nanoTime();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while connecting", e);
        }
    }

    // --- operations ---

    /** Calls if it is time; when it will be otherwise. */
    private long callIfDue(Client client) {
        if (client.dueNanos - System.nanoTime() > 0) {
            return client.dueNanos;
        }
        int dice = random.nextInt(100);
        if (dice < 25) {
            call(client, "SET", key('r', random.nextInt(REGISTERS)), client.number + "." + nextId);
        } else if (dice < 50) {
            call(client, "GET", key('r', random.nextInt(REGISTERS)), "");
        } else if (dice < 65) {
            call(client, "INCR", key('n', random.nextInt(COUNTERS)), "");
        } else if (dice < 72) {
            call(client, "GET", key('n', random.nextInt(COUNTERS)), "");
        } else if (dice < 90) {
            int i = random.nextInt(STRINGS);
            call(client, "APPEND", stringKey(i), String.format("%0" + Appended.WORD_CHARS + "x", nextId));
            appends[i]++;
        } else {
            call(client, "GET", stringKey(random.nextInt(STRINGS)), "");
        }
        return Long.MAX_VALUE;
    }

    private String key(char kind, int number) {
        return kind + Integer.toString(keysSince) + "." + number;
    }

    /** Strings that have grown long are left alone, and new ones are begun. */
    private String stringKey(int number) {
        return key('s', number) + "." + appends[number] / STRING_WORDS_MAX;
    }

    private void call(Client client, String verb, String key, String argument) {
        client.openId = nextId++;
        byte[] command = argument.isEmpty() ? Resp.command(verb, key) : Resp.command(verb, key, argument);
        say("I " + client.openId + " " + client.number + " " + reign + " " + verb + " " + key + " " + System.nanoTime()
                + (argument.isEmpty() ? "" : " " + argument));
        try {
            ByteBuffer bytes = ByteBuffer.wrap(command);
            client.channel.write(bytes);
            if (bytes.hasRemaining()) {
                client.unsent = bytes;
                client.channel.keyFor(selector).interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
            }
        } catch (IOException e) {
            broken(client, e.toString());
        }
    }

    private void ready(SelectionKey key) {
        Client client = (Client) key.attachment();
        try {
            if (client.unsent != null && key.isWritable()) {
                client.channel.write(client.unsent);
                if (!client.unsent.hasRemaining()) {
                    client.unsent = null;
                    key.interestOps(SelectionKey.OP_READ);
                }
            }
            if (key.isReadable()) {
                read(client);
            }
        } catch (IOException | Resp.ProtocolException e) {
            broken(client, e.toString());
        }
    }

    private void read(Client client) throws IOException {
        int count = client.channel.read(client.parser.room());
        if (count < 0) {
            throw new IOException("closed by the server");
        }
        for (Object reply = client.parser.next(); reply != null; reply = client.parser.next()) {
            long now = System.nanoTime();
            if (client.openId == 0) {
                throw new Resp.ProtocolException("an answer to nothing: " + reply);
            }
            say("R " + client.openId + " " + now + " " + Answer.of(reply));
            client.openId = 0;
            client.dueNanos = now + TimeUnit.MICROSECONDS.toNanos(random.nextInt(2 * thinkMicros + 1));
        }
    }

    /** Reads every key once more over a connection that is new, one step at each call. */
    private void audit() throws IOException, InterruptedException {
        if (auditor == null) {
            auditor = new Client(clients.size());
            connect(auditor);
            clients.add(auditor);
            for (int i = 0; i < REGISTERS; i++) {
                toAudit.add(key('r', i));
            }
            for (int i = 0; i < COUNTERS; i++) {
                toAudit.add(key('n', i));
            }
            for (int i = 0; i < STRINGS; i++) {
                for (int generation = appends[i] / STRING_WORDS_MAX; generation >= 0; generation--) {
                    toAudit.add(key('s', i) + "." + generation);
                }
            }
        }
        if (toAudit.isEmpty()) {
            say("A " + System.nanoTime());
            resting = false;
            clients.remove(auditor);
            auditor.channel.close();
            auditor = null;
            return;
        }
        call(auditor, "GET", toAudit.remove(toAudit.size() - 1), "");
    }

    private void say(String line) {
        out.print(line);
        out.print('\n');
    }
}
