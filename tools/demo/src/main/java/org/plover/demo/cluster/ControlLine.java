package org.plover.demo.cluster;

import jakarta.json.Json;
import jakarta.json.JsonArray;
import jakarta.json.JsonObject;
import jakarta.json.JsonReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Asks an appliance through its control socket, one question per connection. A frozen appliance is given up on. */
public final class ControlLine {
    private static final int ANSWER_SECONDS_MAX = 5;
    private static final int ORDER_SECONDS_MAX = 15;

    private final Path socket;

    ControlLine(Path dataDir) {
        this.socket = dataDir.resolve("plover.sock");
    }

    /** Status of the demo's VM there. Throws IOException if nobody answers. */
    public JsonObject status() throws IOException {
        JsonArray all = ask("{\"command\":\"status\"}", ANSWER_SECONDS_MAX).getJsonArray("result");
        if (all.isEmpty()) {
            throw new IOException("no VM there yet");
        }
        return all.getJsonObject(0);
    }

    public JsonArray epochsSince(long epoch) throws IOException {
        return ask("{\"command\":\"epochs\",\"since\":" + epoch + "}", ANSWER_SECONDS_MAX).getJsonArray("result");
    }

    /** Orders the primary to hand over; blocks until it has, or throws IOException with the reason why not. */
    public String switchover() throws IOException {
        return ask("{\"command\":\"switchover\"}", ORDER_SECONDS_MAX).getJsonObject("result").getString("message");
    }

    private JsonObject ask(String request, int secondsMax) throws IOException {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(socket));
            channel.write(ByteBuffer.wrap((request + "\n").getBytes(StandardCharsets.UTF_8)));
            String line = line(channel, System.nanoTime() + TimeUnit.SECONDS.toNanos(secondsMax));
            try (JsonReader reader = Json.createReader(new StringReader(line))) {
                JsonObject answer = reader.readObject();
                if (!answer.getBoolean("ok", false)) {
                    throw new IOException(answer.getString("error", "refused"));
                }
                return answer;
            } catch (jakarta.json.JsonException e) {
                throw new IOException("not an answer: " + line, e);
            }
        }
    }

    private String line(SocketChannel channel, long endNanos) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        ByteBuffer in = ByteBuffer.allocate(64 << 10);
        channel.configureBlocking(false);
        try (Selector selector = Selector.open()) {
            channel.register(selector, SelectionKey.OP_READ);
            while (true) {
                long millis = TimeUnit.NANOSECONDS.toMillis(endNanos - System.nanoTime());
                if (millis <= 0) {
                    throw new IOException(socket + ": no answer in time");
                }
                selector.select(millis);
                int count = channel.read(in.clear());
                line.write(in.array(), 0, in.position());
                if (count < 0 || in.position() > 0 && in.get(in.position() - 1) == '\n') {
                    return line.toString(StandardCharsets.UTF_8);
                }
            }
        }
    }
}
