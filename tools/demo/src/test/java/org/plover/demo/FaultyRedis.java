package org.plover.demo;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** As much of a Redis server as the checker needs, with every fault that the checker has to find. */
final class FaultyRedis implements AutoCloseable {
    private final ServerSocket listener;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final List<Thread> threads = new CopyOnWriteArrayList<>();

    /** Guards everything below. */
    private final Object lock = new Object();
    /** All values that a key ever had. */
    private Map<String, List<String>> values = new HashMap<>();
    private Map<String, List<String>> lists = new HashMap<>();
    private int appends;
    private int appendsToDrop;
    private int appendsToDouble;
    private int appendsToSwap;
    private int setsToDrop;
    private int readsToAge;
    private int readsToCorrupt;
    private boolean refusing;
    private boolean stalled;
    private int blocked;
    private int accepted;
    private boolean breakAfterNextAppend;
    private boolean closing;

    FaultyRedis() throws IOException {
        this(0);
    }

    FaultyRedis(int port) throws IOException {
        listener = new ServerSocket();
        listener.setReuseAddress(true);
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        start(this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    CheckerOptions options() {
        return CheckerOptions.of("127.0.0.1", port());
    }

    // --- faults ---

    /** Acknowledges the next appends without executing them. */
    void dropAppends(int count) {
        synchronized (lock) {
            appendsToDrop = count;
        }
    }

    void dropSets(int count) {
        synchronized (lock) {
            setsToDrop = count;
        }
    }

    /** Executes the next appends twice. */
    void doubleAppends(int count) {
        synchronized (lock) {
            appendsToDouble = count;
        }
    }

    /** Puts the next entries before the one that is last at that time. */
    void swapAppends(int count) {
        synchronized (lock) {
            appendsToSwap = count;
        }
    }

    /** Answers the next reads with the value before the present one. */
    void ageReads(int count) {
        synchronized (lock) {
            readsToAge = count;
        }
    }

    void corruptReads(int count) {
        synchronized (lock) {
            readsToCorrupt = count;
        }
    }

    /** Answers every write with an error. */
    void refuseWrites() {
        synchronized (lock) {
            refusing = true;
        }
    }

    /** Executes nothing until {@link #goOn()}. */
    void stall() {
        synchronized (lock) {
            stalled = true;
        }
    }

    void goOn() {
        synchronized (lock) {
            stalled = false;
            lock.notifyAll();
        }
    }

    /** Executes one more write, but closes its connection instead of acknowledging it. */
    void breakAfterNextAppend() {
        synchronized (lock) {
            breakAfterNextAppend = true;
        }
    }

    void breakConnections(int count) throws IOException {
        for (Socket socket : sockets.subList(0, count)) {
            socket.close();
        }
    }

    /** Closes every connection, as a restart of the server does. */
    void breakAllConnections() throws IOException {
        for (Socket socket : sockets) {
            socket.close();
        }
    }

    /** Everything stored, as it is now. */
    Runnable restorePoint() {
        synchronized (lock) {
            Map<String, List<String>> oldValues = copy(values);
            Map<String, List<String>> oldLists = copy(lists);
            return () -> {
                synchronized (lock) {
                    values = oldValues;
                    lists = oldLists;
                }
            };
        }
    }

    private static Map<String, List<String>> copy(Map<String, List<String>> from) {
        Map<String, List<String>> to = new HashMap<>();
        from.forEach((key, list) -> to.put(key, new ArrayList<>(list)));
        return to;
    }

    // --- events ---

    /** Waits for that many more writes. */
    void awaitWrites(int count) throws InterruptedException {
        synchronized (lock) {
            int wanted = appends + count;
            while (appends < wanted) {
                lock.wait();
            }
        }
    }

    void awaitBlockedConnections(int count) throws InterruptedException {
        synchronized (lock) {
            while (blocked < count) {
                lock.wait();
            }
        }
    }

    /** Waits until all read faults that were ordered have been made. */
    void awaitFaultyReads() throws InterruptedException {
        synchronized (lock) {
            while (readsToAge > 0 || readsToCorrupt > 0) {
                lock.wait();
            }
        }
    }

    /** Waits until so many connections have been opened since the start. */
    void awaitConnections(int count) throws InterruptedException {
        synchronized (lock) {
            while (accepted < count) {
                lock.wait();
            }
        }
    }

    int storedKeys() {
        synchronized (lock) {
            return values.size() + lists.size();
        }
    }

    // --- service ---

    private void start(Runnable task) {
        Thread thread = new Thread(task, "faulty-redis");
        thread.setDaemon(true);
        threads.add(thread);
        thread.start();
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = listener.accept();
                socket.setTcpNoDelay(true);
                sockets.add(socket);
                synchronized (lock) {
                    accepted++;
                    lock.notifyAll();
                }
                start(() -> serve(socket));
            }
        } catch (IOException e) {
            // Closed: the end.
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            Resp.Parser parser = new Resp.Parser();
            while (true) {
                StringBuilder replies = new StringBuilder();
                for (Object request = parser.next(); request != null; request = parser.next()) {
                    String reply = execute((List<?>) request);
                    if (reply == null) {
                        return;
                    }
                    replies.append(reply);
                }
                socket.getOutputStream().write(replies.toString().getBytes(StandardCharsets.UTF_8));
                ByteBuffer room = parser.room();
                int count = socket.getInputStream().read(room.array(), room.position(), room.remaining());
                if (count < 0) {
                    return;
                }
                room.position(room.position() + count);
            }
        } catch (IOException | InterruptedException e) {
            // The connection was broken, by the test or by the client.
        }
    }

