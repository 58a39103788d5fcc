package org.plover.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonReader;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import picocli.CommandLine;

public class CheckerCommandTest {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private final InputStream standardInput = System.in;
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final PipedOutputStream commands = new PipedOutputStream();
    private FaultyRedis server;
    private Path json;

    @Before
    public void start() throws Exception {
        server = new FaultyRedis();
        json = folder.getRoot().toPath().resolve("report.json");
        System.setIn(new PipedInputStream(commands));
    }

    @After
    public void stop() throws Exception {
        System.setIn(standardInput);
        commands.close();
        server.close();
    }

    private CompletableFuture<Integer> run(String... more) {
        CommandLine commandLine = new CommandLine(new CheckerCommand()).setCaseInsensitiveEnumValuesAllowed(true).setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        String[] args = new String[more.length + 6];
        System.arraycopy(new String[] {"--host", "127.0.0.1", "--port", Integer.toString(server.port()), "--json", json.toString()},
                         0, args, 0, 6);
        System.arraycopy(more, 0, args, 6, more.length);
        return CompletableFuture.supplyAsync(() -> commandLine.execute(args));
    }

    private void command(String line) throws Exception {
        commands.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        commands.flush();
    }

    private JsonObject report() throws Exception {
        try (JsonReader reader = Json.createReader(Files.newBufferedReader(json))) {
            return reader.readObject();
        }
    }

    @Test
    public void shouldReportAFaultlessRunWithItsMarks() throws Exception {
        CompletableFuture<Integer> exit = run("--connections", "2", "--think-millis", "1");
        server.awaitWrites(10);
        command("mark primary killed");
        command("stop");
        assertEquals(err.toString(), 0, (int) exit.get());
        assertTrue(report().getBoolean("clean"));
        assertEquals(2, report().getInt("connections"));
        assertTrue(report().getInt("acknowledgedWrites") > 0);
        assertEquals("primary killed", report().getJsonArray("outages").getJsonObject(0).getString("mark"));
        assertTrue(out.toString(), out.toString().contains("writes="));
    }

    @Test
    public void shouldFailTheRunWhenAWriteWasLost() throws Exception {
        CompletableFuture<Integer> exit = run("--connections", "2", "--think-millis", "1");
        server.dropAppends(1);
        server.awaitWrites(10);
        command("stop");
        assertEquals(1, (int) exit.get());
        assertEquals(1, report().getInt("lostWrites"));
        assertFalse(report().getBoolean("clean"));
    }

    @Test
    public void shouldNotBlameARestartThatWasAnnounced() throws Exception {
        CompletableFuture<Integer> exit = run("--connections", "2", "--think-millis", "1", "--service", "redis");
        server.awaitWrites(10);
        command("restart power lost");
        server.awaitConnections(4);
        server.awaitWrites(10);
        command("audit");
        command("stop");
        assertEquals(err.toString(), 0, (int) exit.get());
        assertEquals(0, report().getInt("connectionsBroken"));
        assertEquals("power lost", report().getJsonArray("outages").getJsonObject(0).getString("mark"));
    }

    @Test
    public void shouldStopWhenItsCallerIsGone() throws Exception {
        CompletableFuture<Integer> exit = run("--connections", "1");
        server.awaitWrites(1);
        commands.close();
        assertEquals(0, (int) exit.get());
    }

    @Test
    public void shouldSayWhatIsWrongWithItsOptions() throws Exception {
        assertEquals(2, (int) run("--connections", "0").get());
        assertTrue(err.toString(), err.toString().contains("at least one connection"));
    }

    @Test
    public void shouldFailWithAStatusOfItsOwnWhenThereIsNoServer() throws Exception {
        server.close();
        assertEquals(3, (int) run("--connect-timeout-seconds", "0").get());
        assertTrue(err.toString(), err.toString().contains("no connection to"));
    }
}
