package org.plover.control;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.io.StringReader;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.osgi.service.metatype.AttributeDefinition;
import org.plover.api.control.AccessRole;
import org.plover.api.control.Caller;
import org.plover.api.status.ProgressingFuture;
import org.plover.api.status.DiskVerifyReport;
import org.plover.api.status.VmEvent;

/** What each role may ask, operations that nobody waits for, and settings. */
public class CommandsTest {
    private static final Caller VIEWER = new Caller("vera", "test", AccessRole.VIEWER);
    private static final Caller OPERATOR = new Caller("otto", "test", AccessRole.OPERATOR);
    private static final Caller ADMINISTRATOR = new Caller("ada", "test", AccessRole.ADMINISTRATOR);
    private static final String PID = "org.plover.vm~redis";

    @Rule
    public final Appliance appliance = new Appliance();
    private final FakeVm redis = new FakeVm("redis");
    private final FakeConfigurations configured = new FakeConfigurations("redis", Map.of("memoryMiB", 256, "kernel", "/k"));
    private Commands commands;

    @Before
    public void start() {
        appliance.vms.add(redis);
        appliance.configurationAdmin = configured.admin();
        appliance.metatype.put("org.plover.vm", new Metatype.Pid("org.plover.vm", true, "Protected VM", "", List.of(
                attribute("memoryMiB", AttributeDefinition.INTEGER, "32", "1048576"),
                attribute("kernel", AttributeDefinition.STRING, "", ""),
                attribute("legacy", AttributeDefinition.BOOLEAN, "", ""),
                new Metatype.Attribute("nics", "", "", AttributeDefinition.STRING, true, List.of(), "", "", List.of()),
                new Metatype.Attribute("joinToken", "", "", AttributeDefinition.STRING, false, List.of(), "", "", List.of()))));
        commands = appliance.commands();
    }

    private static Metatype.Attribute attribute(String key, int type, String min, String max) {
        return new Metatype.Attribute(key, key, "what it is for", type, false, List.of(), min, max, List.of());
    }

    // roles

    @Test
    public void shouldLetEveryRoleDoWhatItMayAndNothingMore() throws Exception {
        for (String look : List.of("hello", "status", "epochs", "events", "doctor", "settings", "operations")) {
            assertTrue(look, ask(VIEWER, "{'command':'" + look + "'}").getBoolean("ok"));
        }
        List<String> forOperators = List.of("'command':'switchover'", "'command':'verify'", "'command':'verify-disks'",
                "'command':'backup','files':['/f']", "'command':'leave','member':'beta'", "'command':'join','member':'beta'");
        for (String order : forOperators) {
            assertForbidden(ask(VIEWER, "{" + order + "}"));
            assertForbidden(ask(VIEWER, "{" + order.replace("command", "kind") + ",'command':'start'}"));
            assertTrue(order, ask(OPERATOR, "{" + order + "}").getBoolean("ok"));
        }
        for (String order : List.of("'command':'force-primary','confirmation':'redis'", "'command':'replace','member':'beta','address':'h:1'",
                "'command':'set','pid':'" + PID + "','values':{'memoryMiB':64}", "'command':'users'", "'command':'user-unlock','name':'vera'")) {
            assertForbidden(ask(VIEWER, "{" + order + "}"));
            assertForbidden(ask(OPERATOR, "{" + order + "}"));
        }
        assertForbidden(ask(OPERATOR, "{'command':'start','kind':'force-primary','confirmation':'redis'}"));
        assertEquals("nothing was changed", 256, configured.values().get("memoryMiB"));
        assertTrue(ask(ADMINISTRATOR, "{'command':'force-primary','confirmation':'redis'}").getBoolean("ok"));
    }

    private static void assertForbidden(JsonObject answer) {
        assertFalse(answer.toString(), answer.getBoolean("ok"));
        assertEquals(answer.toString(), "forbidden", answer.getString("code"));
    }

    @Test
    public void shouldWriteDownWhoGaveAnOrderThroughWhichDoor() throws Exception {
        ask(OPERATOR, "{'command':'switchover'}");
        String line = Files.readAllLines(appliance.data().resolve("orders.log")).get(0);
        assertTrue(line, line.contains("\"user\":\"otto\",\"door\":\"test\""));
    }

