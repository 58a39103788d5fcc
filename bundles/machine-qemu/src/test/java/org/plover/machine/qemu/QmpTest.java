package org.plover.machine.qemu;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import jakarta.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.plover.api.machine.MachineException;

public class QmpTest implements Qmp.Events {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();
    private final BlockingQueue<String> events = new LinkedBlockingQueue<>();
    private final CountDownLatch end = new CountDownLatch(1);
    private SocketPair pair;
    private Qmp qmp;

    @Before
    public void connect() throws Exception {
        pair = new SocketPair(folder.getRoot().toPath().resolve("qmp"));
        qmp = new Qmp(pair.fd, "test-qmp", this);
        qemuSays("{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}}, \"capabilities\": [\"oob\"]}}\r\n");
        CompletableFuture<String> asked = CompletableFuture.supplyAsync(() -> {
            try {
                String command = pair.readLine();
                qemuSays("{\"return\": {}}\r\n");
                return command;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        assertEquals("7.2.22", qmp.handshake(5000));
        assertEquals("{\"execute\":\"qmp_capabilities\"}", asked.get());
    }

    @After
    public void disconnect() throws Exception {
        pair.close();
        qmp.close();
    }

    @Override
    public void onEvent(String name, JsonObject data) {
        events.add(name + data);
    }

    @Override
    public void onEnd() {
        end.countDown();
    }

    private void qemuSays(String text) throws Exception {
        pair.write(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    public void shouldMatchAnswersToCommandsSentAheadOfThem() throws Exception {
        Qmp.Reply stop = qmp.send("stop", "{\"execute\":\"stop\"}");
        Qmp.Reply status = qmp.send("query-status", "{\"execute\":\"query-status\"}");
        assertEquals("{\"execute\":\"stop\"}", pair.readLine());
        assertEquals("{\"execute\":\"query-status\"}", pair.readLine());
        qemuSays("{\"timestamp\": {\"seconds\": 1}, \"event\": \"STOP\"}\r\n{\"return\": {}}\r\n{\"return\": {\"status\": ");
        assertEquals(0, stop.await(5000).size());
        qemuSays("\"paused\"}}\r\n");
        assertEquals("paused", status.await(5000).getString("status"));
        assertEquals("STOP{}", events.poll(5, TimeUnit.SECONDS));
    }

    @Test
    public void shouldReportWhatQemuSaysIsWrong() throws Exception {
        Qmp.Reply reply = qmp.send("cont", "{\"execute\":\"cont\"}");
        qemuSays("{\"error\": {\"class\": \"GenericError\", \"desc\": \"no way\"}}\r\n");
        MachineException e = assertThrows(MachineException.class, () -> reply.awaitValue(5000));
        assertEquals("cont failed: no way", e.getMessage());
    }

    @Test
    public void shouldFailWhatIsAwaitedWhenQemuEnds() throws Exception {
        Qmp.Reply reply = qmp.send("stop", "{\"execute\":\"stop\"}");
        pair.readLine();
        pair.close();
        assertThrows(MachineException.class, () -> reply.awaitValue(5000));
        assertTrue(end.await(5, TimeUnit.SECONDS));
        assertThrows(MachineException.class, () -> qmp.execute("cont", 5000));
    }

    @Test
    public void shouldNotWaitForeverForAnAnswer() {
        MachineException e = assertThrows(MachineException.class, () -> qmp.execute("stop", 20));
        assertTrue(e.getMessage(), e.getMessage().contains("has not answered stop within 20 ms"));
    }
}
