package org.plover.machine.qemu;

import jakarta.json.Json;
import jakarta.json.JsonException;
import jakarta.json.JsonObject;
import jakarta.json.JsonReader;
import jakarta.json.JsonReaderFactory;
import jakarta.json.JsonValue;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.plover.api.machine.MachineException;
import org.plover.linux.Linux;
import org.plover.linux.Memory;
import org.plover.linux.SystemCallException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * QEMU's control protocol (QMP) on a connected socket. Commands may be sent ahead of each other's answers; QEMU answers in
 * order. Thread-safe. One reader thread takes answers and events, and notices the end of the process as the end of the stream.
 */
final class Qmp {
    /** Told about events and the end, on the reader thread; must not wait for answers. */
    interface Events {
        void onEvent(String name, JsonObject data);

        void onEnd();
    }

    private static final Logger LOG = LoggerFactory.getLogger(Qmp.class);
    // Looking the JSON provider up takes milliseconds; it is done once.
    private static final JsonReaderFactory READERS = Json.createReaderFactory(Map.of());

    private final int fd;
    private final Events events;
    private final Thread reader;
    private final ArrayDeque<Reply> awaited = new ArrayDeque<>();
    private final Reply greeting = new Reply("the greeting");
    private ByteBuffer out = Memory.allocate(4096);
    private boolean ended;

    /** Takes over a connected socket and starts reading. */
    Qmp(int fd, String threadName, Events events) {
        this.fd = fd;
        this.events = events;
        awaited.add(greeting);
        reader = new Thread(this::readAll, threadName);
        reader.setDaemon(true);
        reader.start();
    }

    /** Waits for the greeting and leaves negotiation mode; returns QEMU's version such as {@code 7.2.22}. */
    String handshake(long timeoutMillis) throws MachineException {
        JsonObject qemu = greeting.await(timeoutMillis).getJsonObject("version").getJsonObject("qemu");
        execute("qmp_capabilities", timeoutMillis);
        return qemu.getInt("major") + "." + qemu.getInt("minor") + "." + qemu.getInt("micro");
    }

    /** Runs a command without arguments and waits for its answer. */
    JsonValue execute(String command, long timeoutMillis) throws MachineException {
        return send(command, "{\"execute\":\"" + command + "\"}").awaitValue(timeoutMillis);
    }

    /** Sends a command, given as one JSON object, without waiting. */
    synchronized Reply send(String name, String json) {
        Reply reply = new Reply(name);
        if (ended) {
            reply.fail("QEMU has ended");
            return reply;
        }
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        if (out.capacity() < bytes.length + 1) {
            out = Memory.allocate(2 * bytes.length);
        }
        out.clear();
        out.put(bytes).put((byte) '\n').flip();
        awaited.add(reply);
        try {
            while (out.hasRemaining()) {
                out.position(out.position() + Linux.send(fd, Memory.addressOf(out) + out.position(), out.remaining(), 0));
            }
        } catch (SystemCallException e) {
            // The reader sees the end of the stream at the same time and fails every awaited reply.
            LOG.debug("QMP command {} could not be sent", name, e);
        }
        return reply;
    }

    /** Whether the stream has ended. */
    synchronized boolean hasEnded() {
        return ended;
    }

    private void readAll() {
        ByteBuffer in = Memory.allocate(1 << 16);
        ByteArrayOutputStream line = new ByteArrayOutputStream(1024);
        String why = "QEMU has ended";
        try {
            while (Linux.read(fd, in) > 0) {
                in.flip();
                while (in.hasRemaining()) {
                    byte b = in.get();
                    if (b != '\n') {
                        line.write(b);
                    } else if (line.size() > 1) {
                        handle(line.toByteArray());
                        line.reset();
                    }
                }
                in.clear();
            }
        } catch (SystemCallException e) {
            LOG.debug("QMP connection broke", e);
        } catch (JsonException | ClassCastException | NullPointerException e) {
            why = "QEMU sent what is not QMP: " + line;
            LOG.error("{}", why, e);
        }
        synchronized (this) {
            ended = true;
            for (Reply reply : awaited) {
                reply.fail(why);
            }
            awaited.clear();
        }
        events.onEnd();
    }

    private void handle(byte[] line) {
        JsonObject message;
        try (JsonReader json = READERS.createReader(new ByteArrayInputStream(line), StandardCharsets.UTF_8)) {
            message = json.readObject();
        }
        if (message.containsKey("event")) {
            JsonObject data = message.getJsonObject("data");
            events.onEvent(message.getString("event"), data == null ? JsonValue.EMPTY_JSON_OBJECT : data);
            return;
        }
        Reply reply;
        synchronized (this) {
            reply = awaited.poll();
        }
        if (reply == null) {
            LOG.warn("QEMU answered what nobody asked: {}", message);
        } else if (message.containsKey("error")) {
            reply.fail(message.getJsonObject("error").getString("desc"));
        } else {
            reply.succeed(message.containsKey("QMP") ? message.get("QMP") : message.get("return"));
        }
    }

    /** Ends the connection and waits for the reader; to be called once, after which no command can be sent. */
    void close() {
        try {
            Linux.shutdown(fd);
        } catch (SystemCallException e) {
            LOG.debug("QMP connection was down already", e);
        }
        if (Thread.currentThread() != reader) {
            Threads.join(reader);
        }
        synchronized (this) {
            ended = true;
            Threads.closeQuietly(fd, LOG);
        }
    }

    /** The answer to one command, once it is there. */
    static final class Reply {
        private final String command;
        private final CountDownLatch done = new CountDownLatch(1);
        private volatile JsonValue value;
        private volatile String error;

        private Reply(String command) {
            this.command = command;
        }

        private void succeed(JsonValue result) {
            value = result;
            done.countDown();
        }

        private void fail(String why) {
            error = why;
            done.countDown();
        }

        /** Waits at most this long; whether the answer, or the certainty that none will come, is there. */
        boolean isDone(long waitMillis) throws MachineException {
            try {
                return done.await(waitMillis, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new MachineException("interrupted while waiting for QEMU's answer to " + command, e);
            }
        }

        /** Whether the answer is that the command failed. */
        boolean hasFailed() {
            return error != null;
        }

        /** The answer of a command that returns an object. */
        JsonObject await(long timeoutMillis) throws MachineException {
            return awaitValue(timeoutMillis).asJsonObject();
        }

        /** Blocks until the answer is there. Throws if QEMU reports an error, ends, or does not answer in time. */
        JsonValue awaitValue(long timeoutMillis) throws MachineException {
            if (!isDone(timeoutMillis)) {
                throw new MachineException("QEMU has not answered " + command + " within " + timeoutMillis
                        + " ms: the host is overloaded or QEMU hangs");
            }
            if (error != null) {
                throw new MachineException(command + " failed: " + error);
            }
            return value;
        }
    }
}
