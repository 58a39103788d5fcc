package org.plover.control.cli;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.plover.api.health.Finding;
import org.plover.api.status.EpochRecord;
import org.plover.api.status.DiskVerifyReport;
import org.plover.api.status.VerifyReport;
import org.plover.api.status.VmEvent;
import org.plover.api.status.VmStatus;
import org.plover.control.Appliance;
import org.plover.control.FakeConfigurations;
import org.plover.control.FakeVm;
import org.plover.control.wire.RecordJson;

/** Every command of the command line against a control server on a real socket, in one process. */
public class CliTest {
    @Rule
    public final Appliance appliance = new Appliance();
    @Rule
    public final TemporaryFolder elsewhere = new TemporaryFolder();

    private final FakeVm redis = new FakeVm("redis");
    private final Map<String, String> environment = new HashMap<>();
    private final Map<String, String> properties = new HashMap<>();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private String typed = "";
    private boolean person;
    private Runnable betweenLooks = () -> { };
    private int looksLeft;

    // identity

    @Test
    public void shouldMakeTheKeyOnceForItsOwnerOnlyAndPrintItAsItIsPinned() throws Exception {
        Path data = elsewhere.getRoot().toPath().resolve("new");
        assertEquals(1, plover("identity", "--data", data.toString()));
        assertErr("this appliance has no identity", "'plover init' makes one");
        assertEquals(0, plover("init", "--data", data.toString()));
        assertOut("made this host's key, sha256:");
        assertEquals(0, plover("init", "--data", data.toString()));
        assertOut("this host has its key already, sha256:");
        assertEquals(0, plover("identity", "--name", "alpha", "--data", data.toString()));
        assertTrue(out.toString(), out.toString().matches("alpha=sha256:[0-9a-f]{64}\n"));
        for (String file : List.of("identity.p12", "identity-password")) {
            assertEquals(file, "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(data.resolve(file))));
        }
        try (var files = Files.list(data)) {
            assertEquals("nothing else is left", 2, files.count());
        }
    }

    @Test
    public void shouldChangeTheKeyInTwoSteps() throws Exception {
        String data = elsewhere.getRoot().toPath().resolve("new").toString();
        assertEquals(0, plover("init", "--data", data));
        assertEquals(0, plover("identity", "--data", data));
        String first = out.toString();
        assertEquals(1, plover("identity", "--activate", "--data", data));
        assertErr("no new key was prepared", "plover identity --prepare");
        assertEquals(0, plover("identity", "--prepare", "--data", data));
        String next = out.toString();
        assertFalse(next.equals(first));
        assertEquals(0, plover("identity", "--prepare", "--data", data));
        assertEquals("it is made once", next, out.toString());
        assertEquals(0, plover("identity", "--data", data));
        assertEquals("not in force yet", first, out.toString());
        assertEquals(0, plover("identity", "--activate", "--data", data));
        assertEquals(next, out.toString());
    }

    @Test
    public void shouldBeginAConfigurationAndLeaveAloneWhatIsThere() throws Exception {
        Path host = elsewhere.getRoot().toPath().resolve("host");
        String members = "alpha=replica@192.0.2.1:7400,beta=replica@192.0.2.2:7400,gamma=witness@192.0.2.3:7400";
        String[] rest = {"--config", host.resolve("config").toString(), "--data", host.resolve("data").toString()};
        assertEquals(2, plover("init", "--vm", "redis", "--self", "delta", "--members", members, rest[0], rest[1], rest[2], rest[3]));
        assertErr("--self: which of the members is this host?");
        assertFalse("nothing was made", Files.exists(host));
        assertEquals(2, plover("init", "--vm", "redis", "--self", "alpha", "--members", "alpha=replica@192.0.2.1:7400", rest[0], rest[1], rest[2], rest[3]));
        assertErr("--members: name all three");
        assertEquals(err.toString(), 0, plover("init", "--vm", "redis", "--self", "alpha", "--members", members, rest[0], rest[1], rest[2], rest[3]));
        String vm = Files.readString(host.resolve("config/org.plover.vm~redis.config"));
        assertTrue(vm, vm.startsWith("self=\"alpha\"\nmembers=[\"alpha\\=replica@192.0.2.1:7400\",\"beta\\=replica@"));
        assertTrue(Files.readString(host.resolve("config/org.plover.peers.config")).startsWith("pins=[\"alpha\\=sha256:"));
        Files.writeString(host.resolve("config/org.plover.vm~redis.config"), "mine");
        assertEquals(0, plover("init", "--vm", "redis", "--self", "alpha", "--members", members, rest[0], rest[1], rest[2], rest[3]));
        assertOut("is there already and stays as it is");
        assertEquals("mine", Files.readString(host.resolve("config/org.plover.vm~redis.config")));
    }

    // joining

    private FakeConfigurations invitingAlpha() {
        FakeConfigurations configurations = new FakeConfigurations("redis", Map.of("self", "alpha", "memoryMiB", 256, "members", new String[] {
            "alpha=replica@127.0.0.1:7400", "beta=replica@192.0.2.2:7400", "gamma=witness@192.0.2.3:7400"}));
        appliance.configurationAdmin = configurations.admin();
        assertEquals(0, plover("init"));
        return configurations;
    }

    /** Runs "invite" beside the test, until it waits; its output goes on in the writer. */
    private CompletableFuture<Integer> invite(StringWriter said, String... more) throws Exception {
        List<String> arguments = new java.util.ArrayList<>(List.of("invite", "beta", "--address", "127.0.0.1:0", "--data", appliance.data().toString()));
        arguments.addAll(List.of(more));
        Terminal terminal = new Terminal(new BufferedReader(new StringReader("")), new PrintWriter(said), new PrintWriter(said), false, false);
        CompletableFuture<Integer> ended = CompletableFuture.supplyAsync(() -> Main.run(arguments.toArray(String[]::new), terminal, environment, Map.of()));
        long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!said.toString().contains("Waiting for it") && !ended.isDone()) {
            assertTrue(said.toString(), System.nanoTime() < end);
            Thread.sleep(20);
        }
        return ended;
    }