    @Test
    public void shouldGiveEventsAfterTheOneNamed() throws Exception {
        redis.events = List.of(new VmEvent(7, 1000, "failover", "beta took over"), new VmEvent(9, 2000, "protected", "all is well"));
        var events = ask(VIEWER, "{'command':'events','since':7}").getJsonArray("result");
        assertEquals("[{\"sequence\":9,\"atMillis\":2000,\"kind\":\"protected\",\"text\":\"all is well\"}]", events.toString());
    }

    // operations

    @Test
    public void shouldShowAnOperationsProgressAndItsResult() throws Exception {
        ProgressingFuture<DiskVerifyReport> work = new ProgressingFuture<>();
        redis.verifyDisks = () -> work;
        JsonObject begun = result(ask(OPERATOR, "{'command':'start','kind':'verify-disks'}"));
        assertEquals("running", begun.getString("state"));
        work.reached(40);
        await(begun, operation -> operation.getInt("progressPercent") == 40);
        work.complete(new DiskVerifyReport(5, 6, 100, 0, List.of()));
        JsonObject ended = await(begun, operation -> !operation.getString("state").equals("running"));
        assertEquals("done", ended.getString("state"));
        assertEquals(100, ended.getInt("progressPercent"));
        assertEquals("otto", ended.getString("user"));
        assertFalse(ended.isNull("result"));
        assertEquals(ended, ask(VIEWER, "{'command':'operations'}").getJsonArray("result").getJsonObject(0));
    }

    @Test
    public void shouldCancelWhatCanBeCancelledAndRefuseWhatCannot() throws Exception {
        CompletableFuture<DiskVerifyReport> work = new CompletableFuture<>();
        redis.verifyDisks = () -> work;
        CompletableFuture<String> handover = new CompletableFuture<>();
        redis.switchover = () -> handover;
        JsonObject verify = result(ask(OPERATOR, "{'command':'start','kind':'verify-disks'}"));
        JsonObject switchover = result(ask(OPERATOR, "{'command':'start','kind':'switchover'}"));
        assertForbidden(ask(VIEWER, "{'command':'cancel','id':'" + verify.getString("id") + "'}"));
        assertTrue(ask(OPERATOR, "{'command':'cancel','id':'" + verify.getString("id") + "'}").getBoolean("ok"));
        assertEquals("cancelled", await(verify, operation -> !operation.getString("state").equals("running")).getString("state"));
        assertTrue(work.isCancelled());
        assertEquals("refused", ask(OPERATOR, "{'command':'cancel','id':'" + switchover.getString("id") + "'}").getString("code"));
        handover.completeExceptionally(new IllegalStateException("beta is not in sync"));
        JsonObject failed = await(switchover, operation -> !operation.getString("state").equals("running"));
        assertEquals("failed", failed.getString("state"));
        assertEquals("redis: beta is not in sync", failed.getString("message"));
    }

    @Test
    public void shouldNotBeginWhatLacksSomething() throws Exception {
        assertEquals("bad-request", ask(OPERATOR, "{'command':'start','kind':'leave'}").getString("code"));
        assertEquals("bad-request", ask(OPERATOR, "{'command':'start','kind':'status'}").getString("code"));
        assertEquals("unknown-vm", ask(OPERATOR, "{'command':'start','kind':'verify','vm':'mail'}").getString("code"));
        assertEquals("not-found", ask(OPERATOR, "{'command':'operation','id':'99'}").getString("code"));
        assertEquals("[]", ask(OPERATOR, "{'command':'operations'}").getJsonArray("result").toString());
    }

    private JsonObject await(JsonObject begun, java.util.function.Predicate<JsonObject> condition) throws Exception {
        JsonObject now;
        do {
            Thread.sleep(5);
            now = result(ask(VIEWER, "{'command':'operation','id':'" + begun.getString("id") + "'}"));
        } while (!condition.test(now));
        return now;
    }

    // settings

    @Test
    public void shouldSetInTheTypeThatTheKeyHas() throws Exception {
        String set = "{'command':'set','pid':'" + PID + "','values':{'memoryMiB':'512','legacy':'true','nics':['a','b']}}";
        assertEquals(PID + ": legacy is true now, memoryMiB is 512 now, nics is [a, b] now", result(ask(ADMINISTRATOR, set)).getString("message"));
        assertEquals(512, configured.values().get("memoryMiB"));
        assertEquals(true, configured.values().get("legacy"));
        assertEquals(List.of("a", "b"), List.of((Object[]) configured.values().get("nics")));
        assertEquals("what was there stays", "/k", configured.values().get("kernel"));
        result(ask(ADMINISTRATOR, "{'command':'set','pid':'" + PID + "','values':{'memoryMiB':null,'nics':''}}"));
        assertFalse(configured.values().containsKey("memoryMiB"));
        assertEquals(0, ((Object[]) configured.values().get("nics")).length);
    }

