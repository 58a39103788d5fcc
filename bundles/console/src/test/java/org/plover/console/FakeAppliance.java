package org.plover.console;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The page as the bundle serves it, and a REST API behind it that is played by a {@link FakeGroup}; real HTTP on loopback. */
final class FakeAppliance implements AutoCloseable {
    private static final String CONSOLE = "/system/console";
    private static final String API = "/plover/api/v1/";

    final FakeGroup group = new FakeGroup();
    private final PageFiles files = new PageFiles();
    private final HttpServer server;
    private final ExecutorService threads = Executors.newFixedThreadPool(4);
    private volatile boolean silent;

    FakeAppliance() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext(CONSOLE + "/plover", this::page);
        server.createContext(API, this::api);
        server.start();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + CONSOLE + "/plover";
    }

    /** From now on, or no more, the API answers nothing but an error of a proxy, which is not JSON. */
    void silence(boolean now) {
        silent = now;
    }

    private void page(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath().substring((CONSOLE + "/plover").length());
        PageFiles.Answer answer = files.answer(path, CONSOLE, CONSOLE + "/plover", exchange.getRequestHeaders().getFirst("If-None-Match"));
        answer.headers().forEach((name, value) -> exchange.getResponseHeaders().set(name, value));
        send(exchange, answer.status(), answer.body());
    }

    private void api(HttpExchange exchange) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        Map.Entry<Integer, String> answer = silent ? Map.entry(502, "<html>bad gateway</html>")
                : group.answer(exchange.getRequestMethod(), exchange.getRequestURI().getPath().substring(API.length()), exchange.getRequestURI().getQuery(), body,
                        exchange.getRequestHeaders().getFirst("X-Plover-Token"));
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        send(exchange, answer.getKey(), answer.getValue().getBytes(StandardCharsets.UTF_8));
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        try (exchange) {
            exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