    private static String token(StringWriter said) {
        return said.toString().lines().filter(line -> line.contains("plover join ")).findFirst().orElseThrow().replace("plover join", "").strip();
    }

    @Test
    public void shouldLetANewHostJoinByAToken() throws Exception {
        FakeConfigurations configurations = invitingAlpha();
        StringWriter said = new StringWriter();
        CompletableFuture<Integer> invitation = invite(said);
        Path beta = elsewhere.getRoot().toPath().resolve("beta");
        Path config = beta.resolve("config");
        assertEquals(err.toString(), 0, plover("join", token(said), "--config", config.toString(), "--data", beta.resolve("data").toString()));
        assertOut("This host is known as beta now, by its key sha256:", "wrote " + config.resolve("org.plover.vm~redis.config"));
        assertEquals(said.toString(), 0, (int) invitation.get(60, java.util.concurrent.TimeUnit.SECONDS));
        assertEquals(0, plover("identity", "--name", "beta", "--data", beta.resolve("data").toString()));
        String pin = out.toString().strip();
        assertEquals(0, plover("identity", "--name", "alpha"));
        assertEquals(List.of(out.toString().strip(), pin), configurations.pins());
        assertTrue(said.toString(), said.toString().contains("Next, on gamma: plover pin " + pin));
        assertTrue(Files.readString(config.resolve("org.plover.vm~redis.config")).contains("self=\"beta\""));
        assertEquals("pins=[" + String.join(",", configurations.pins().stream().map(p -> '"' + p.replace("=", "\\=") + '"').toList()) + "]\n",
                Files.readString(config.resolve("org.plover.peers.config")));
    }

    @Test
    public void shouldNotLetAHostJoinWithoutTheSecretNorTalkToAnotherKeyThanTheTokens() throws Exception {
        FakeConfigurations configurations = invitingAlpha();
        StringWriter said = new StringWriter();
        CompletableFuture<Integer> invitation = invite(said);
        Token good = Token.of(token(said));
        Path beta = elsewhere.getRoot().toPath().resolve("beta");
        String[] rest = {"--config", beta.resolve("config").toString(), "--data", beta.resolve("data").toString()};
        Token guessed = new Token("beta", good.host(), good.port(), good.fingerprint(), Token.newSecret(), good.expiry());
        assertEquals(1, plover("join", guessed.text(), rest[0], rest[1], rest[2], rest[3]));
        assertErr("the token is not of this invitation");
        Token elsewhereKey = new Token("beta", good.host(), good.port(), "sha256:" + "0".repeat(64), good.secret(), good.expiry());
        assertEquals(1, plover("join", elsewhereKey.text(), rest[0], rest[1], rest[2], rest[3]));
        assertErr("cannot join by", "the token names sha256:0000");
        Token old = new Token("beta", good.host(), good.port(), good.fingerprint(), good.secret(), java.time.Instant.now().minusSeconds(1));
        assertEquals(1, plover("join", old.text(), rest[0], rest[1], rest[2], rest[3]));
        assertErr("the token was good until");
        assertEquals(2, plover("join", "plover1.abc", rest[0], rest[1], rest[2], rest[3]));
        assertErr("that is no whole token");
        assertEquals(List.of(), configurations.pins());
        assertFalse(Files.exists(beta.resolve("config")));

        assertEquals(err.toString(), 0, plover("join", good.text(), rest[0], rest[1], rest[2], rest[3]));
        assertEquals(0, (int) invitation.get(60, java.util.concurrent.TimeUnit.SECONDS));
        assertTrue(said.toString(), said.toString().contains("without the token's secret was refused"));
        assertEquals("it is good once", 1, plover("join", good.text(), rest[0], rest[1], rest[2], rest[3]));
    }

