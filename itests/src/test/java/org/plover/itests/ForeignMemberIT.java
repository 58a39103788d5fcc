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
import org.junit.After;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** Appliances as they are shipped: a host whose key the others do not know is nobody, whatever it says it is. */
public class ForeignMemberIT {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private static Path launcher;
    private final Map<String, Member> running = new LinkedHashMap<>();
    private Path root;
    private String members;

    @BeforeClass
    public static void findLauncher() throws IOException {
        launcher = Path.of(System.getProperty("plover.it.appliance")).toRealPath().resolve("bin/plover");
    }

    @Before
    public void ports() throws IOException {
        root = folder.getRoot().toPath();
        List<String> list = new ArrayList<>();
        for (String member : List.of("a=replica", "b=replica", "w=witness")) {
            try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                list.add(member + "@127.0.0.1:" + free.getLocalPort());
            }
        }
        members = list(list);
    }

    @After
    public void stop() throws Exception {
        for (Member member : running.values()) {
            member.close();
        }
    }

    @Test
    public void shouldRefuseAMemberWithAForeignKeyAndLetItInOnceItIsPinned() throws Exception {
        Map<String, String> pins = new LinkedHashMap<>();
        for (String name : List.of("a", "b", "w")) {
            pins.put(name, key(name, root.resolve(name).resolve("data")));
        }
        String foreign = pins.get("b");
        pins.put("b", key("b", root.resolve("the-real-b")));
        for (String name : List.of("a", "w", "b")) {
            start(name, List.copyOf(pins.values()));
        }
        String sha = foreign.substring(foreign.indexOf('=') + 1);
        awaitSaid("a", "its key " + sha + " is not pinned for member 'b'");
        awaitSaid("w", "its key " + sha + " is not pinned for any of the members a, b");
        awaitSaid("b", "does not accept this member's key " + sha);
        awaitSaid("a", "connected to member 'w'");
        assertTrue(running.get("a").plover("status").output().contains("waiting for b"));
        assertFalse(running.get("b").output(), running.get("b").output().contains("connected to member"));
        assertTrue("b is told what is wrong with it",
                running.get("b").plover("status").output().contains("this member's key " + sha + " is not among the pins of b"));

        for (String name : List.of("a", "w")) {
            Command.Result pinned = running.get(name).plover("pin", foreign);
            assertEquals(pinned.output(), 0, pinned.exitCode());
        }
        awaitSaid("b", "connected to member 'a'", "connected to member 'w'");
        awaitSaid("a", "connected to member 'b'");
        Await.until("the file has followed", () -> Files.readString(root.resolve("a/config/org.plover.peers.config")).contains(sha));
    }

    private void awaitSaid(String name, String... words) throws Exception {
        for (String word : words) {
            Await.until(name + " says: " + word, () -> running.get(name).output().contains(word));
        }
    }

    /** Makes a key; how it is pinned. */
    private String key(String member, Path data) throws Exception {
        Command.Result made = Command.run(root, launcher.toString(), "init", "--data", data.toString());
        assertEquals(made.output(), 0, made.exitCode());
        Command.Result pin = Command.run(root, launcher.toString(), "identity", "--name", member, "--data", data.toString());
        assertEquals(pin.output(), 0, pin.exitCode());
        return pin.output().strip();
    }

    private void start(String name, List<String> pins) throws Exception {
        Path home = root.resolve(name);
        Path config = Files.createDirectories(home.resolve("config"));
        Files.writeString(config.resolve("org.plover.vm~v.config"), "self=\"" + name + "\"\nmembers=" + members
                + "kernel=\"" + Files.write(home.resolve("vmlinuz"), new byte[0]) + "\"\n");
        Files.writeString(config.resolve("org.plover.peers.config"), "pins=" + list(pins));
        running.put(name, Member.start(launcher, home, name));
    }

    private static String list(List<String> texts) {
        return "[" + String.join(",", texts.stream().map(text -> '"' + text.replace("=", "\\=") + '"').toList()) + "]\n";
    }
}
