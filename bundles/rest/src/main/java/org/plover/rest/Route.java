package org.plover.rest;

import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.spi.JsonProvider;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One thing that can be done: a method and a path of the API, and the command that does it.
 *
 * @param method  HTTP method
 * @param path    below the base path; {@code {name}} stands for one segment, which becomes the request's field {@code name}
 * @param command the command's name
 * @param query   query parameters that become whole numbers of the request
 * @param status  HTTP status if all goes well
 * @param one     whether the command answers with a list, of which this is about one element
 */
record Route(String method, String path, String command, List<String> query, int status, boolean one) {
    private static final JsonProvider JSON = JsonProvider.provider();

    static final List<Route> ALL = List.of(
            new Route("GET", "/vms", "status", List.of(), 200, false),
            new Route("GET", "/vms/{vm}", "status", List.of(), 200, true),
            new Route("GET", "/vms/{vm}/epochs", "epochs", List.of("since"), 200, false),
            new Route("GET", "/vms/{vm}/events", "events", List.of("since"), 200, false),
            new Route("POST", "/vms/{vm}/operations", "start", List.of(), 202, false),
            new Route("GET", "/operations", "operations", List.of(), 200, false),
            new Route("GET", "/operations/{id}", "operation", List.of(), 200, false),
            new Route("DELETE", "/operations/{id}", "cancel", List.of(), 200, false),
            new Route("GET", "/doctor", "doctor", List.of(), 200, false),
            new Route("GET", "/providers", "providers", List.of(), 200, false),
            new Route("GET", "/settings", "settings", List.of(), 200, false),
            new Route("GET", "/settings/{pid}", "settings", List.of(), 200, true),
            new Route("PATCH", "/settings/{pid}", "set", List.of(), 200, false),
            new Route("POST", "/plans", "plan", List.of(), 200, false),
            new Route("GET", "/users", "users", List.of(), 200, false),
            new Route("POST", "/users", "user-add", List.of(), 201, false),
            new Route("PUT", "/users/{name}/password", "user-password", List.of(), 200, false),
            new Route("DELETE", "/users/{name}", "user-remove", List.of(), 200, false),
            new Route("DELETE", "/users/{name}/lock", "user-unlock", List.of(), 200, false));

    /** A route that a path takes, with what stands in the places of its names. */
    record Match(Route route, Map<String, String> names) {
    }

    /** Every route of this path, whatever the method; the segments are still percent-decoded as the container left them. */
    static List<Match> of(String path) {
        List<Match> matches = new ArrayList<>();
        for (Route route : ALL) {
            Map<String, String> names = route.match(path);
            if (names != null) {
                matches.add(new Match(route, names));
            }
        }
        return matches;
    }

    private Map<String, String> match(String given) {
        String[] wanted = path.split("/");
        String[] segments = given.split("/", -1);
        if (wanted.length != segments.length) {
            return null;
        }
        Map<String, String> names = new LinkedHashMap<>();
        for (int i = 1; i < wanted.length; i++) {
            if (wanted[i].startsWith("{")) {
                if (segments[i].isEmpty()) {
                    return null;
                }
                names.put(wanted[i].substring(1, wanted[i].length() - 1), segments[i]);
            } else if (!wanted[i].equals(segments[i])) {
                return null;
            }
        }
        return names;
    }

    /** The request to the command: what was sent, and what stands in the path, which counts more. */
    JsonObject request(JsonObject body, Map<String, String> names, Map<String, Long> numbers) {
        JsonObjectBuilder request = command.equals("set") ? JSON.createObjectBuilder().add("values", body) : JSON.createObjectBuilder(body);
        request.add("command", command);
        names.forEach(request::add);
        numbers.forEach(request::add);
        return request.build();
    }
}