    /** Returns the reply, or null to break the connection. */
    private String execute(List<?> request) throws InterruptedException {
        synchronized (lock) {
            blocked++;
            lock.notifyAll();
            while (stalled && !closing) {
                lock.wait();
            }
            blocked--;
            lock.notifyAll();
            String key = (String) request.get(1);
            return switch ((String) request.get(0)) {
                case "SET" -> set(key, (String) request.get(2));
                case "GET" -> get(key);
                case "RPUSH" -> append(key, (String) request.get(2));
                case "LRANGE" -> range(key, Integer.parseInt((String) request.get(2)), Integer.parseInt((String) request.get(3)));
                case "DEL" -> {
                    request.forEach(each -> {
                        values.remove(each);
                        lists.remove(each);
                    });
                    yield ":1\r\n";
                }
                default -> "-ERR unknown command\r\n";
            };
        }
    }

    private String set(String key, String value) {
        if (refusing) {
            return "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
        }
        if (setsToDrop > 0) {
            setsToDrop--;
        } else {
            values.computeIfAbsent(key, k -> new ArrayList<>()).add(value);
        }
        return "+OK\r\n";
    }

    private String get(String key) {
        List<String> history = values.getOrDefault(key, List.of());
        int age = 1;
        if (readsToAge > 0) {
            readsToAge--;
            age = 2;
        } else if (readsToCorrupt > 0) {
            readsToCorrupt--;
            return bulk("garbage");
        }
        return history.size() < age ? "$-1\r\n" : bulk(history.get(history.size() - age));
    }

    private String append(String key, String value) {
        List<String> list = lists.computeIfAbsent(key, k -> new ArrayList<>());
        appends++;
        if (appendsToDrop > 0) {
            appendsToDrop--;
        } else if (appendsToSwap > 0 && !list.isEmpty()) {
            appendsToSwap--;
            list.add(list.size() - 1, value);
        } else {
            list.add(value);
            if (appendsToDouble > 0) {
                appendsToDouble--;
                list.add(value);
            }
        }
        if (breakAfterNextAppend) {
            breakAfterNextAppend = false;
            return null;
        }
        return ":" + list.size() + "\r\n";
    }

    private String range(String key, int from, int to) {
        List<String> list = lists.getOrDefault(key, List.of());
        List<String> part = list.subList(Math.min(from, list.size()), Math.min(to + 1, list.size()));
        StringBuilder reply = new StringBuilder("*" + part.size() + "\r\n");
        part.forEach(entry -> reply.append(bulk(entry)));
        return reply.toString();
    }

    private static String bulk(String value) {
        return "$" + value.length() + "\r\n" + value + "\r\n";
    }

    @Override
    public void close() throws IOException, InterruptedException {
        listener.close();
        synchronized (lock) {
            closing = true;
            lock.notifyAll();
        }
        for (Socket socket : sockets) {
            socket.close();
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }
}