    @Test
    public void shouldInviteOnlyWhomTheConfigurationNames() throws Exception {
        invitingAlpha();
        assertEquals(1, plover("invite", "delta"));
        assertErr("no virtual machine here has a member delta");
        assertEquals(1, plover("invite", "alpha"));
        assertErr("alpha is this member itself");
        assertEquals(2, plover("pin", "beta=sha256:12"));
        assertErr("'sha256:12' is no fingerprint");
    }

    // status

    @Test
    public void shouldShowAVmForAPerson() {
        appliance.vms.add(redis);
        assertEquals(0, plover("status"));
        assertOut("redis  PROTECTED", "Both replicas are in sync.", "PRIMARY, as alpha sees it", "3, 48213", "93.4 % of the pages",
                "p50 1.84      p99 6.20      max 14.1 ms", "12 frames, 14.2 KiB, the oldest for 30 ms", "2.0 KiB that the guest has not taken up", "3 verified, all equal",
                "hasher xxh3, policy idle, transport tcp");
        assertOut("  alpha          replica   this member   yes      yes    -           -\n",
                "  beta           replica   connected     yes      yes    now         210 us\n",
                "  gamma          witness   NO CONNECTION -        yes    125 s ago   1.35 ms\n");
        assertEquals("", err.toString());
    }

    @Test
    public void shouldSayLoudlyThatAVmIsNotProtected() {
        redis.status = FakeVm.status("redis", false, "beta has left; start it again.");
        appliance.vms.add(redis);
        assertEquals(0, plover("status"));
        assertOut("redis  NOT PROTECTED\n  beta has left; start it again.\n", "connected     NO       yes    now         210 us");
    }

    @Test
    public void shouldSayPlainlyThatClientsAreSlowed() {
        redis.status = FakeVm.slowed(FakeVm.status("redis", true, "protected, but clients are slowed"), "epochs take 840 ms");
        appliance.vms.add(redis);
        assertEquals(0, plover("status"));
        assertOut("redis  PROTECTED, slowed: epochs take 840 ms\n\n");
        assertEquals(0, plover("status", "--json"));
        assertOut("\"slowed\":\"epochs take 840 ms\"");
    }

    @Test
    public void shouldShowWhatElseIsNotAsItShouldBe() {
        redis.status = FakeVm.status("redis", false, "beta has left.", List.of("output has been held for 5 s", "votes count of alpha only"));
        appliance.vms.add(redis);
        assertEquals(0, plover("status"));
        assertOut("  beta has left.\n  ! output has been held for 5 s\n  ! votes count of alpha only\n\n");
        assertFalse("generations are of interest once there was more than one", out.toString().contains("generation"));
    }

    @Test
    public void shouldPrintStatusAsOneJsonObjectALine() {
        appliance.vms.add(redis);
        appliance.vms.add(new FakeVm("mail"));
        assertEquals(0, plover("status", "--json"));
        String[] lines = out.toString().split("\n");
        assertEquals(2, lines.length);
        assertEquals("mail", json(lines[0]).getString("vm"));
        assertEquals(redis.status, RecordJson.fromJson(VmStatus.class, json(lines[1])));
    }

    @Test
    public void shouldShowAllVmsOrTheOneNamed() {
        appliance.vms.add(redis);
        appliance.vms.add(new FakeVm("mail"));
        assertEquals(0, plover("status"));
        assertOut("redis  PROTECTED", "mail  PROTECTED");
        assertEquals(0, plover("status", "--vm", "mail"));
        assertFalse(out.toString().contains("redis"));
    }

    @Test
    public void shouldSayWhatToDoWhenThereIsNoVm() {
        assertEquals(0, plover("status"));
        assertOut("protects no virtual machine yet", "org.plover.vm~NAME.config");
        assertEquals(2, plover("verify"));
        assertErr("protects no virtual machine yet");
    }

    @Test
    public void shouldAppendALineForEachLookWhenNobodyReadsAlong() {
        appliance.vms.add(redis);
        looksLeft = 2;
        assertEquals(0, plover("status", "--watch"));
        String[] lines = out.toString().split("\n");
        assertEquals(3, lines.length);
        for (String line : lines) {
            assertTrue(line, line.matches("\\d\\d:\\d\\d:\\d\\d redis PROTECTED PRIMARY view 3 epoch 48213 same 93.4 % .* in-sync alpha,beta"));
        }
    }

    @Test
    public void shouldRefreshInPlaceWhenAPersonWatches() {
        appliance.vms.add(redis);
        person = true;
        looksLeft = 1;
        betweenLooks = () -> redis.status = FakeVm.status("redis", false, "beta has left.");
        assertEquals(0, plover("status", "--watch", "0.5"));
        String second = out.toString().substring(out.toString().lastIndexOf("\033[H"));
        assertTrue(second, second.contains("redis  NOT PROTECTED\033[K\n  beta has left.\033[K\n"));
        assertTrue(second, second.endsWith("\033[J"));
    }

