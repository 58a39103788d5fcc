package org.plover.control;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.StringReader;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.Rule;
import org.junit.Test;
import org.plover.api.status.VerifyReport;
import org.plover.control.wire.Protocol;

public class ControlServerTest {
    @Rule
    public final Appliance appliance = new Appliance();

    @Test
    public void shouldAnswerOneLineForEachLine() throws IOException {
        appliance.vms.add(new FakeVm("redis"));
        try (Client client = new Client()) {
            client.send("{\"command\":\"hello\"}\n{\"command\":\"status\"}\n");
            JsonObject hello = client.answer().getJsonObject("result");
            assertEquals(ProcessHandle.current().pid(), hello.getJsonNumber("pid").longValue());
            assertEquals("[\"redis\"]", hello.getJsonArray("vms").toString());
            assertEquals("redis", client.answer().getJsonArray("result").getJsonObject(0).getString("vm"));
        }
    }

    @Test
    public void shouldSayWhatIsWrongWithARequestAndGoOn() throws IOException {
        appliance.vms.add(new FakeVm("redis"));
        try (Client client = new Client()) {
            assertError(client.ask("not json"), "bad-request", "one JSON object");
            assertError(client.ask("[1]"), "bad-request", "one JSON object");
            assertError(client.ask("{}"), "bad-request", "names no \"command\"");
            assertError(client.ask("{\"command\":7}"), "bad-request", "must be a string");
            assertError(client.ask("{\"command\":\"shutdown\"}"), "unknown-command", "no command 'shutdown'");
            assertError(client.ask("{\"command\":\"epochs\",\"since\":\"x\"}"), "bad-request", "whole number");
            assertError(client.ask("{\"command\":\"verify\",\"timeoutSeconds\":0}"), "bad-request", "1 to 3600");
            assertError(client.ask("{\"command\":\"status\",\"vm\":\"mail\"}"), "unknown-vm", "there is: redis");
            assertTrue(client.ask("{\"command\":\"hello\"}").getBoolean("ok"));
        }
    }

    @Test
    public void shouldAskWhichVmWhenThereAreSeveral() throws IOException {
        appliance.vms.add(new FakeVm("redis"));
        appliance.vms.add(new FakeVm("mail"));
        try (Client client = new Client()) {
            assertError(client.ask("{\"command\":\"verify\"}"), "which-vm", "mail, redis");
            assertTrue(client.ask("{\"command\":\"verify\",\"vm\":\"mail\"}").getBoolean("ok"));
        }
    }

    @Test
    public void shouldCutOffARequestWithoutEnd() throws IOException {
        try (Client client = new Client()) {
            client.send("x".repeat(Protocol.REQUEST_BYTES_MAX + 1));
            assertError(client.answer(), "bad-request", "at most 65536 bytes");
            assertNull(client.in.readLine());
        }
    }

    @Test
    public void shouldAnswerOthersWhileOneWaits() throws Exception {
        FakeVm vm = new FakeVm("redis");
        CompletableFuture<VerifyReport> pending = new CompletableFuture<>();
        CountDownLatch asked = new CountDownLatch(1);
        vm.verify = () -> {
            asked.countDown();
            return pending;
        };
        appliance.vms.add(vm);
        try (Client waiting = new Client(); Client other = new Client()) {
            waiting.send("{\"command\":\"verify\"}\n");
            assertTrue(asked.await(5, TimeUnit.SECONDS));
            assertTrue(other.ask("{\"command\":\"status\"}").getBoolean("ok"));
            pending.complete(new VerifyReport(5, 10, 0, List.of()));
            assertEquals(5, waiting.answer().getJsonObject("result").getInt("epoch"));
        }
    }

    @Test
    public void shouldGiveEveryOfManyClientsItsOwnAnswers() throws Exception {
        for (int i = 0; i < 8; i++) {
            appliance.vms.add(new FakeVm("vm" + i));
        }
        var threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<Integer>> runs = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                String name = "vm" + i;
                runs.add(threads.submit(() -> askManyTimes(name, 50)));
            }
            for (Future<Integer> run : runs) {
                assertEquals(50, (int) run.get(20, TimeUnit.SECONDS));
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private int askManyTimes(String name, int times) throws IOException {
        int right = 0;
        try (Client client = new Client()) {
            for (int i = 0; i < times; i++) {
                JsonObject answer = client.ask("{\"command\":\"status\",\"vm\":\"" + name + "\"}");
                right += name.equals(answer.getJsonArray("result").getJsonObject(0).getString("vm")) ? 1 : 0;
            }
        }
        return right;
    }

    @Test
    public void shouldTurnAwayOneClientTooManyAndTellIt() throws IOException {
        List<Client> clients = new ArrayList<>();
        try {
            for (int i = 0; i < ControlServer.CLIENTS_MAX; i++) {
                clients.add(new Client());
                assertTrue(clients.get(i).ask("{\"command\":\"hello\"}").getBoolean("ok"));
            }
            try (Client tooMany = new Client()) {
                assertError(tooMany.answer(), "refused", "32 clients");
            }
        } finally {
            for (Client client : clients) {
                client.close();
            }
        }
    }

    @Test
    public void shouldCutOffItsClientsWhenItCloses() throws Exception {
        FakeVm vm = new FakeVm("redis");
        CountDownLatch asked = new CountDownLatch(1);
        vm.switchover = () -> {
            asked.countDown();
            return new CompletableFuture<>();
        };
        appliance.vms.add(vm);
        try (Client idle = new Client(); Client waiting = new Client()) {
            assertTrue(idle.ask("{\"command\":\"hello\"}").getBoolean("ok"));
            waiting.send("{\"command\":\"switchover\"}\n");
            assertTrue(asked.await(5, TimeUnit.SECONDS));
            appliance.stop();
            assertNull(idle.in.readLine());
            assertNull(waiting.in.readLine());
        }
        assertFalse(appliance.socket().toFile().exists());
    }

    @Test
    public void shouldTurnAFaultOfAVmIntoAnAnswer() throws IOException {
        FakeVm vm = new FakeVm("redis");
        vm.status = null;
        vm.verify = () -> CompletableFuture.failedFuture(new ArithmeticException("broken"));
        vm.switchover = () -> {
            throw new IllegalStateException("beta is not in sync");
        };
        appliance.vms.add(vm);
        try (Client client = new Client()) {
            assertError(client.ask("{\"command\":\"status\"}"), "failed", "NullPointerException");
            assertError(client.ask("{\"command\":\"verify\"}"), "failed", "broken");
            assertError(client.ask("{\"command\":\"switchover\"}"), "refused", "redis: beta is not in sync");
        }
    }

    private static void assertError(JsonObject answer, String code, String part) {
        assertFalse(answer.toString(), answer.getBoolean("ok"));
        assertEquals(code, answer.getString("code"));
        assertTrue(answer.getString("error"), answer.getString("error").contains(part));
    }

    /** A client without any of the production code. */
    private final class Client implements Closeable {
        final SocketChannel channel;
        final BufferedReader in;

        Client() throws IOException {
            channel = SocketChannel.open(UnixDomainSocketAddress.of(appliance.socket()));
            in = new BufferedReader(new InputStreamReader(Channels.newInputStream(channel), StandardCharsets.UTF_8));
        }

        void send(String text) throws IOException {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        }

        JsonObject answer() throws IOException {
            return Json.createReader(new StringReader(in.readLine())).readObject();
        }

        JsonObject ask(String line) throws IOException {
            send(line + "\n");
            return answer();
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
