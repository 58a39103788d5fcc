package org.plover.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** The archive, unpacked, and {@code bin/plover} in it: nothing here knows what is inside. */
public class LauncherIT {

    /** A process that ended by SIGTERM, as a shell counts it. */
    private static final int ENDED_BY_SIGTERM = 143;

    @ClassRule
    public static final TemporaryFolder INSTALLATION = new TemporaryFolder();

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private static Path launcher;
    private Path config;
    private Path data;

    @BeforeClass
    public static void unpack() throws Exception {
        Path archive = Path.of(System.getProperty("plover.it.archive")).toRealPath();
        // A blank in the path: somebody will have one.
        Path place = INSTALLATION.newFolder("my programs").toPath();
        Command.Result tar = Command.run(place, "tar", "xzf", archive.toString());
        assertEquals(tar.output(), 0, tar.exitCode());
        try (Stream<Path> tops = Files.list(place)) {
            launcher = tops.findFirst().orElseThrow().resolve("bin/plover");
        }
        assertTrue(launcher + " is executable", Files.isExecutable(launcher));
    }

    @Before
    public void folders() throws IOException {
        config = folder.newFolder("config").toPath();
        data = folder.getRoot().toPath().resolve("data");
    }

    @Test
    public void shouldLetOnlyThePasswordHolderIntoTheConsole() throws Exception {
        try (Appliance appliance = Appliance.start(launcher, config, data)) {
            assertEquals(401, appliance.get("/system/console/bundles", null, null).statusCode());
            assertEquals(401, appliance.get("/system/console/bundles", "admin", "admin").statusCode());
            assertEquals(401, appliance.get("/system/console/bundles", "plover", appliance.password() + "x").statusCode());
            HttpResponse<String> bundles = appliance.get("/system/console/bundles.json", "plover", appliance.password());
            assertEquals(200, bundles.statusCode());
            assertTrue(bundles.body(), bundles.body().contains("org.plover.api"));

            assertTrue(appliance.output(), appliance.output().contains(data.toRealPath() + "/console-password"));
            assertFalse("the password itself is in no log", appliance.output().contains(appliance.password()));
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(data.resolve("console-password"))));
            String commandLine = Files.readString(Path.of("/proc/" + appliance.process().pid() + "/cmdline"));
            assertFalse("nor is it in the process list", commandLine.contains(appliance.password()));
        }
    }

    @Test
    public void shouldStopOnSigtermAndLeaveNothingBehind() throws Exception {
        Set<String> before = temporaryFiles();
        Appliance appliance = Appliance.start(launcher, config, data);
        ProcessHandle process = appliance.process();
        assertEquals(ENDED_BY_SIGTERM, appliance.stop());
        assertEquals("no child outlives it", 0, process.descendants().count());
        Set<String> left = temporaryFiles();
        left.removeAll(before);
        assertEquals(Set.of(), left);
        assertEquals("nor is there a file in its own temporary folder", List.of(), names(data.resolve("tmp")));
        assertFalse("its log has no failure: " + appliance.output(), appliance.output().contains(" ERROR "));
    }

    @Test
    public void shouldRefuseASecondApplianceOnTheSameDataAndLeaveTheFirstAlone() throws Exception {
        try (Appliance appliance = Appliance.start(launcher, config, data)) {
            Command.Result second = Command.run(folder.getRoot().toPath(), launcher.toString(), "run", "--config", config.toString(),
                    "--data", data.toString(), "--http-port", "none");
            assertEquals(second.output(), 1, second.exitCode());
            assertTrue(second.output(), second.output().contains("another appliance (process " + appliance.process().pid()
                    + ") uses the data directory " + data.toRealPath() + "; stop it"));
            assertEquals(200, appliance.get("/system/console/bundles.json", "plover", appliance.password()).statusCode());
        }
        Appliance.start(launcher, config, data).close();
    }

    @Test
    public void shouldKeepWhatWasSetInTheConsoleOverRestarts() throws Exception {
        Path file = Files.writeString(config.resolve("org.plover.it~one.cfg"), "# one\nthreads = 7\n");
        Path doomed = Files.writeString(config.resolve("org.plover.it~two.cfg"), "threads = 8\n");
        try (Appliance appliance = Appliance.start(launcher, config, data)) {
            Await.until("both files are read", () -> configuration(appliance, "org.plover.it~one").contains("\"7\"")
                    && configuration(appliance, "org.plover.it~two").contains("\"8\""));
            appliance.saveInConsole("org.plover.it~one", "threads", "9");
            Await.until("the change is in the file", () -> Files.readString(file).equals("# one\nthreads = 9\n"));
            appliance.saveInConsole("org.apache.felix.eventadmin.impl.EventAdmin", "org.apache.felix.eventadmin.ThreadPoolSize", "13");
            Await.until("the other change is in force",
                    () -> configuration(appliance, "org.apache.felix.eventadmin.impl.EventAdmin").contains("13"));
        }
        Files.delete(doomed);
        // As after an upgrade: the bundle cache is made anew.
        Files.writeString(data.resolve("build-id"), "another build\n");
        try (Appliance appliance = Appliance.start(launcher, config, data)) {
            Await.until("the file is read", () -> configuration(appliance, "org.plover.it~one").contains("\"9\""));
            assertTrue(configuration(appliance, "org.apache.felix.eventadmin.impl.EventAdmin").contains("13"));
            String all = appliance.get("/system/console/status-Configurations.txt", "plover", appliance.password()).body();
            assertTrue(all, all.contains("org.plover.it~one"));
            assertFalse("a configuration goes with its file, even if that went while nobody looked: " + all,
                    all.contains("org.plover.it~two"));
        }
    }

    @Test
    public void shouldWorkThroughSymbolicLinksFromAnyFolder() throws Exception {
        Path first = Files.createSymbolicLink(folder.getRoot().toPath().resolve("first"), launcher);
        Path second = Files.createSymbolicLink(folder.getRoot().toPath().resolve("plover"), Path.of(first.getFileName().toString()));
        for (String how : List.of(second.toString(), "./plover", "PATH")) {
            List<String> command = how.equals("PATH")
                    ? List.of("sh", "-c", "PATH=$PWD:$PATH; plover --help") : List.of(how, "--help");
            Command.Result help = Command.run(folder.getRoot().toPath(), command.toArray(String[]::new));
            assertEquals(help.output(), 0, help.exitCode());
            assertTrue(help.output(), help.output().contains("switchover"));
        }
    }

    @Test
    public void shouldSayWhatIsWrongWithAnOption() throws Exception {
        for (Map.Entry<List<String>, String> wrong : Map.of(
                List.of("run", "--http-port", "eighty"), "--http-port eighty",
                List.of("run", "--name", "a b"), "--name a b",
                List.of("run", "--nonsense"), "--nonsense",
                List.of("run", "--data"), "--data needs a value",
                List.of("run", "--property", "novalue"), "KEY=VALUE").entrySet()) {
            List<String> command = new ArrayList<>(List.of(launcher.toString()));
            command.addAll(wrong.getKey());
            Command.Result result = Command.run(folder.getRoot().toPath(), command.toArray(String[]::new));
            assertEquals(result.output(), 2, result.exitCode());
            assertTrue(result.output(), result.output().contains(wrong.getValue()));
        }
        assertFalse("nothing has been made", Files.exists(data));
    }

    private static String configuration(Appliance appliance, String pid) throws Exception {
        return appliance.get("/system/console/configMgr/" + pid + ".json", "plover", appliance.password()).body();
    }

    private static Set<String> temporaryFiles() {
        Set<String> names = new TreeSet<>();
        for (String directory : List.of(System.getProperty("java.io.tmpdir"), "/dev/shm")) {
            String[] found = new File(directory).list((parent, name) -> name.startsWith("plover") || name.startsWith("jffi"));
            names.addAll(found == null ? Set.of() : Set.of(found));
        }
        return names;
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }
}