    @Test
    public void shouldEndWithThreeWhenTheApplianceGoesAwayWhileWatched() {
        appliance.vms.add(redis);
        looksLeft = 5;
        betweenLooks = () -> {
            try {
                appliance.stop();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        };
        assertEquals(3, plover("status", "--watch"));
        assertErr("has gone away");
    }

    // epochs

    @Test
    public void shouldListTheLastEpochs() {
        redis.epochs = LongStream.rangeClosed(1, 100).mapToObj(FakeVm::epoch).toList();
        appliance.vms.add(redis);
        assertEquals(0, plover("epochs"));
        String[] lines = out.toString().split("\n");
        assertEquals(21, lines.length);
        assertTrue(lines[0], lines[0].matches(" +epoch +view +interval +pause +commit +apply +dirty +same +blocks +same +sent +frames +verified +reason"));
        assertEquals("        81      3     25 ms   1.84 ms   3.10 ms      2 ms     900  93.4%       0      -    12.3 KiB      7 -         idle", lines[1]);
        assertTrue(lines[10], lines[10].contains("equal"));
        assertEquals(lines[0].indexOf("verified"), lines[10].indexOf("equal"));
        assertEquals(lines[0].indexOf("reason"), lines[10].indexOf("idle"));
    }

    @Test
    public void shouldListAllEpochsAfterTheOneNamedAsJson() {
        redis.epochs = LongStream.rangeClosed(1, 100).mapToObj(FakeVm::epoch).toList();
        appliance.vms.add(redis);
        assertEquals(0, plover("epochs", "--since", "40", "--json"));
        String[] lines = out.toString().split("\n");
        assertEquals(60, lines.length);
        assertEquals(FakeVm.epoch(41), RecordJson.fromJson(EpochRecord.class, json(lines[0])));
    }

    @Test
    public void shouldFollowNewEpochsOnceEach() {
        redis.epochs = List.of(FakeVm.epoch(1), FakeVm.epoch(2));
        appliance.vms.add(redis);
        looksLeft = 2;
        betweenLooks = () -> redis.epochs = List.of(FakeVm.epoch(1), FakeVm.epoch(2), FakeVm.epoch(3));
        assertEquals(0, plover("epochs", "--follow", "--json"));
        assertEquals(List.of(1, 2, 3), out.toString().lines().map(line -> json(line).getInt("epoch")).toList());
    }

    @Test
    public void shouldSayWhyThereAreNoEpochs() {
        appliance.vms.add(redis);
        assertEquals(0, plover("epochs"));
        assertOut("No epochs: this member has committed none as primary");
    }

    // verify

    @Test
    public void shouldExitWithZeroOnlyIfAllPagesAreEqual() {
        appliance.vms.add(redis);
        assertEquals(0, plover("verify"));
        assertOut("epoch 48214: 65536 pages compared, all equal");
        redis.verify = () -> CompletableFuture.completedFuture(new VerifyReport(48215, 65536, 2, List.of(17, 99)));
        assertEquals(1, plover("verify"));
        assertOut("epoch 48215: 2 of 65536 pages DIFFER, the first: 17, 99");
        redis.verify = () -> CompletableFuture.completedFuture(new VerifyReport(48216, 0, 0, List.of()));
        assertEquals(1, plover("verify"));
        assertOut("NOTHING was compared");
    }

    @Test
    public void shouldExitWithZeroOnlyIfAllBlocksOfTheDisksAreEqual() {
        appliance.vms.add(redis);
        assertEquals(0, plover("verify", "--disks"));
        assertOut("epochs 48214 to 48230: 131072 blocks of the disks compared, all equal");
        redis.verifyDisks = () -> CompletableFuture.completedFuture(new DiskVerifyReport(1, 2, 100, 1, List.of("disk 0 block 7")));
        assertEquals(1, plover("verify", "--disks"));
        assertOut("1 of 100 blocks of the disks DIFFER, the first: disk 0 block 7");
        redis.verifyDisks = () -> CompletableFuture.completedFuture(new DiskVerifyReport(1, 1, 0, 0, List.of()));
        assertEquals(1, plover("verify", "--disks", "--json"));
        assertOut("\"blocksCompared\":0");
        redis.verifyDisks = () -> CompletableFuture.failedFuture(new IllegalStateException("this guest has no disks"));
        assertEquals(1, plover("verify", "--disks"));
        assertErr("this guest has no disks");
    }

    @Test
    public void shouldCopyDisksToAbsolutePathsAndWriteTheOrderDown() {
        appliance.vms.add(redis);
        assertEquals(0, plover("backup", "/backups/root.img", "data.img"));
        assertOut("backup [/backups/root.img, " + Path.of("data.img").toAbsolutePath().normalize() + "]");
        assertEquals(2, plover("backup"));
    }

    @Test
    public void shouldTakeLengthsInTheUnitsOfTheField() {
        appliance.vms.add(redis);
        redis.order = CompletableFuture::completedFuture;
        assertEquals(0, plover("disk", "grow", "0", "20G"));
        assertOut("grow 0 21474836480");
        assertEquals(0, plover("disk", "grow", "1", "4096"));
        assertOut("grow 1 4096");
        for (String wrong : List.of("20GB", "-1", "1.5T", "99999999T")) {
            assertEquals(2, plover("disk", "grow", "0", wrong));
        }
        assertEquals(2, plover("disk", "grow", "0"));
    }

    @Test
    public void shouldSayThatThereAreNoDisksToRecover() {
        assertEquals(0, plover("disk", "recover"));
        assertOut("No virtual machine has had disks");
        assertEquals(2, plover("disk"));
    }

    @Test
    public void shouldFailIfAnyOfSeveralEpochsDiffers() {
        int[] count = {0};
        redis.verify = () -> CompletableFuture.completedFuture(new VerifyReport(++count[0], 10, count[0] == 2 ? 1 : 0, List.of()));
        appliance.vms.add(redis);
        assertEquals(1, plover("verify", "--epochs", "3", "--json"));
        assertEquals(List.of(0, 1, 0), out.toString().lines().map(line -> json(line).getInt("pagesDiffering")).toList());
    }

    @Test
    public void shouldPassOnWhyAMemberCannotVerify() {
        redis.verify = () -> CompletableFuture.failedFuture(new IllegalStateException("this member is not the primary; ask beta"));
        appliance.vms.add(redis);
        assertEquals(1, plover("verify"));
        assertEquals("plover: redis: this member is not the primary; ask beta\n", err.toString());
    }

    @Test
    public void shouldSayThatThereIsNoResultYet() {
        redis.verify = CompletableFuture::new;
        appliance.vms.add(redis);
        assertEquals(1, plover("verify", "--timeout", "1"));
        assertErr("redis: verify has no result after 1 s; ", "--timeout");
    }

    // switchover

    @Test
    public void shouldSwitchOverWithoutAskingIfToldSo() {
        appliance.vms.add(redis);
        assertEquals(0, plover("switchover", "--yes"));
        assertEquals("beta leads now\n", out.toString());
    }

    @Test
    public void shouldAskAPersonBeforeASwitchover() {
        appliance.vms.add(redis);
        person = true;
        typed = "y\n";
        assertEquals(0, plover("switchover"));
        assertOut("Hand redis over from alpha to its backup? It is protected at the moment. [y/N] ", "beta leads now");
        redis.switchover = () -> {
            throw new AssertionError("nobody said yes");
        };
        typed = "\n";
        assertEquals(1, plover("switchover"));
        assertOut("Nothing was done.");
    }

    @Test
    public void shouldNotSwitchOverWhenNobodyCanBeAsked() {
        appliance.vms.add(redis);
        assertEquals(2, plover("switchover"));
        assertErr("add --yes");
    }

    @Test
    public void shouldListTheVmsWhenItMustBeSaidWhich() {
        appliance.vms.add(redis);
        appliance.vms.add(new FakeVm("mail"));
        assertEquals(2, plover("switchover", "--yes"));
        assertErr("--vm which one of mail, redis");
        assertEquals(2, plover("switchover", "--yes", "--vm", "web"));
        assertErr("no virtual machine 'web' here; there is: mail, redis");
        assertEquals(0, plover("switchover", "--yes", "--vm", "mail"));
    }

    // orders about members, and the last resort

    @Test
    public void shouldShowEventsInPlainWordsAndAsJson() {
        redis.events = List.of(new VmEvent(7, 0, "failover", "beta took over"));
        appliance.vms.add(redis);
        assertEquals(0, plover("events"));
        assertOut("  failover         beta took over\n");
        assertEquals(0, plover("events", "--json"));
        assertEquals("{\"sequence\":7,\"atMillis\":0,\"kind\":\"failover\",\"text\":\"beta took over\"}\n", out.toString());
        assertEquals(0, plover("events", "--since", "7"));
        assertEquals("", out.toString());
    }

    @Test
    public void shouldShowAndChangeSettingsAndSayWhatIsWrongWithAValue() {
        appliance.declare("org.plover.vm", "memoryMiB", "32", "1048576");
        FakeConfigurations configured = new FakeConfigurations("redis", Map.of("memoryMiB", 256));
        appliance.configurationAdmin = configured.admin();
        assertEquals(0, plover("settings"));
        assertOut("org.plover.vm~redis", "*");
        assertEquals(0, plover("settings", "org.plover.vm~redis"));
        assertOut("  memoryMiB = 256 MiB\n      32 to 1048576. ");
        assertEquals(0, plover("settings", "org.plover.vm~redis", "--json"));
        assertOut("\"pid\":\"org.plover.vm~redis\"", "\"value\":256");
        assertEquals(2, plover("set", "org.plover.vm~redis", "memoryMiB=5"));
        assertEquals("plover: memoryMiB: 5 is not within 32 to 1048576\n", err.toString());
        assertEquals(2, plover("set", "org.plover.vm~redis", "memoryMiB"));
        assertErr("'memoryMiB' is not KEY=VALUE");
        assertEquals(2, plover("set", "org.plover.vm~redis"));
        assertErr("say what to set");
        assertEquals(2, plover("settings", "org.plover.nothing"));
        assertErr("there is nothing to configure under 'org.plover.nothing'");
        assertEquals(256, configured.values().get("memoryMiB"));
        assertEquals(0, plover("set", "org.plover.vm~redis", "memoryMiB=512"));
        assertEquals("org.plover.vm~redis: memoryMiB is 512 now\n", out.toString());
        assertEquals(512, configured.values().get("memoryMiB"));
        assertEquals(0, plover("set", "org.plover.vm~redis", "--reset", "memoryMiB"));
        assertFalse(configured.values().containsKey("memoryMiB"));
    }

    @Test
    public void shouldNotAskForAPasswordWhereNobodyCanAnswer() {
        assertEquals(2, plover("user", "add", "ada", "--role", "viewer"));
        assertErr("give it by --password-file");
        assertEquals(2, plover("user"));
        assertErr("say what to do");
        assertEquals(1, plover("user", "list"));
        assertErr("no part that keeps users");
    }

    @Test
    public void shouldTakeAMemberOutAndBringItBackAndWriteBothDown() throws IOException {
        appliance.vms.add(redis);
        assertEquals(0, plover("leave", "beta", "--yes"));
        assertEquals("leave beta\n", out.toString());
        assertEquals(0, plover("join", "beta", "--yes"));
        assertEquals("join beta\n", out.toString());
        List<JsonObject> orders = orders();
        assertEquals(List.of("leave", "leave", "join", "join"), orders.stream().map(o -> o.getString("order")).toList());
        assertEquals("beta", orders.get(0).getJsonObject("arguments").getString("member"));
        assertEquals(System.getProperty("user.name"), orders.get(0).getString("user"));
        assertTrue(orders.get(0).getString("before"), orders.get(0).getString("before").startsWith("alpha is PRIMARY in view 3, epoch 48213, "));
        assertEquals(orders.get(0).getString("id"), orders.get(1).getString("id"));
        assertEquals("done", orders.get(1).getString("result"));
        assertEquals("leave beta", orders.get(1).getString("message"));
    }

    @Test
    public void shouldWriteDownWhyAnOrderWasRefused() throws IOException {
        redis.order = order -> CompletableFuture.failedFuture(new IllegalStateException("this member is not the primary, beta is"));
        appliance.vms.add(redis);
        assertEquals(1, plover("leave", "gamma", "--yes"));
        assertErr("redis: this member is not the primary, beta is");
        assertEquals("refused", orders().get(1).getString("result"));
        assertEquals("redis: this member is not the primary, beta is", orders().get(1).getString("message"));
    }

    @Test
    public void shouldAskBeforeAMemberLeaves() {
        appliance.vms.add(redis);
        assertEquals(2, plover("leave", "beta"));
        assertErr("add --yes");
        person = true;
        typed = "n\n";
        assertEquals(1, plover("leave", "beta"));
        assertOut("Take beta out of the group?", "Nothing was done.");
        assertFalse(Files.exists(appliance.data().resolve("orders.log")));
    }

    @Test
    public void shouldForceAPrimaryOnlyWhenTheNameIsTyped() throws IOException {
        redis.status = FakeVm.status("redis", false, "no majority can be reached");
        appliance.vms.add(redis);
        person = true;
        typed = "yes\n";
        assertEquals(1, plover("force-primary"));
        assertOut("no majority can be reached", "Be sure that beta and gamma are dead or switched off", "125 s ago",
                "Type the name of the virtual machine", "Nothing was done");
        assertFalse(Files.exists(appliance.data().resolve("orders.log")));
        typed = "redis\n";
        assertEquals(0, plover("force-primary", "redis"));
        assertOut("force-primary redis\n");
        assertEquals("redis", orders().get(0).getJsonObject("arguments").getString("confirmation"));
        assertTrue(orders().get(0).getString("before").contains("no majority can be reached"));
    }

    @Test
    public void shouldForceAPrimaryInAScriptOnlyWithTheRightName() {
        appliance.vms.add(redis);
        assertEquals(2, plover("force-primary"));
        assertErr("--confirm");
        assertEquals(2, plover("force-primary", "--confirm", "mail"));
        assertOut("Nothing was done");
        assertEquals(2, plover("force-primary", "mail", "--confirm", "mail"));
        assertErr("no virtual machine 'mail'");
        assertEquals(2, plover("force-primary", "redis", "--vm", "mail", "--confirm", "redis"));
        assertErr("either redis or --vm mail");
        assertEquals(0, plover("force-primary", "--confirm", "redis"));
        appliance.vms.add(new FakeVm("mail"));
        assertEquals(2, plover("force-primary", "--confirm", "redis"));
        assertErr("mail, redis");
    }

    @Test
    public void shouldReplaceAMemberAndSayWhatToPutOnTheNewHost() {
        appliance.vms.add(redis);
        FakeConfigurations configurations = new FakeConfigurations("redis", Map.of(
                "self", "alpha", "memoryMiB", 256, "kernelArguments", "console=ttyS0 quiet", ".plover.configuration.file", "x.config",
                "members", new String[] {"alpha=replica@192.0.2.1:7400", "beta=replica@192.0.2.2:7400", "gamma=witness@192.0.2.3:7400"}));
        appliance.configurationAdmin = configurations.admin();
        assertEquals(0, plover("replace", "beta", "192.0.2.7:7400", "--yes"));
        assertOut("leave beta\n", "alpha looks for beta at 192.0.2.7:7400 from now on", "plover replace beta 192.0.2.7:7400", "plover join beta",
                """
                       kernelArguments="console\\=ttyS0 quiet"
                       members=["alpha\\=replica@192.0.2.1:7400","beta\\=replica@192.0.2.7:7400","gamma\\=witness@192.0.2.3:7400"]
                       memoryMiB=I"256"
                       self="beta"
                """);
        assertEquals("beta=replica@192.0.2.7:7400", ((String[]) configurations.values().get("members"))[1]);
        assertEquals("the other keys stay", "alpha", configurations.values().get("self"));
        assertEquals("x.config", configurations.values().get(".plover.configuration.file"));
    }

    @Test
    public void shouldChangeNothingForAReplacementThatCannotBe() {
        appliance.vms.add(redis);
        redis.order = order -> {
            throw new AssertionError("nobody may leave");
        };
        assertEquals(2, plover("replace", "beta", "nowhere", "--yes"));
        assertErr("'nowhere' is not HOST:PORT");
        assertEquals(2, plover("replace", "delta", "192.0.2.7:7400", "--yes"));
        assertErr("no member delta; the members are alpha, beta, gamma");
        assertEquals(1, plover("replace", "alpha", "192.0.2.7:7400", "--yes"));
        assertErr("alpha is this member itself");
    }

    private List<JsonObject> orders() throws IOException {
        return Files.readAllLines(appliance.data().resolve("orders.log")).stream().map(CliTest::json).toList();
    }

    // doctor

    @Test
    public void shouldShowFindingsWithTheirRemedies() {
        appliance.checks.add(() -> List.of(Finding.ok("QEMU version", "8.2.2"),
                Finding.warning("KVM", "not usable, TCG is slow", "enable virtualisation in the firmware")));
        assertEquals(0, plover("doctor"));
        assertEquals("""
                [ok]   QEMU version: 8.2.2
                [warn] KVM: not usable, TCG is slow
                       -> enable virtualisation in the firmware

                This host can protect virtual machines, with 1 warning.
                """, out.toString());
    }

    @Test
    public void shouldExitWithOneIfAFindingIsAnError() {
        appliance.checks.add(() -> List.of(Finding.error("QEMU", "not found", "install qemu-system-x86")));
        assertEquals(1, plover("doctor"));
        assertOut("[FAIL] QEMU: not found\n       -> install qemu-system-x86\n", "cannot protect");
        assertEquals(1, plover("doctor", "--json"));
        assertEquals("ERROR", json(out.toString()).getString("level"));
    }

    @Test
    public void shouldStartAnApplianceForTheCheckIfNoneRuns() throws IOException {
        appliance.stop();
        launcher("""
                echo "12:00 INFO starting"
                echo "arguments: $*" >&2
                echo '----- plover findings begin -----'
                echo '[{"level":"OK","subject":"arguments","text":"'"$*"'","remedy":""}]'
                echo '----- plover findings end -----'
                """);
        assertEquals(0, plover("doctor"));
        assertOut("[ok]   arguments: run --check --data " + appliance.data());
        assertErr("one is started for the check");
    }

    @Test
    public void shouldShowTheLastLinesOfACheckThatDidNotComeUp() throws IOException {
        appliance.stop();
        launcher("echo 'plover: java is version 11; Plover needs 17 or newer' >&2; exit 1");
        assertEquals(1, plover("doctor"));
        assertErr("ended without findings", "java is version 11");
    }

    @Test
    public void shouldSayHowToCheckWithoutAnApplianceWhenThereIsNoLauncher() throws IOException {
        appliance.stop();
        assertEquals(3, plover("doctor"));
        assertErr("no appliance runs here", "bin/plover");
    }

    // finding the appliance

    @Test
    public void shouldExitWithThreeIfThereIsNoSocket() throws IOException {
        appliance.stop();
        assertEquals(3, plover("status"));
        assertErr("no appliance runs here: there is no socket " + appliance.socket(), "plover run");
        assertEquals(1, err.toString().lines().count());
    }

    @Test
    public void shouldExitWithThreeIfTheSocketIsOfADeadProcess() throws IOException {
        appliance.stop();
        ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(appliance.socket())).close();
        assertEquals(3, plover("status"));
        assertErr("has ended", "plover run");
    }

