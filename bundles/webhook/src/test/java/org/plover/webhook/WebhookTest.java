package org.plover.webhook;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonReader;
import java.io.IOException;
import java.io.StringReader;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.osgi.service.event.Event;
import org.plover.api.status.VmEvent;

/** Against a real web server on this host. */
public class WebhookTest {
    private static final long PATIENCE_SECONDS = 60;

    /** What the server was sent. */
    private record Received(String path, String body, String signature, String id) {
    }

    private final BlockingQueue<Received> received = new LinkedBlockingQueue<>();
    /** How the server answers, in order; 200 when there is none left. */
    private final ConcurrentLinkedQueue<Integer> answers = new ConcurrentLinkedQueue<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Webhook webhook = new Webhook();
    private HttpServer server;
    private volatile CountDownLatch gate = new CountDownLatch(0);

    @Before
    public void setUp() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            received.add(new Received(exchange.getRequestURI().getPath(), body,
                    exchange.getRequestHeaders().getFirst(Delivery.SIGNATURE), exchange.getRequestHeaders().getFirst(Delivery.ID)));
            gate.await();
            Integer status = answers.poll();
            if (status != null && status / 100 == 3) {
                exchange.getResponseHeaders().add("Location", "/elsewhere");
            }
            exchange.sendResponseHeaders(status == null ? 200 : status, -1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @After
    public void tearDown() {
        webhook.deactivate();
        gate.countDown();
        server.stop(0);
        threads.shutdownNow();
    }

    @Test
    public void shouldSendAnEventAsSignedJson() throws InterruptedException {
        activate("secret", "correct horse\n");
        webhook.handleEvent(event(7, "failover", "beta leads view 4 and serves the guest"));
        Received got = next();
        JsonObject json = json(got.body);
        assertEquals("redis", json.getString("vm"));
        assertEquals("beta", json.getString("member"));
        assertEquals("failover", json.getString("kind"));
        assertEquals("beta leads view 4 and serves the guest", json.getString("text"));
        assertEquals(7, json.getInt("sequence"));
        assertEquals("1970-01-01T00:00:01.007Z", json.getString("at"));
        assertEquals("redis.beta.7", got.id);
        assertEquals(Delivery.sign("correct horse", got.body.getBytes(StandardCharsets.UTF_8)), got.signature);
    }

    /** From RFC 4231, test case 2. */
    @Test
    public void shouldSignAsTheStandardSays() {
        assertEquals("sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
                Delivery.sign("Jefe", "what do ya want for nothing?".getBytes(StandardCharsets.US_ASCII)));
    }

    @Test
    public void shouldSendOnlyWhatIsAskedFor() throws InterruptedException {
        activate("kinds", new String[] {"failover", " unprotected "}, "vms", new String[] {"redis"});
        webhook.handleEvent(event(1, "order", "not this"));
        webhook.handleEvent(event(2, "unprotected", "this"));
        webhook.handleEvent(new Event(VmEvent.TOPIC, Map.of(VmEvent.VM, "web", VmEvent.KIND, "failover")));
        webhook.handleEvent(event(3, "failover", "and this"));
        assertEquals("this", json(next().body).getString("text"));
        assertEquals("and this", json(next().body).getString("text"));
        assertNull(received.poll());
    }

    @Test
    public void shouldTryAgainUntilTheServerTakesItAndKeepTheOrder() throws InterruptedException {
        answers.addAll(List.of(503, 429, 500));
        activate();
        webhook.handleEvent(event(1, "failover", "first"));
        webhook.handleEvent(event(2, "failover", "second"));
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            ids.add(next().id);
        }
        assertEquals(List.of("redis.beta.1", "redis.beta.1", "redis.beta.1", "redis.beta.1", "redis.beta.2"), ids);
    }

    @Test
    public void shouldGiveUpAnEventThatTheServerRefusesAndGoOn() throws InterruptedException {
        answers.addAll(List.of(400, 302));
        activate();
        for (int i = 1; i <= 3; i++) {
            webhook.handleEvent(event(i, "failover", "event " + i));
        }
        assertEquals(List.of("/hook", "/hook", "/hook"), List.of(next().path, next().path, next().path));
        assertNull("redirects are not followed, nothing is repeated", received.poll(200, TimeUnit.MILLISECONDS));
    }

    @Test
    public void shouldGiveUpAfterSoManyTries() throws InterruptedException {
        answers.addAll(List.of(500, 500, 500));
        activate("retriesMax", 2);
        webhook.handleEvent(event(1, "failover", "first"));
        webhook.handleEvent(event(2, "failover", "second"));
        for (int i = 0; i < 3; i++) {
            assertEquals("redis.beta.1", next().id);
        }
        assertEquals("redis.beta.2", next().id);
    }

