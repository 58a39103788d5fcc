package org.plover.demo.cluster;

import jakarta.json.Json;
import jakarta.json.JsonArray;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonValue;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/** Gathers the records of all epochs from whichever host is primary, while the demo runs. */
final class Statistics {
    /** By view and epoch, so that nothing counts twice. */
    private final TreeMap<Long, TreeMap<Long, JsonObject>> epochs = new TreeMap<>();
    private JsonObject consensus = Json.createObjectBuilder().add("p50", 0).add("p99", 0).build();

    /** Takes what is new from a host; quietly nothing if it does not answer. */
    synchronized void poll(Host host, JsonObject status) {
        try {
            JsonArray news = host.control().epochsSince(epochs.isEmpty() || epochs.lastEntry().getValue().isEmpty() ? 0
                    : epochs.lastEntry().getValue().lastKey());
            for (JsonValue v : news) {
                JsonObject e = v.asJsonObject();
                epochs.computeIfAbsent((long) e.getInt("view"), k -> new TreeMap<>())
                        .put(e.getJsonNumber("epoch").longValue(), e);
            }
        } catch (IOException e) {
            return; // it has just died, or has no VM yet
        }
        JsonObject c = status.getJsonObject("inputConsensusMicros");
        if (c != null && c.getJsonNumber("count").longValue() > 0) {
            consensus = c;
        }
    }

    synchronized void forgetEpochs() {
        epochs.values().forEach(TreeMap::clear);
    }

    private List<JsonObject> all() {
        List<JsonObject> all = new ArrayList<>();
        epochs.values().forEach(m -> all.addAll(m.values()));
        return all;
    }

    synchronized int count() {
        return all().size();
    }

    synchronized long verified() {
        return all().stream().filter(e -> e.getInt("verified") >= 0).count();
    }

    synchronized long differing() {
        return all().stream().mapToLong(e -> Math.max(0, e.getInt("verified"))).sum();
    }

    synchronized void addTo(JsonObjectBuilder json) {
        List<JsonObject> all = all();
        json.add("epochs", all.size());
        json.add("epochIntervalMillis", percentiles(all.stream().filter(e -> e.getJsonNumber("intervalMicros").longValue() > 0).toList(),
                e -> e.getJsonNumber("intervalMicros").doubleValue() / 1000));
        json.add("pauseMillis", percentiles(all, e -> e.getJsonNumber("pauseMicros").doubleValue() / 1000));
        json.add("commitMillis", percentiles(all, e -> e.getJsonNumber("commitMicros").doubleValue() / 1000));
        json.add("dirtyPages", percentiles(all, e -> e.getInt("dirtyPages")));
        json.add("samePagesPercent", samePercent(all));
        json.add("transferredBytesPerEpoch", percentiles(all, e -> e.getJsonNumber("transferredBytes").doubleValue()));
        json.add("inputConsensusMicros", Json.createObjectBuilder()
                .add("p50", consensus.getJsonNumber("p50")).add("p99", consensus.getJsonNumber("p99")));
        json.add("epochsVerified", verified());
        json.add("pagesDiffering", differing());
    }

    private static double samePercent(List<JsonObject> all) {
        double dirty = all.stream().mapToDouble(e -> e.getInt("dirtyPages")).sum();
        double same = all.stream().mapToDouble(e -> e.getInt("samePages")).sum();
        return dirty == 0 ? 0 : Math.round(1000 * same / dirty) / 10.0;
    }

    private static JsonObjectBuilder percentiles(List<JsonObject> all, ToDoubleFunction<JsonObject> value) {
        double[] values = all.stream().mapToDouble(value).toArray();
        Arrays.sort(values);
        return Json.createObjectBuilder().add("p50", at(values, 50)).add("p99", at(values, 99));
    }

    private static double at(double[] sorted, int percent) {
        return sorted.length == 0 ? 0 : Math.round(1000 * sorted[Math.min(sorted.length - 1, sorted.length * percent / 100)]) / 1000.0;
    }
}