    @Test
    public void shouldExitWithOneIfTheApplianceHangs() throws IOException {
        appliance.stop();
        try (var deaf = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(appliance.socket()));
             ControlClient client = ControlClient.connect(appliance.socket())) {
            assertTrue(deaf.isOpen());
            CliException failure = assertThrows(CliException.class,
                    () -> client.call(ControlClient.request("status"), 1));
            assertEquals(1, failure.exitCode());
            assertTrue(failure.getMessage(), failure.getMessage().contains("has not answered"));
        }
    }

    @Test
    public void shouldFindTheApplianceByOptionPropertyEnvironmentOrHome() throws IOException {
        String data = appliance.data().toString();
        assertEquals(0, run("status", "--data", data));
        assertEquals(0, run("--data", data, "status"));
        assertEquals(0, run("status", "--socket", data + "/plover.sock"));
        environment.put("PLOVER_DATA", data);
        assertEquals(0, run("status"));
        environment.clear();
        properties.put("plover.data", data);
        assertEquals(0, run("status"));
        properties.clear();
        Path home = elsewhere.getRoot().toPath();
        Files.createSymbolicLink(home.resolve("data"), appliance.data());
        properties.put("plover.home", home.toString());
        assertEquals(0, run("status"));
    }

    // help

    @Test
    public void shouldExplainEveryCommandWithAnExample() {
        for (String command : List.of("run", "init", "identity", "invite", "pin", "status", "epochs", "verify", "switchover", "leave", "join", "replace", "force-primary",
                "doctor")) {
            assertEquals(0, plover("help", command));
            assertOut("Example: plover " + command, "plover " + command + " ");
            assertEquals(0, run(command, "--help"));
            assertOut("Example: plover " + command);
        }
        assertEquals(0, plover("help"));
        assertOut("status ", "epochs ", "verify ", "switchover ", "doctor ", "run ", "Exit codes: 0 done");
    }

    @Test
    public void shouldExplainForRunOnlyWhatTheLauncherTakes() {
        assertEquals(0, plover("help", "run"));
        assertOut("--config=DIR", "--data=DIR", "--http-port=N", "--name=NAME", "--property=K=V", "--check");
        assertFalse(out.toString().contains("--socket"));
    }

    @Test
    public void shouldPrintItsVersion() {
        assertEquals(0, run("--version"));
        assertOut("plover ", "Java " + Runtime.version());
    }

    @Test
    public void shouldExitWithTwoAndHintAtTheHelpIfTheCommandLineIsWrong() {
        assertEquals(2, run("status", "--jason"));
        assertErr("plover: Unknown option: '--jason'", "'plover help status'");
        assertEquals(2, run("stats"));
        assertErr("stats", "status", "'plover help'");
        assertEquals(2, run());
        assertErr("say which command", "'plover help'");
        assertEquals(2, run("verify", "--epochs", "many"));
        assertErr("--epochs", "'plover help verify'");
        assertEquals(2, plover("verify", "--epochs", "0"));
        assertErr("should be 1 or more");
        assertEquals(2, plover("status", "--watch", "0"));
        assertErr("0.1 to 3600");
        assertEquals(2, run("run"));
        assertErr("bin/plover");
    }

    private int plover(String... arguments) {
        properties.put("plover.data", appliance.data().toString());
        return run(arguments);
    }

    private int run(String... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        BufferedReader in = new BufferedReader(new StringReader(typed));
        Terminal terminal = new Terminal(in, new PrintWriter(out), new PrintWriter(err), person, person) {
            @Override
            boolean pause(Duration duration) {
                betweenLooks.run();
                return looksLeft-- > 0;
            }
        };
        environment.put("NO_COLOR", "1");
        return Main.run(arguments, terminal, environment, properties);
    }

    private void launcher(String script) throws IOException {
        Path launcher = elsewhere.newFolder("bin").toPath().resolve("plover");
        Files.writeString(launcher, "#!/bin/sh\n" + script);
        Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
        properties.put("plover.home", elsewhere.getRoot().toString());
    }

    private void assertOut(String... parts) {
        for (String part : parts) {
            assertTrue("'" + part + "' is not in:\n" + out + err, out.toString().contains(part));
        }
    }

    private void assertErr(String... parts) {
        for (String part : parts) {
            assertTrue("'" + part + "' is not in:\n" + err + out, err.toString().contains(part));
        }
    }

    private static JsonObject json(String line) {
        return Json.createReader(new StringReader(line)).readObject();
    }
}
