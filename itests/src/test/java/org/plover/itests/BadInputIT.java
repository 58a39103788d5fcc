package org.plover.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.After;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** What an operator can do wrong: each gets a sentence that says what is wrong and what to do, and leaves nothing behind. */
public class BadInputIT {

    /** Time enough to download and make the guest image, which comes before the options are looked at. */
    private static final int DEMO_SECONDS_MAX = 300;
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private static Path launcher;
    private Path root;
    private Set<String> before;

    @BeforeClass
    public static void findLauncher() throws IOException {
        launcher = Path.of(System.getProperty("plover.it.appliance")).toRealPath().resolve("bin/plover");
    }

    @Before
    public void lookAround() throws IOException {
        root = folder.getRoot().toPath();
        before = traces();
    }

    @After
    public void nothingIsLeft() throws IOException {
        Set<String> left = traces();
        left.removeAll(before);
        assertEquals(Set.of(), left);
        try (Stream<Path> files = Files.walk(root)) {
            assertEquals("sockets", List.of(), files.filter(file -> file.toString().endsWith(".sock")).toList());
        }
        List<String> processes = ProcessHandle.allProcesses().map(ProcessHandle::info)
                .map(info -> info.commandLine().orElse("")).filter(line -> line.contains(root.toString())).toList();
        assertEquals("processes", List.of(), processes);
    }

    @Test
    public void shouldSayWhatIsWrongOnTheCommandLine() throws Exception {
        says(plover("frobnicate"), 2, "'frobnicate'", "'plover help' says");
        says(plover("status", "--nonsense"), 2, "'--nonsense'", "'plover help status' says");
        says(plover("run", "--nonsense"), 2, "--nonsense", "'plover run --help' lists");
        says(plover("status", "--data", root.resolve("none").toString()), 3, "no appliance runs here", "plover run");
        says(plover("switchover", "--yes", "--data", root.resolve("none").toString()), 3, "no appliance runs here", "plover run");
        for (List<String> command : List.of(List.of("events"), List.of("settings"), List.of("set", "a", "b=c"), List.of("user", "list"))) {
            List<String> asked = new ArrayList<>(command);
            asked.addAll(List.of("--data", root.resolve("none").toString()));
            says(plover(asked.toArray(String[]::new)), 3, "no appliance runs here", "plover run");
        }
        says(plover("set", "org.plover.policy.idle"), 2, "say what to set, as KEY=VALUE");
        says(plover("set", "org.plover.policy.idle", "intervalMillisMax"), 2, "'intervalMillisMax' is not KEY=VALUE");
        says(plover("user"), 2, "say what to do: list, add, passwd, remove or unlock");
        says(plover("user", "add", "ada"), 2, "--role");
        assertFalse("nothing was made", Files.exists(root.resolve("none")));
    }

    @Test
    public void shouldSayWhatIsWrongOnTheDemosCommandLine() throws Exception {
        says(demo("--nonsense"), 2, "--nonsense", "Usage");
        says(demo("--seconds", "1"), 2, "--seconds 1 is not within 5 to 86400", "Usage");
        says(demo("--kill", "somebody"), 2, "'somebody'", "primary, backup, witness, power, none");
        says(demo("--image", root.toString()), 2, "--image " + root + ": there is no vmlinuz in it", "it needs vmlinuz and initrd");
    }

    @Test
    public void shouldSayWhatIsWrongInEachConfigurationAndStartItOnceCorrected() throws Exception {
        int port = freePort();
        Path kernel = Files.createFile(root.resolve("vmlinuz"));
        String members = members(port);
        String rest = "kernel=\"" + kernel + "\"\n";
        Map<String, String> wrong = new LinkedHashMap<>();
        wrong.put("memory", "self=\"a\"\n" + members + rest + "memoryMiB=I\"5\"\n");
        wrong.put("kind", "self=\"a\"\n" + members.replace("=witness", "=bystander") + rest);
        wrong.put("two", "self=\"a\"\nmembers=[\"a\\=replica@127.0.0.1:1\",\"w\\=witness@127.0.0.1:2\"]\n" + rest);
        wrong.put("self", "self=\"z\"\n" + members + rest);
        wrong.put("kernel", "self=\"a\"\n" + members);
        Map<String, String> sentences = Map.of(
                "memory", "memoryMiB: 5 is not within 32 to 1048576",
                "kind", "members: 'w=bystander@127.0.0.1:3' is not NAME=replica@HOST:PORT or NAME=witness@HOST:PORT",
                "two", "needs exactly 3 members (two replicas and a witness), has 2",
                "self", "self: 'z' is not among the members [a, b, w]",
                "kernel", "kernel is not set; name the kernel image that the guest boots");
        assertEquals(sentences.keySet(), wrong.keySet());
        Path config = Files.createDirectories(root.resolve("one/config"));
        for (Map.Entry<String, String> vm : wrong.entrySet()) {
            Files.writeString(config.resolve("org.plover.vm~" + vm.getKey() + ".config"), vm.getValue());
        }
        Files.writeString(config.resolve("org.plover.vm~syntax.config"), "self=\"a\"\nmemoryMiB=256\n");

        try (Member one = Member.start(launcher, root.resolve("one"), "one")) {
            Command.Result status = one.plover("status");
            for (Map.Entry<String, String> sentence : sentences.entrySet()) {
                says(one.plover("status", "--vm", sentence.getKey()), 0, "NOT PROTECTED", "has not started: ", sentence.getValue(),
                        "org.plover.vm~" + sentence.getKey());
                assertTrue(status.output(), status.output().contains(sentence.getValue()));
                assertTrue(one.output(), one.output().contains("VM " + sentence.getKey() + " is not protected here: "));
            }
            says(one.plover("verify", "--vm", "memory"), 1, "memoryMiB: 5 is not within 32 to 1048576");
            says(one.plover("switchover", "--yes", "--vm", "memory"), 1, "memoryMiB: 5 is not within 32 to 1048576");
            Path syntax = config.resolve("org.plover.vm~syntax.config");
            assertTrue(one.output(), one.output().contains("file " + syntax
                    + " is not used: line 2: the value of memoryMiB is not in quotation marks; write "));
            assertEquals("a sentence each, and no stack traces:\n" + one.output(), List.of(), stackTraces(one));

            Files.writeString(config.resolve("org.plover.vm~memory.config"), wrong.get("memory").replace("\"5\"", "\"64\""));
            Await.until("the corrected one has started",
                    () -> one.plover("status", "--vm", "memory").output().contains("waiting for b and w"));
        }
    }

