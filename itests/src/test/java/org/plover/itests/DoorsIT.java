package org.plover.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** Who gets in through which door of the shipped appliance, and what they may do there. */
public class DoorsIT {
    private static final String API = "/plover/api/v1";
    private static final String POLICY = "org.plover.policy.idle";
    private static final String PASSWORD = "correct horse battery";

    @ClassRule
    public static final TemporaryFolder FOLDER = new TemporaryFolder();

    private static Path config;
    private static Path data;
    private static Appliance appliance;

    @BeforeClass
    public static void start() throws Exception {
        Path launcher = Path.of(System.getProperty("plover.it.appliance")).toRealPath().resolve("bin/plover");
        config = FOLDER.newFolder("config").toPath();
        data = FOLDER.getRoot().toPath().resolve("data");
        appliance = Appliance.start(launcher, config, data);
        Await.until("the REST API answers", () -> get(API + "/vms", "plover").statusCode() == 200);
        for (String user : List.of("vera viewer", "otto operator", "locked operator")) {
            String[] words = user.split(" ");
            HttpResponse<String> made = appliance.json("POST", API + "/users", "plover", appliance.password(),
                    "{\"name\":\"" + words[0] + "\",\"role\":\"" + words[1] + "\",\"password\":\"" + PASSWORD + "\"}");
            assertEquals(made.body(), 201, made.statusCode());
        }
    }

    @AfterClass
    public static void stop() throws Exception {
        appliance.close();
    }

    private static HttpResponse<String> get(String path, String user) throws Exception {
        return appliance.get(path, user, user.equals("plover") ? appliance.password() : PASSWORD);
    }

    @Test
    public void shouldGiveNothingToWhoHasNotLoggedInAtAnyDoor() throws Exception {
        for (String door : List.of("/", "/system/console", "/system/console/bundles", "/system/console/configMgr", "/system/console/plover",
                "/system/console/res/ui/all.css", "/system/health", "/plover/metrics", API + "/vms", API + "/settings", API + "/openapi.yaml", API + "/me",
                "/nothing", "/system/console/../console/bundles")) {
            // Another name each time, so that none is locked out.
            String nobody = "nobody" + door.hashCode();
            for (HttpResponse<String> refused : List.of(appliance.get(door, null, null), appliance.get(door, nobody, "plover"))) {
                assertEquals(door, door.contains("..") ? 400 : 401, refused.statusCode());
                assertTrue(door + " says no more than that: " + refused.body(), refused.body().length() < 80);
                assertEquals("DENY", refused.headers().firstValue("X-Frame-Options").orElseThrow());
            }
        }
        assertEquals(401, appliance.json("POST", API + "/vms/x/operations", null, null, "{\"kind\":\"verify\"}").statusCode());
        assertEquals(401, appliance.json("PATCH", API + "/settings/" + POLICY, null, null, "{}").statusCode());
    }

