package org.plover.rest;

import jakarta.json.JsonArray;
import jakarta.json.JsonException;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import jakarta.json.spi.JsonProvider;
import jakarta.servlet.Servlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.plover.api.control.Caller;
import org.plover.api.control.CommandService;

/**
 * The REST API: turns HTTP into commands and their answers into HTTP, and knows nothing of what they do. Who asks is told by whoever
 * has checked the login; where nobody has, nothing is answered.
 */
@Component(service = Servlet.class, property = {
    "osgi.http.whiteboard.servlet.pattern=" + RestServlet.BASE + "/*", "osgi.http.whiteboard.servlet.name=plover-rest"})
public final class RestServlet extends HttpServlet {
    static final String BASE = "/plover/api/v1";
    static final String DESCRIPTION = "openapi.yaml";
    static final int BODY_BYTES_MAX = 64 * 1024;

    private static final long serialVersionUID = 1;
    private static final JsonProvider JSON = JsonProvider.provider();
    private static final Map<String, Integer> STATUS = Map.of("bad-request", 400, "which-vm", 400, "forbidden", 403, "unknown-vm", 404,
            "unknown-command", 404, "not-found", 404, "refused", 409, "cancelled", 409, "timeout", 504, "failed", 500);

    private final transient CommandService commands;

    @Activate
    public RestServlet(@Reference CommandService commands) {
        this.commands = commands;
    }

    /** What is sent back instead of an answer. */
    private static final class Refusal extends Exception {
        private static final long serialVersionUID = 1;
        private final int status;
        private final String code;

        Refusal(int status, String code, String message) {
            super(message);
            this.status = status;
            this.code = code;
        }
    }

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
        response.setHeader("Cache-Control", "no-store");
        try {
            if (!(request.getAttribute(Caller.HTTP_ATTRIBUTE) instanceof Caller caller)) {
                throw new Refusal(401, "unauthenticated", "log in first");
            }
            String path = request.getPathInfo() == null ? "" : request.getPathInfo();
            String method = request.getMethod().equals("HEAD") ? "GET" : request.getMethod();
            if (path.equals("/" + DESCRIPTION) && method.equals("GET")) {
                describe(response);
            } else if (path.equals("/me") && method.equals("GET")) {
                send(response, 200, me(request, caller));
            } else {
                route(path, method, request, caller, response);
            }
        } catch (Refusal e) {
            send(response, e.status, error(e.code, e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            send(response, 503, error("failed", "the appliance is stopping"));
        }
    }

    private void route(String path, String method, HttpServletRequest request, Caller caller, HttpServletResponse response)
            throws IOException, Refusal, InterruptedException {
        List<Route.Match> matches = Route.of(path);
        if (matches.isEmpty()) {
            throw new Refusal(404, "not-found", "there is nothing at " + BASE + path + "; " + BASE + "/" + DESCRIPTION + " says what there is");
        }
        Route.Match match = matches.stream().filter(m -> m.route().method().equals(method)).findFirst().orElse(null);
        if (match == null) {
            String allowed = matches.stream().map(m -> m.route().method()).distinct().collect(Collectors.joining(", "));
            response.setHeader("Allow", allowed);
            throw new Refusal(405, "bad-request", BASE + path + " takes " + allowed + ", not " + method);
        }
        Route route = match.route();
        JsonObject body = Set.of("POST", "PUT", "PATCH").contains(method) ? body(request) : JsonValue.EMPTY_JSON_OBJECT;
        Map<String, Long> numbers = new HashMap<>();
        for (String name : route.query()) {
            if (request.getParameter(name) != null) {
                numbers.put(name, number(name, request.getParameter(name)));
            }
        }
        String answer = commands.answer(route.request(body, match.names(), numbers).toString(), caller);
        pass(parse(answer), route, match.names(), response);
    }

    private static void pass(JsonObject answer, Route route, Map<String, String> names, HttpServletResponse response) throws IOException {
        if (!answer.getBoolean("ok")) {
            String code = answer.getString("code");
            send(response, STATUS.getOrDefault(code, 500), error(code, answer.getString("error")));
            return;
        }
        JsonValue result = answer.get("result");
        if (route.one()) {
            // A list of those that have this name, of which a factory's template has it as well as its configurations.
            JsonArray found = result.asJsonArray();
            result = found.stream().filter(element -> names.values().stream().anyMatch(name -> isNamed(element.asJsonObject(), name)))
                    .findFirst().orElse(found.get(0));
        }
        if (route.status() == 202) {
            response.setHeader("Location", BASE + "/operations/" + result.asJsonObject().getString("id"));
        }
        send(response, route.status(), result);
    }

    private static boolean isNamed(JsonObject element, String name) {
        return element.get("pid") instanceof JsonString pid && pid.getString().equals(name)
                || element.get("vm") instanceof JsonString vm && vm.getString().equals(name);
    }

    /** Only JSON: a form of another site's page cannot send that without asking first. */
    private static JsonObject body(HttpServletRequest request) throws IOException, Refusal {
        String type = request.getContentType() == null ? "" : request.getContentType().toLowerCase(Locale.ROOT);
        if (!type.equals("application/json") && !type.startsWith("application/json;")) {
            throw new Refusal(415, "bad-request", "send application/json, not " + (type.isEmpty() ? "without a type" : type));
        }
        byte[] bytes;
        try (InputStream in = request.getInputStream()) {
            bytes = in.readNBytes(BODY_BYTES_MAX + 1);
        }
        if (bytes.length > BODY_BYTES_MAX) {
            throw new Refusal(413, "bad-request", "a request has at most " + BODY_BYTES_MAX + " bytes");
        }
        try (var reader = JSON.createReader(new StringReader(new String(bytes, StandardCharsets.UTF_8)))) {
            return reader.readObject();
        } catch (JsonException | IllegalStateException e) {
            throw new Refusal(400, "bad-request", "the request's body is one JSON object, this is not: " + e.getMessage());
        }
    }

    private static long number(String name, String text) throws Refusal {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new Refusal(400, "bad-request", name + ": '" + text + "' is not a whole number");
        }
    }

    private static JsonObject me(HttpServletRequest request, Caller caller) {
        Object token = request.getAttribute(Caller.HTTP_TOKEN_ATTRIBUTE);
        return JSON.createObjectBuilder().add("name", caller.name()).add("role", caller.role().text())
                .add("csrf", token == null ? "" : token.toString()).build();
    }

    private static void describe(HttpServletResponse response) throws IOException {
        try (InputStream in = RestServlet.class.getResourceAsStream(DESCRIPTION)) {
            response.setContentType("application/yaml");
            in.transferTo(response.getOutputStream());
        }
    }

    private static JsonObject parse(String answer) {
        try (var reader = JSON.createReader(new StringReader(answer))) {
            return reader.readObject();
        }
    }

    private static JsonObject error(String code, String text) {
        return JSON.createObjectBuilder().add("code", code).add("error", text).build();
    }

    private static void send(HttpServletResponse response, int status, JsonValue body) throws IOException {
        response.setStatus(status);
        response.setContentType("application/json;charset=utf-8");
        response.getOutputStream().write(body.toString().getBytes(StandardCharsets.UTF_8));
    }
}
