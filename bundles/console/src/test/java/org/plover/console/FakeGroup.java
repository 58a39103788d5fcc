package org.plover.console;

import jakarta.json.Json;
import jakarta.json.JsonArray;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.plover.control.domain.DomainException;
import org.plover.control.domain.HostView;
import org.plover.control.domain.Planner;
import org.plover.control.wire.RecordJson;

/** A group of three as the REST API of one member shows it, played by a script: what a test sets is what the page sees. Thread-safe. */
final class FakeGroup {
    static final String VM = "redis";
    static final String VM_PID = "org.plover.vm~redis";
    static final String POLICY_PID = "org.plover.policy.idle";
    static final String REFUSAL = "intervalMillisMin: 500 is above intervalMillisMax, which is 400";

    private static final int EPOCHS_MAX = 2_000;

    private final Map<String, Map<String, JsonValue>> settings = new TreeMap<>();
    private final List<JsonObject> epochs = new ArrayList<>();
    private final List<JsonObject> events = new ArrayList<>();
    private final Map<String, JsonObject> operations = new LinkedHashMap<>();
    private final List<JsonObject> orders = new ArrayList<>();
    private String user = "anna";
    private String userRole = "administrator";
    private String role = "PRIMARY";
    private String primary = "alpha";
    private boolean backupInSync = true;
    private boolean backupConnected = true;
    private boolean backupLeft;
    private String message = "protected: the death of any one host is survived";
    private long view = 3;
    private long epoch = 100;
    private long nextEpochAt = System.currentTimeMillis();
    private long sequence = 1_000;
    private boolean operationsEnd = true;
    private int requests;

    FakeGroup() {
        settings.put(POLICY_PID, new TreeMap<>());
        settings.put(VM_PID, new TreeMap<>());
        event("protected", "beta is in sync: the guest is protected");
    }

    synchronized FakeGroup as(String name, String accessRole) {
        user = name;
        userRole = accessRole;
        return this;
    }

    synchronized void member(String itsRole, String itsPrimary, String sentence) {
        role = itsRole;
        primary = itsPrimary;
        message = sentence;
    }

    synchronized void backup(boolean connected, boolean inSync) {
        backupConnected = connected;
        backupInSync = inSync;
    }

    synchronized void event(String kind, String text) {
        events.add(Json.createObjectBuilder().add("sequence", ++sequence).add("atMillis", System.currentTimeMillis())
                .add("kind", kind).add("text", text).build());
    }

    /** From now on operations run until somebody cancels them. */
    synchronized void letOperationsRun() {
        operationsEnd = false;
    }

    synchronized List<JsonObject> orders() {
        return List.copyOf(orders);
    }

    synchronized String setting(String pid, String key) {
        JsonValue value = settings.get(pid).get(key);
        return value == null ? "" : value.toString();
    }

    synchronized int requests() {
        return requests;
    }

    /** @return status and body */
    synchronized Map.Entry<Integer, String> answer(String method, String path, String query, String body, String csrf) {
        requests++;
        if (!method.equals("GET") && !"token-of-this-session".equals(csrf)) {
            return error(403, "forbidden", "the request lacks the token of this session");
        }
        String[] parts = path.split("/");
        return switch (method + " " + parts[0]) {
            case "GET me" -> ok(Json.createObjectBuilder().add("name", user).add("role", userRole).add("csrf", "token-of-this-session").build());
            case "GET vms" -> parts.length == 1 ? ok(Json.createArrayBuilder().add(status()).build())
                    : parts[2].equals("epochs") ? ok(since(epochs(), "epoch", query)) : ok(since(events, "sequence", query));
            case "GET settings" -> ok(settings());
            case "PATCH settings" -> patch(parts[1], Json.createReader(new java.io.StringReader(body)).readObject());
            case "GET providers" -> ok(providers());
            case "GET doctor" -> ok(Json.createArrayBuilder().add(finding("WARNING", "Accelerator", "the CPU has no KVM here", "switch it on in the firmware")).build());
            case "GET operations" -> parts.length == 1 ? ok(list(operations.values())) : ok(advanced(parts[1]));
            case "POST plans" -> plan(Json.createReader(new java.io.StringReader(body)).readObject());
            case "POST vms" -> begin(Json.createReader(new java.io.StringReader(body)).readObject());
            case "DELETE operations" -> ok(ended(parts[1], "cancelled", "cancelled by " + user, JsonValue.NULL));
            default -> error(404, "not-found", "there is no " + path);
        };
    }

