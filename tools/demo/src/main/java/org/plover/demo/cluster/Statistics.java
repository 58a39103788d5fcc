package org.plover.demo.cluster;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonValue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** Gathers the records of all epochs from whichever host is primary, while the demo runs. */
final class Statistics {
    private final List<JsonObject> epochs = new ArrayList<>();
    /** Epochs are numbered on across views, so one number tells what has been seen. */
    private long lastEpoch;
    private JsonObject consensus = Json.createObjectBuilder().add("p50", 0).add("p99", 0).build();

    /** Takes what is new from a host; quietly nothing if it does not answer. */
    synchronized void poll(Host host, JsonObject status) {
        try {
            for (JsonValue v : host.control().epochsSince(lastEpoch)) {
                JsonObject e = v.asJsonObject();
                epochs.add(e);
                lastEpoch = Math.max(lastEpoch, e.getJsonNumber("epoch").longValue());
            }
        } catch (IOException e) {
            return; // it has just died, or has no VM yet
        }
        JsonObject c = status.getJsonObject("inputConsensusMicros");
        if (c != null && c.getJsonNumber("count").longValue() > 0) {
            consensus = c;
        }
    }

    /** All appliances were started anew, and may count epochs from the start. */
    synchronized void appliancesRestarted() {
        lastEpoch = 0;
    }

    /** What has been seen so far does not count: the measurement begins now. */
    synchronized void forgetEpochs() {
        epochs.clear();
    }

    /** Writes every epoch's record, one a line, for whoever wants to look closer. */
    synchronized void write(Path file) throws IOException {
        Files.write(file, epochs.stream().map(JsonObject::toString).toList());
    }

    synchronized long verified() {
        return epochs.stream().filter(e -> e.getInt("verified") >= 0).count();
    }

    synchronized long differing() {
        return epochs.stream().mapToLong(e -> Math.max(0, e.getInt("verified"))).sum();
    }

    synchronized void addTo(JsonObjectBuilder json) {
        json.add("epochs", epochs.size());
        json.add("epochIntervalMillis", percentiles(epochs.stream().filter(e -> e.getJsonNumber("intervalMicros").longValue() > 0).toList(),
                e -> e.getJsonNumber("intervalMicros").doubleValue() / 1000));
        json.add("pauseMillis", percentiles(epochs, e -> e.getJsonNumber("pauseMicros").doubleValue() / 1000));
        json.add("commitMillis", percentiles(epochs, e -> e.getJsonNumber("commitMicros").doubleValue() / 1000));
        json.add("dirtyPages", percentiles(epochs, e -> e.getInt("dirtyPages")));
        json.add("samePagesPercent", samePercent(epochs));
        json.add("transferredBytesPerEpoch", percentiles(epochs, e -> e.getJsonNumber("transferredBytes").doubleValue()));
        json.add("inputConsensusMicros", Json.createObjectBuilder()
                .add("p50", consensus.getJsonNumber("p50")).add("p99", consensus.getJsonNumber("p99")));
        json.add("epochsVerified", verified());
        json.add("pagesDiffering", differing());
    }

    private static double samePercent(List<JsonObject> epochs) {
        double dirty = epochs.stream().mapToDouble(e -> e.getInt("dirtyPages")).sum();
        double same = epochs.stream().mapToDouble(e -> e.getInt("samePages")).sum();
        return dirty == 0 ? 0 : Math.round(1000 * same / dirty) / 10.0;
    }

    private static JsonObjectBuilder percentiles(List<JsonObject> records, ToDoubleFunction<JsonObject> value) {
        double[] values = records.stream().mapToDouble(value).toArray();
        Arrays.sort(values);
        return Json.createObjectBuilder().add("p50", at(values, 50)).add("p99", at(values, 99));
    }

    private static double at(double[] sorted, int percent) {
        return sorted.length == 0 ? 0 : Math.round(1000 * sorted[Math.min(sorted.length - 1, sorted.length * percent / 100)]) / 1000.0;
    }
}