    @Test
    public void shouldSpeakNothingButTls() throws Exception {
        int port = Integer.parseInt(appliance.origin().substring(appliance.origin().lastIndexOf(':') + 1));
        try (Socket plain = new Socket("127.0.0.1", port)) {
            plain.setSoTimeout(10_000);
            plain.getOutputStream().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            String said = new String(plain.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
            assertFalse(said, said.startsWith("HTTP/"));
        } catch (IOException reset) {
            assertFalse(reset.getMessage(), reset.getMessage().contains("timed out"));
        }
        String listing = get("/system/console/status-Configurations.txt", "plover").body() + get(API + "/settings", "plover").body();
        String secret = Files.readString(data.resolve("secrets/console-keystore")).strip();
        assertTrue(listing, listing.contains("org.apache.felix.https.keystore.password"));
        assertFalse("the keystore's password is in no listing", listing.contains(secret));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(data.resolve("secrets/console-keystore"))));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(data.resolve("console.p12"))));
    }

    @Test
    public void shouldLetAViewerLookAndNotAct() throws Exception {
        for (String look : List.of("/vms", "/settings", "/operations", "/providers", "/me", "/settings/" + POLICY)) {
            assertEquals(look, 200, get(API + look, "vera").statusCode());
        }
        for (String look : List.of("/plover/metrics", "/system/health", "/system/console/plover")) {
            Await.until(look + " is there", () -> get(look, "plover").statusCode() != 404);
            assertEquals(look, get(look, "plover").statusCode(), get(look, "vera").statusCode());
        }
        for (String page : List.of("/system/console/bundles", "/system/console/configMgr", "/system/console/status-Configurations.txt", API + "/users")) {
            assertEquals(page, 403, get(page, "vera").statusCode());
            assertEquals(page, 403, get(page, "otto").statusCode());
            assertEquals(page, 200, get(page, "plover").statusCode());
        }
        for (String kind : List.of("switchover", "verify", "force-primary")) {
            assertEquals(kind, 403, appliance.json("POST", API + "/vms/x/operations", "vera", PASSWORD, "{\"kind\":\"" + kind + "\"}").statusCode());
        }
        assertEquals(404, appliance.json("POST", API + "/vms/x/operations", "otto", PASSWORD, "{\"kind\":\"verify\"}").statusCode());
        assertEquals(403, appliance.json("POST", API + "/vms/x/operations", "otto", PASSWORD, "{\"kind\":\"force-primary\"}").statusCode());
        for (String user : List.of("vera", "otto")) {
            assertEquals(403, appliance.json("PATCH", API + "/settings/" + POLICY, user, PASSWORD, "{\"idleSamples\":9}").statusCode());
        }
        assertFalse(get(API + "/settings/" + POLICY, "vera").body().contains("\"value\":9}"));
    }

    @Test
    public void shouldLockOutAfterTwentyWrongLogins() throws Exception {
        for (int i = 0; i < 20; i++) {
            int status = appliance.get(API + "/me", "locked", "wrong" + i).statusCode();
            assertTrue("attempt " + i + ": " + status, status == 401 || status == 429);
        }
        HttpResponse<String> right = get(API + "/me", "locked");
        assertEquals("even the right password is of no use", 429, right.statusCode());
        assertTrue(right.body(), Integer.parseInt(right.headers().firstValue("Retry-After").orElseThrow()) > 800);
        HttpResponse<String> page = appliance.form("/plover/login", "name=locked&password=" + PASSWORD.replace(' ', '+'), "Origin", appliance.origin());
        assertEquals("nor at the other door", 429, page.statusCode());
        assertEquals("others are not locked out", 200, get(API + "/me", "otto").statusCode());
        Command.Result unlocked = appliance.plover("user", "unlock", "locked");
        assertEquals(unlocked.output(), 0, unlocked.exitCode());
        assertEquals(200, get(API + "/me", "locked").statusCode());
    }

    @Test
    public void shouldRefuseWhatAPageOfAnotherOriginHasSent() throws Exception {
        String admin = appliance.password();
        String value = "{\"idleSamples\":8}";
        for (String[] foreign : List.of(new String[] {"Origin", "https://evil.example"}, new String[] {"Origin", "null"},
                new String[] {"Referer", "https://evil.example/x"}, new String[] {"Sec-Fetch-Site", "cross-site"})) {
            assertEquals(403, appliance.json("PATCH", API + "/settings/" + POLICY, "plover", admin, value, foreign).statusCode());
        }
        assertEquals("a browser with the password needs the token, too", 403,
                appliance.json("PATCH", API + "/settings/" + POLICY, "plover", admin, value, "Origin", appliance.origin()).statusCode());
        assertEquals("a form is no JSON", 403, appliance.form("/plover/login", "name=vera&password=x", "Origin", "https://evil.example").statusCode());

        HttpResponse<String> login = appliance.form("/plover/login", "name=plover&password=" + admin, "Origin", appliance.origin());
        assertEquals(303, login.statusCode());
        String set = login.headers().firstValue("Set-Cookie").orElseThrow();
        assertTrue(set, set.contains("HttpOnly") && set.contains("Secure") && set.contains("SameSite=Strict"));
        String cookie = set.substring(0, set.indexOf(';'));
        HttpResponse<String> me = appliance.json("GET", API + "/me", null, null, "", "Cookie", cookie);
        assertEquals(200, me.statusCode());
        String token = me.body().replaceAll(".*\"csrf\":\"([^\"]+)\".*", "$1");

        String[] withoutToken = {"Cookie", cookie, "Origin", appliance.origin()};
        String[] foreign = {"Cookie", cookie, "Origin", "https://evil.example", "X-Plover-Token", token};
        String[] own = {"Cookie", cookie, "Origin", appliance.origin(), "X-Plover-Token", token};
        assertEquals(403, appliance.json("PATCH", API + "/settings/" + POLICY, null, null, value, withoutToken).statusCode());
        assertEquals(403, appliance.json("PATCH", API + "/settings/" + POLICY, null, null, value, foreign).statusCode());
        String form = "apply=true&action=ajaxConfigManager&propertylist=idleSamples&idleSamples=8";
        assertEquals(403, appliance.form("/system/console/configMgr/" + POLICY, form, "Cookie", cookie, "Origin", "https://evil.example").statusCode());
        assertEquals("nor without saying from where", 403, appliance.form("/system/console/configMgr/" + POLICY, form, "Cookie", cookie).statusCode());
        assertFalse("nothing has changed", get(API + "/settings/" + POLICY, "vera").body().contains("\"value\":8}"));
        HttpResponse<String> done = appliance.json("PATCH", API + "/settings/" + POLICY, null, null, value, own);
        assertEquals(done.body(), 200, done.statusCode());
        assertTrue(get(API + "/settings/" + POLICY, "vera").body().contains("\"value\":8}"));

        assertEquals(200, appliance.json("GET", "/plover/logout", null, null, "", "Cookie", cookie).statusCode());
        assertEquals(401, appliance.json("GET", API + "/me", null, null, "", "Cookie", cookie).statusCode());
    }

    @Test
    public void shouldRefuseAWrongValueWithTheSameSentenceAtEveryDoor() throws Exception {
        Path file = config.resolve("org.plover.network.tap.cfg");
        Files.writeString(file, "# mine\nannounceCount = 7\n");
        String pid = "org.plover.network.tap";
        Await.until("the file is read", () -> setting(pid).contains("\"value\":7}"));
        for (Map.Entry<String, String> wrong : Map.of("0", "announceCount is 0; set it to a value from 1 to 100",
                "many", "announceCount: 'many' is not a whole number that fits").entrySet()) {
            String sentence = wrong.getValue();
            HttpResponse<String> rest = appliance.json("PATCH", API + "/settings/" + pid, "plover", appliance.password(),
                    "{\"queueFrames\":500,\"announceCount\":\"" + wrong.getKey() + "\"}");
            assertEquals(400, rest.statusCode());
            assertEquals("{\"code\":\"bad-request\",\"error\":\"" + sentence + "\"}", rest.body());

            Command.Result cli = appliance.plover("set", pid, "announceCount=" + wrong.getKey());
            assertEquals(2, cli.exitCode());
            assertEquals("plover: " + sentence, cli.output().strip());

            HttpResponse<String> page = appliance.saveInConsole(pid, "announceCount", wrong.getKey());
            assertEquals(400, page.statusCode());
            assertTrue(page.body(), page.body().contains(sentence));

            Files.writeString(file, "# mine\nannounceCount = " + wrong.getKey() + "\n");
            Await.until("the log has the sentence", () -> appliance.output().contains(file + " is not used: " + sentence + ". "));
            assertTrue("nothing has changed: " + setting(pid), setting(pid).contains("\"value\":7}"));
        }
        assertEquals("{\"message\":\"" + pid + ": announceCount is 9 now\"}", appliance.json("PATCH", API + "/settings/" + pid, "plover",
                appliance.password(), "{\"announceCount\":9}").body());
        Await.until("the file follows", () -> Files.readString(file).equals("# mine\nannounceCount = 9\n"));
        assertEquals(0, appliance.plover("set", pid, "announceCount=10").exitCode());
        Await.until("the file follows", () -> Files.readString(file).equals("# mine\nannounceCount = 10\n"));
    }

    private static String setting(String pid) throws Exception {
        return get(API + "/settings/" + pid, "vera").body();
    }
}
