package org.plover.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** What monitoring sees of an appliance with a VM that cannot start: in metrics, health checks and webhooks. */
public class MonitoringIT {
    private static final String SECRET = "a secret of this test";
    private static final int PATIENCE_SECONDS = 60;

    /** What a web server was told. */
    private record Told(byte[] body, String signature) {
        String text() {
            return new String(body, StandardCharsets.UTF_8);
        }
    }

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private final BlockingQueue<Told> told = new LinkedBlockingQueue<>();
    private Path launcher;
    private Path config;
    private Path data;

    @Before
    public void unpack() throws Exception {
        Path place = folder.newFolder("installation").toPath();
        Command.Result tar = Command.run(place, "tar", "xzf", Path.of(System.getProperty("plover.it.archive")).toRealPath().toString());
        assertEquals(tar.output(), 0, tar.exitCode());
        try (Stream<Path> tops = Files.list(place)) {
            launcher = tops.findFirst().orElseThrow().resolve("bin/plover");
        }
        config = folder.newFolder("config").toPath();
        data = folder.newFolder("data").toPath();
    }

    @Test
    public void shouldTellMonitoringOfAVmThatCannotStart() throws Exception {
        Files.createDirectories(data.resolve("secrets"));
        Files.writeString(data.resolve("secrets/hook"), SECRET + "\n");
        Files.writeString(config.resolve("org.plover.vm~web.config"), "self=\"a\"\nmembers=[\"a\\=replica@127.0.0.1:17401\","
                + "\"b\\=replica@127.0.0.1:17402\",\"c\\=witness@127.0.0.1:17403\"]\n");
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/hook", exchange -> {
            try (exchange) {
                told.add(new Told(exchange.getRequestBody().readAllBytes(), exchange.getRequestHeaders().getFirst("Plover-Signature")));
                exchange.sendResponseHeaders(204, -1);
            }
        });
        server.start();
        Files.writeString(config.resolve("org.plover.webhook~it.config"), "url=\"http://127.0.0.1:" + server.getAddress().getPort()
                + "/hook\"\nkinds=[\"failed\"]\nsecret=\"$[secret:hook]\"\n");
        try (Appliance appliance = Appliance.start(launcher, config, data)) {
            Told failed = told.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
            assertNotNull("no event came: " + appliance.output(), failed);
            assertTrue(failed.text(), failed.text().contains("\"kind\":\"failed\"") && failed.text().contains("kernel is not set"));
            assertEquals(hmac(failed.body), failed.signature);

            HttpResponse<String> metrics = get(appliance, "/plover/metrics");
            assertEquals(metrics.body(), 200, metrics.statusCode());
            assertTrue(metrics.body(), metrics.body().contains("plover_role{member=\"a\",role=\"failed\",vm=\"web\"} 1"));
            assertTrue(metrics.body(), metrics.body().contains("plover_events_total{kind=\"failed\",member=\"a\",vm=\"web\"} 1"));
            assertTrue(metrics.body(), metrics.body().contains("jvm_memory_used_bytes{area=\"heap\"}"));

            HttpResponse<String> vm = get(appliance, "/system/health/web.json");
            assertEquals(vm.body(), 503, vm.statusCode());
            assertTrue(vm.body(), vm.body().contains("CRITICAL") && vm.body().contains("kernel is not set"));
            assertTrue("no other origin may read it", vm.headers().firstValue("Access-Control-Allow-Origin").filter("*"::equals).isEmpty());
            HttpResponse<String> parts = get(appliance, "/system/health/parts.json");
            assertEquals(parts.body(), 200, parts.statusCode());
            assertTrue(parts.body(), parts.body().contains("components of the appliance have what they need")
                    && parts.body().contains("Bundles"));
        } finally {
            server.stop(0);
        }
    }

    private static HttpResponse<String> get(Appliance appliance, String path) throws Exception {
        return appliance.get(path, "plover", appliance.password());
    }

    private static String hmac(byte[] body) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(SECRET.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        return "sha256=" + HexFormat.of().formatHex(mac.doFinal(body));
    }
}