    @Test
    public void shouldGiveUpTheOldestOfTooManyThatWaitAndNeverBlock() throws InterruptedException {
        gate = new CountDownLatch(1);
        activate("queueEventsMax", 2, "timeoutMillis", 60_000);
        webhook.handleEvent(event(1, "failover", "being sent"));
        assertEquals("redis.beta.1", next().id);
        for (int i = 2; i <= 10_000; i++) {
            webhook.handleEvent(event(i, "failover", "waits"));
        }
        gate.countDown();
        assertEquals("redis.beta.9999", next().id);
        assertEquals("redis.beta.10000", next().id);
    }

    @Test
    public void shouldSendToTheNewAddressAfterAChangeAndKeepTheOldOneIfTheNewIsWrong() throws InterruptedException {
        activate();
        webhook.modified(config("url", url("/other")));
        webhook.handleEvent(event(1, "failover", "first"));
        assertEquals("/other", next().path);
        webhook.modified(config("url", "ftp://192.0.2.1/"));
        webhook.handleEvent(event(2, "failover", "second"));
        assertEquals("/other", next().path);
    }

    @Test
    public void shouldSendWhatWaitedToTheNewAddress() throws InterruptedException {
        gate = new CountDownLatch(1);
        activate("timeoutMillis", 60_000);
        webhook.handleEvent(event(1, "failover", "being sent"));
        webhook.handleEvent(event(2, "failover", "waits"));
        assertEquals("/hook", next().path);
        webhook.modified(config("url", url("/other"), "timeoutMillis", 60_000));
        gate.countDown();
        Received first = next();
        assertEquals(List.of("/other", "redis.beta.1"), List.of(first.path, first.id));
        assertEquals("redis.beta.2", next().id);
    }

    @Test
    public void shouldSayWhatIsWrongWithAConfiguration() {
        assertRefused("url: 'ftp://192.0.2.1/' is not http://HOST/... or https://HOST/...", "url", "ftp://192.0.2.1/");
        assertRefused("url: '' is not http://HOST/... or https://HOST/...", "url", "");
        assertRefused("timeoutMillis: 99 is not within 100 to 60000", "timeoutMillis", 99);
        assertRefused("queueEventsMax: 0 is not within 1 to 100000", "queueEventsMax", 0);
        assertRefused("secret: there is no file for $[secret:hook] in the folder secrets of the data directory", "secret", "$[secret:hook]");
    }

    @Test
    public void shouldNotTellSecretsToTheLog() {
        String text = WebhookSettings.of(config("url", "https://user:pass@example.org:8443/hook?token=abc", "secret", "s3cret")).toString();
        assertEquals("https://example.org:8443/hook", text);
    }

    private void assertRefused(String sentence, Object... keysAndValues) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> WebhookSettings.of(config(keysAndValues)));
        assertEquals(sentence, e.getMessage());
    }

    private void activate(Object... keysAndValues) {
        webhook.activate(config(keysAndValues), Map.of("service.pid", "org.plover.webhook~pager"));
    }

    private WebhookConfig config(Object... keysAndValues) {
        Map<String, Object> values = new HashMap<>(Map.of("url", url("/hook"), "retryMillis", 10));
        for (int i = 0; i < keysAndValues.length; i += 2) {
            values.put((String) keysAndValues[i], keysAndValues[i + 1]);
        }
        return (WebhookConfig) Proxy.newProxyInstance(WebhookConfig.class.getClassLoader(), new Class<?>[] {WebhookConfig.class},
                (proxy, method, arguments) -> values.getOrDefault(method.getName(), method.getDefaultValue()));
    }

    private String url(String path) {
        return "http://127.0.0.1:" + server.getAddress().getPort() + path;
    }

    private static Event event(long sequence, String kind, String text) {
        return new Event(VmEvent.TOPIC, Map.of(VmEvent.VM, "redis", VmEvent.MEMBER, "beta", VmEvent.KIND, kind, VmEvent.TEXT, text,
                VmEvent.SEQUENCE, sequence, VmEvent.AT_MILLIS, 1000 + sequence));
    }

    private Received next() throws InterruptedException {
        Received got = received.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        assertNotNull("the server was sent nothing more", got);
        return got;
    }

    private static JsonObject json(String text) {
        try (JsonReader reader = Json.createReader(new StringReader(text))) {
            return reader.readObject();
        }
    }
}