    @Test
    public void shouldRefuseAWrongValueWithASentenceAndChangeNothing() throws Exception {
        Map<String, Object> before = configured.values();
        assertEquals("memoryMiB: 5 is not within 32 to 1048576", refused("'memoryMiB':5"));
        assertEquals("memoryMiB: 'much' is not a whole number that fits", refused("'memoryMiB':'much'"));
        assertEquals("memoryMiB: '99999999999' is not a whole number that fits", refused("'memoryMiB':99999999999"));
        assertEquals("memoryMiB: takes one value, not 2", refused("'memoryMiB':[64,65]"));
        assertEquals("legacy: 'maybe' is neither true nor false", refused("'legacy':'maybe'"));
        assertTrue(refused("'memory':64").contains("org.plover.vm has no key 'memory'; it has memoryMiB, kernel"));
        appliance.settingsChecks.put("org.plover.vm", (pid, values) -> {
            throw new IllegalArgumentException(pid + " does not like " + values.get("kernel"));
        });
        assertEquals(PID + " does not like /other", refused("'kernel':'/other','memoryMiB':64"));
        assertEquals(before, configured.values());
    }

    @Test
    public void shouldNotJudgeWhatStandsForAnotherText() throws Exception {
        appliance.settingsChecks.put("org.plover.vm", (pid, values) -> {
            throw new IllegalArgumentException("what is " + values.get("kernel"));
        });
        result(ask(ADMINISTRATOR, "{'command':'set','pid':'" + PID + "','values':{'kernel':'$[env:KERNEL]'}}"));
        assertEquals("$[env:KERNEL]", configured.values().get("kernel"));
        assertEquals("memoryMiB: 5 is not within 32 to 1048576", refused("'memoryMiB':5"));
    }

    private String refused(String values) throws Exception {
        JsonObject answer = ask(ADMINISTRATOR, "{'command':'set','pid':'" + PID + "','values':{" + values + "}}");
        assertFalse(answer.toString(), answer.getBoolean("ok"));
        return answer.getString("error");
    }

    @Test
    public void shouldNeverShowASecret() throws Exception {
        String set = "{'command':'set','pid':'" + PID + "','values':{'joinToken':'sesame'}}";
        JsonObject done = ask(ADMINISTRATOR, set);
        assertEquals("sesame", configured.values().get("joinToken"));
        JsonObject listed = ask(ADMINISTRATOR, "{'command':'settings','pid':'" + PID + "'}");
        assertTrue(listed.toString(), listed.toString().contains("joinToken"));
        for (String text : List.of(done.toString(), listed.toString(), Files.readString(appliance.data().resolve("orders.log")))) {
            assertFalse(text, text.contains("sesame"));
        }
    }

    @Test
    public void shouldListTheTemplateAndWhatWasMadeOfIt() throws Exception {
        var listed = ask(VIEWER, "{'command':'settings'}").getJsonArray("result");
        assertEquals(2, listed.size());
        assertTrue(listed.getJsonObject(0).getBoolean("template"));
        JsonObject one = listed.getJsonObject(1);
        assertEquals(PID, one.getString("pid"));
        JsonObject memory = one.getJsonArray("settings").getJsonObject(0);
        assertEquals("{\"key\":\"memoryMiB\",\"name\":\"memoryMiB\",\"help\":\"what it is for\",\"type\":\"integer\",\"list\":false,\"unit\":\"MiB\","
                + "\"min\":\"32\",\"max\":\"1048576\",\"options\":[],\"defaultValue\":null,\"secret\":false,\"configured\":true,\"value\":256}",
                memory.toString());
    }

    @Test
    public void shouldTellTheUnitByTheKey() {
        assertEquals("ms", SettingsCommands.unit("intervalMillisMax"));
        assertEquals("bytes", SettingsCommands.unit("heldBytesMax"));
        assertEquals("MiB", SettingsCommands.unit("copyMiBPerSecondMax"));
        assertEquals("", SettingsCommands.unit("policy"));
    }

    private static JsonObject result(JsonObject answer) {
        assertTrue(answer.toString(), answer.getBoolean("ok"));
        return answer.getJsonObject("result");
    }

    private JsonObject ask(Caller caller, String request) throws InterruptedException {
        return Json.createReader(new StringReader(commands.answer(request.replace('\'', '"'), caller))).readObject();
    }
}
