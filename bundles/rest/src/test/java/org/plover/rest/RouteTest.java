package org.plover.rest;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import jakarta.json.Json;
import jakarta.json.JsonValue;
import java.util.Map;
import org.junit.Test;

public class RouteTest {
    @Test
    public void shouldFindWhatAPathIsAbout() {
        Route.Match match = Route.of("/vms/redis/epochs").get(0);
        assertEquals("epochs", match.route().command());
        assertEquals(Map.of("vm", "redis"), match.names());
        assertEquals(2, Route.of("/operations/7").size());
        assertTrue(Route.of("/vms/").isEmpty());
        assertTrue(Route.of("/vms/redis/epochs/1").isEmpty());
        assertTrue(Route.of("").isEmpty());
        assertTrue(Route.of("vms").isEmpty());
    }

    @Test
    public void shouldLetNoBodySayWhatThePathSays() {
        Route.Match start = Route.of("/vms/redis/operations").get(0);
        var body = Json.createObjectBuilder().add("command", "force-primary").add("vm", "mail").add("kind", "verify").build();
        var request = start.route().request(body, start.names(), Map.of());
        assertEquals("start", request.getString("command"));
        assertEquals("redis", request.getString("vm"));
        assertEquals("verify", request.getString("kind"));
    }

    @Test
    public void shouldKeepTheValuesThatAreSetApartFromTheRequest() {
        Route.Match set = Route.of("/settings/org.plover.vm~redis").stream().filter(m -> m.route().command().equals("set")).findFirst().orElseThrow();
        var request = set.route().request(Json.createObjectBuilder().add("command", "x").build(), set.names(), Map.of());
        assertEquals("{\"values\":{\"command\":\"x\"},\"command\":\"set\",\"pid\":\"org.plover.vm~redis\"}", request.toString());
        assertEquals(5, Route.of("/vms/a/events").get(0).route().request(JsonValue.EMPTY_JSON_OBJECT, Map.of(), Map.of("since", 5L)).getInt("since"));
    }
}