    private JsonObject status() {
        epochs();
        boolean safe = backupInSync && backupConnected && !backupLeft;
        return Json.createObjectBuilder().add("vm", VM).add("member", "alpha").add("role", role).add("protectedNow", safe)
                .add("message", message).add("slowed", "").add("notes", Json.createArrayBuilder()).add("view", view).add("primary", primary)
                .add("epoch", epoch)
                .add("members", Json.createArrayBuilder().add(member("alpha", "replica", true, true, true, false, -1))
                        .add(member("beta", "replica", false, backupConnected, backupInSync, backupLeft, 410))
                        .add(member("gamma", "witness", false, true, false, false, 380)))
                .add("heldFrames", 3).add("heldBytes", 4_321).add("oldestHeldMillis", 12).add("inputBacklogBytes", 0).add("quorumMillis", 4)
                .add("logEntries", 40).add("samePagesPercent", 86.2).add("pauseMillis", percentiles(7.0, 19.5)).add("intervalMillis", percentiles(240, 410))
                .add("dirtyPages", percentiles(190, 1_000)).add("transferredBytes", percentiles(220_000, 900_000))
                .add("inputConsensusMicros", percentiles(420, 1_900)).add("epochsCommitted", epoch).add("epochsVerified", 0).add("pagesDiffering", 0)
                .add("synchronisationPercent", backupInSync ? -1 : 40).add("hasher", hasher()).add("policy", "idle").add("transport", "tcp").build();
    }

    private String hasher() {
        JsonValue hashers = settings.get(VM_PID).get("hashers");
        return hashers == null ? "xxh3" : hashers.asJsonArray().getString(0);
    }

    private static JsonObject percentiles(double p50, double p99) {
        return Json.createObjectBuilder().add("count", 100).add("p50", p50).add("p99", p99).add("max", p99 * 2).build();
    }

    private static JsonObject member(String name, String kind, boolean self, boolean connected, boolean inSync, boolean left, long roundTripMicros) {
        return Json.createObjectBuilder().add("name", name).add("kind", kind).add("self", self).add("connected", connected).add("inSync", inSync)
                .add("votes", !left).add("left", left).add("heardMillis", connected ? 0 : 4_200).add("roundTripMicros", roundTripMicros).build();
    }

    /** Those that have ended since, at the pace that the policy's longest interval sets. */
    private List<JsonObject> epochs() {
        long interval = number(settings.get(POLICY_PID).get("intervalMillisMax"), 400);
        long now = System.currentTimeMillis();
        while (role.equals("PRIMARY") && nextEpochAt <= now) {
            epoch++;
            long wave = epoch % 13;
            epochs.add(Json.createObjectBuilder().add("epoch", epoch).add("view", view).add("intervalMicros", interval * 1_000)
                    .add("pauseMicros", 6_000 + wave * 450).add("commitMicros", 11_000 + wave * 700).add("applyMicros", 21_000 + wave * 900)
                    .add("dirtyPages", 180 + wave * 40).add("samePages", 150 + wave * 30).add("diskBlocks", 4).add("sameBlocks", 4)
                    .add("transferredBytes", 210_000 + wave * 9_000).add("releasedFrames", 12).add("reason", "idle").add("verified", -1).build());
            nextEpochAt += interval;
        }
        if (epochs.size() > EPOCHS_MAX) {
            epochs.subList(0, epochs.size() - EPOCHS_MAX).clear();
        }
        return epochs;
    }

    private static JsonArray since(List<JsonObject> all, String key, String query) {
        long since = query == null ? -1 : Long.parseLong(query.substring(query.indexOf('=') + 1));
        return list(all.stream().filter(one -> one.getJsonNumber(key).longValue() > since).toList());
    }

    private static JsonArray list(Iterable<JsonObject> objects) {
        JsonArrayBuilder array = Json.createArrayBuilder();
        objects.forEach(array::add);
        return array.build();
    }

    private JsonArray settings() {
        return Json.createArrayBuilder()
                .add(pid(POLICY_PID, "", "Plover sync policy: idle", "Ends an epoch when both guests have gone idle.")
                        .add("settings", Json.createArrayBuilder()
                                .add(integer(POLICY_PID, "intervalMillisMin", 1, "Shortest time for which the guests run between two syncs."))
                                .add(integer(POLICY_PID, "intervalMillisMax", 400, "Longest time for which output waits for the guests to go idle."))))
                .add(pid(VM_PID, "org.plover.vm", "Plover protected VM", "A virtual machine kept alive by two replicas and a witness.")
                        .add("settings", Json.createArrayBuilder()
                                .add(setting(VM_PID, "hashers", "string", true, "", Json.createArrayBuilder().add("xxh3").add("java").build(),
                                        "Page hashers in order of preference."))
                                .add(setting(VM_PID, "onDiskError", "string", false, "", Json.createValue("handover"), "What happens when a disk fails."))))
                .add(Json.createObjectBuilder(pid("org.plover.vm", "org.plover.vm", "Plover protected VM", "").build()).add("template", true)
                        .add("settings", Json.createArrayBuilder()))
                .build();
    }

    private JsonObjectBuilder pid(String pid, String factory, String name, String help) {
        return Json.createObjectBuilder().add("pid", pid).add("factoryPid", factory).add("template", false).add("name", name).add("help", help)
                .add("configured", true);
    }

    private JsonObject integer(String pid, String key, int otherwise, String help) {
        return setting(pid, key, "integer", false, "ms", Json.createValue(otherwise), help);
    }

