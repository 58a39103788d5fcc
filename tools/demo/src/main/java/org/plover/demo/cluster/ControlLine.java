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
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Asks an appliance through its control socket, one question per connection. */
final class ControlLine {
    private final Path socket;

    ControlLine(Path dataDir) {
        this.socket = dataDir.resolve("plover.sock");
    }

    /** Status of the demo's VM there. Throws IOException if nobody answers. */
    JsonObject status() throws IOException {
        JsonArray all = ask("{\"command\":\"status\"}").getJsonArray("result");
        if (all.isEmpty()) {
            throw new IOException("no VM there yet");
        }
        return all.getJsonObject(0);
    }

    JsonArray epochsSince(long epoch) throws IOException {
        return ask("{\"command\":\"epochs\",\"since\":" + epoch + "}").getJsonArray("result");
    }

    private JsonObject ask(String request) throws IOException {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(socket));
            channel.write(ByteBuffer.wrap((request + "\n").getBytes(StandardCharsets.UTF_8)));
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            ByteBuffer in = ByteBuffer.allocate(64 << 10);
            while (channel.read(in.clear()) >= 0) {
                line.write(in.array(), 0, in.position());
                if (in.position() > 0 && in.get(in.position() - 1) == '\n') {
                    break;
                }
            }
            try (JsonReader reader = Json.createReader(new StringReader(line.toString(StandardCharsets.UTF_8)))) {
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
}