    @Test
    public void shouldSayWhatThisHostLacksAndWhoIsAwaited() throws Exception {
        int port = freePort();
        Path config = Files.createDirectories(root.resolve("first/config"));
        Files.writeString(config.resolve("org.plover.vm~good.config"), "self=\"a\"\n" + members(port)
                + "kernel=\"" + Files.createFile(root.resolve("vmlinuz")) + "\"\n");
        try (Member first = Member.start(launcher, root.resolve("first"), "first")) {
            Await.until("the first one says whom it waits for", () -> first.plover("status").output()
                    .contains("waiting for b and w; a group forms for the first time when all three members are there"));
            Path other = Files.createDirectories(root.resolve("second/config"));
            Files.writeString(other.resolve("org.plover.vm~taken.config"), "self=\"a\"\n" + members(port)
                    + "kernel=\"/nowhere/vmlinuz\"\n");
            Files.writeString(other.resolve("org.plover.machine.qemu.cfg"), "qemu = /nowhere/qemu\n");
            try (Member second = Member.start(launcher, root.resolve("second"), "second")) {
                says(second.plover("status"), 0, "NOT PROTECTED", "member 'a' cannot listen at 127.0.0.1:" + port,
                        "stop it or choose another port");
                assertTrue(second.output(), second.output().contains("cannot listen at 127.0.0.1:" + port));
                assertTrue(second.output(), second.output().contains("VM taken: the guest cannot run on this host: Kernel: "
                        + "/nowhere/vmlinuz does not exist; correct the path in the VM's configuration"));
                assertTrue(second.output(), second.output().contains("VM taken: the guest cannot run on this host: QEMU program: "
                        + "/nowhere/qemu not found; QEMU program '/nowhere/qemu' is not an executable file: install"));
                assertEquals("a sentence each, and no stack traces:\n" + second.output(), List.of(), stackTraces(second));
            }
        }
    }

    @Test
    public void shouldExamineTheHostWhileNoApplianceRuns() throws Exception {
        Command.Result doctor = plover("doctor", "--data", root.resolve("none").toString());
        says(doctor, 0, "no appliance runs here; one is started for the check", "This host can protect virtual machines");
        for (String subject : List.of("QEMU version: QEMU emulator version", "tap device: ", "libxxhash: ", "RAM directory: ")) {
            assertTrue(doctor.output(), doctor.output().contains("[ok]   " + subject));
        }
        assertFalse("nothing was made", Files.exists(root.resolve("none")));

        Path config = Files.createDirectory(root.resolve("config"));
        Files.writeString(config.resolve("org.plover.machine.qemu.cfg"), "qemu = /nowhere/qemu\n");
        says(plover("run", "--check", "--config", config.toString(), "--data", root.resolve("none").toString()), 1,
                "'/nowhere/qemu' not found", "install the package qemu-system-x86, or set 'qemu' in org.plover.machine.qemu");
    }

    private static void says(Command.Result result, int exitCode, String... parts) {
        for (String part : parts) {
            assertTrue("should say <" + part + ">: " + result.output(), result.output().contains(part));
        }
        assertEquals(result.output(), exitCode, result.exitCode());
    }

    private Command.Result plover(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(List.of(arguments));
        return Command.run(root, command.toArray(String[]::new));
    }

    private Command.Result demo(String... arguments) throws Exception {
        return DemoScript.run(root, DEMO_SECONDS_MAX, arguments);
    }

    private static List<String> stackTraces(Member member) throws IOException {
        return member.output().lines().filter(line -> line.startsWith("\tat ")).toList();
    }

    private static String members(int port) {
        return "members=[\"a\\=replica@127.0.0.1:" + port + "\",\"b\\=replica@127.0.0.1:2\",\"w\\=witness@127.0.0.1:3\"]\n";
    }

    /** What an appliance or the demo could leave on this host. */
    private Set<String> traces() throws IOException {
        Set<String> traces = new TreeSet<>();
        for (Path place : List.of(Path.of(System.getProperty("java.io.tmpdir")), SHARED_MEMORY, Path.of("/run/netns"),
                Path.of("/sys/class/net"))) {
            if (Files.isDirectory(place)) {
                try (Stream<Path> entries = Files.list(place)) {
                    entries.map(Path::toString).filter(name -> name.contains("/plover") || name.contains("/plv")
                            || name.contains("/jffi")).forEach(traces::add);
                }
            }
        }
        return traces;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