    private JsonObject setting(String pid, String key, String type, boolean list, String unit, JsonValue otherwise, String help) {
        JsonValue value = settings.get(pid).get(key);
        return Json.createObjectBuilder().add("key", key).add("name", key).add("help", help).add("type", type).add("list", list).add("unit", unit)
                .add("min", type.equals("integer") ? "0" : "").add("max", type.equals("integer") ? "60000" : "")
                .add("options", key.equals("onDiskError") ? Json.createArrayBuilder().add("handover").add("report") : Json.createArrayBuilder())
                .add("defaultValue", otherwise).add("secret", false).add("configured", value != null).add("value", value == null ? otherwise : value)
                .build();
    }

    private Map.Entry<Integer, String> patch(String pid, JsonObject values) {
        if (number(values.get("intervalMillisMin"), 0) > number(settings.get(POLICY_PID).get("intervalMillisMax"), 400)) {
            return error(400, "bad-request", REFUSAL);
        }
        values.forEach((key, value) -> {
            if (value == JsonValue.NULL) {
                settings.get(pid).remove(key);
            } else {
                settings.get(pid).put(key, value);
            }
            event("setting-changed", pid + ": " + key + " is " + value + " now");
        });
        return ok(Json.createObjectBuilder().add("message", pid + ": changed").build());
    }

    private static long number(JsonValue value, long otherwise) {
        return value instanceof jakarta.json.JsonNumber number ? number.longValue() : otherwise;
    }

    private static JsonArray providers() {
        JsonArrayBuilder all = Json.createArrayBuilder();
        Map.of("hasher", List.of("xxh3", "java"), "policy", List.of("idle"), "transport", List.of("tcp"), "consensus", List.of("paxos"), "gate", List.of("epoch"))
                .forEach((kind, ids) -> ids.forEach(id -> all.add(Json.createObjectBuilder().add("kind", kind).add("id", id)
                        .add("bundle", "org.plover." + id).add("version", "0.1.0").add("setting", kind.equals("hasher") ? "hashers" : ""))));
        return all.build();
    }

    static JsonObject finding(String level, String subject, String text, String remedy) {
        return Json.createObjectBuilder().add("level", level).add("subject", subject).add("text", text).add("remedy", remedy).build();
    }

    private static Map.Entry<Integer, String> plan(JsonObject request) {
        try {
            return ok(RecordJson.toJson(Planner.plan(request.getString("text"), new Planner.Wishes(request.getString("name", ""),
                    request.getJsonArray("members").getValuesAs(JsonString::getString), request.getString("bridge", "")), HostView.ofThisHost())));
        } catch (DomainException e) {
            return error(400, "bad-request", e.getMessage());
        }
    }

    private Map.Entry<Integer, String> begin(JsonObject request) {
        orders.add(request);
        String id = Integer.toString(operations.size() + 1);
        operations.put(id, operation(id, request.getString("kind"), "running", 10, "", JsonValue.NULL));
        if (request.getString("kind").equals("leave")) {
            backupLeft = true;
        } else if (request.getString("kind").equals("join")) {
            backupLeft = false;
        }
        return Map.entry(202, operations.get(id).toString());
    }

    /** Half done when it is asked about first, ended the next time. */
    private JsonObject advanced(String id) {
        JsonObject operation = operations.get(id);
        if (!operation.getString("state").equals("running")) {
            return operation;
        }
        if (operationsEnd && operation.getInt("progressPercent") >= 50) {
            if (operation.getString("kind").equals("switchover")) {
                member("BACKUP", "beta", "in sync as of epoch " + epoch);
                view++;
                event("failover", "beta leads view " + view + ": the guest was handed over by an operator");
            }
            JsonValue result = operation.getString("kind").equals("verify") ? Json.createObjectBuilder().add("epoch", epoch).add("pagesCompared", 65_536)
                    .add("pagesDiffering", 0).add("firstDiffering", Json.createArrayBuilder()).build() : JsonValue.NULL;
            return ended(id, "done", operation.getString("kind") + " is done", result);
        }
        operations.put(id, operation(id, operation.getString("kind"), "running", 50, "", JsonValue.NULL));
        return operations.get(id);
    }

    private JsonObject ended(String id, String state, String text, JsonValue result) {
        operations.put(id, operation(id, operations.get(id).getString("kind"), state, 100, text, result));
        return operations.get(id);
    }

    private JsonObject operation(String id, String kind, String state, int percent, String text, JsonValue result) {
        return Json.createObjectBuilder().add("id", id).add("vm", VM).add("kind", kind).add("user", user).add("door", "rest").add("state", state)
                .add("progressPercent", percent).add("startedAtMillis", System.currentTimeMillis()).add("endedAtMillis", 0).add("message", text)
                .add("result", result).build();
    }

    private static Map.Entry<Integer, String> ok(JsonValue value) {
        return Map.entry(200, value.toString());
    }

    private static Map.Entry<Integer, String> error(int status, String code, String sentence) {
        return Map.entry(status, Json.createObjectBuilder().add("code", code).add("error", sentence).build().toString());
    }
}
