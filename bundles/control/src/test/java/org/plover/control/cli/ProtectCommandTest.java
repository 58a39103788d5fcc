package org.plover.control.cli;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import jakarta.json.Json;
import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

public class ProtectCommandTest {
    private static final List<String> MEMBERS = List.of("--member", "a=replica@192.0.2.1:7400", "--member", "b=replica@192.0.2.2:7400", "--member", "w=witness@192.0.2.3:7400");

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();
    private final StringWriter said = new StringWriter();
    private Path domain;

    @Before
    public void describeAGuest() throws Exception {
        domain = folder.newFile("redis.xml").toPath();
        Files.writeString(domain, "<domain type='kvm'><name>redis</name><memory unit='MiB'>256</memory><os><type>hvm</type><kernel>/no/such/kernel</kernel></os></domain>");
    }

    @Test
    public void shouldSayWhatWouldBeAndWriteNothing() throws Exception {
        assertEquals(said.toString(), Exit.OK, protect("--dry-run"));
        assertTrue(said.toString(), said.toString().contains("[warn] Kernel: /no/such/kernel is not there"));
        assertTrue(said.toString(), said.toString().contains("memoryMiB=I\"256\""));
        assertTrue(said.toString(), said.toString().contains("redis can be protected."));
        assertEquals(List.of("redis.xml"), names());
    }

    @Test
    public void shouldFailIfSomethingBlocks() throws Exception {
        Files.writeString(domain, Files.readString(domain).replace("<kernel>/no/such/kernel</kernel>", ""));
        assertEquals(Exit.FAILED, protect("--dry-run"));
        assertTrue(said.toString(), said.toString().contains("[FAIL] Boot: "));
        assertEquals(Exit.FAILED, protect("--write", folder.getRoot().toString(), "--self", "a"));
        assertEquals(List.of("redis.xml"), names());
    }

    @Test
    public void shouldWriteThisHostsFileOnceAndNeverOverOneThatIsThere() throws Exception {
        assertEquals(said.toString(), Exit.OK, protect("--write", folder.getRoot().toString(), "--self", "b"));
        Path written = folder.getRoot().toPath().resolve("org.plover.vm~redis.config");
        assertTrue(Files.readString(written).startsWith("self=\"b\"\n"));
        Files.writeString(written, "mine");
        assertEquals(Exit.FAILED, protect("--write", folder.getRoot().toString(), "--self", "b"));
        assertEquals("mine", Files.readString(written));
    }

    @Test
    public void shouldNotGuessWhichMemberThisHostIs() throws Exception {
        assertEquals(Exit.USAGE, protect("--write", folder.getRoot().toString()));
        assertEquals(Exit.USAGE, protect("--write", folder.getRoot().toString(), "--self", "nobody"));
        assertEquals("either has to be said", Exit.USAGE, protect());
        assertEquals(List.of("redis.xml"), names());
    }

    @Test
    public void shouldSayTheSameAsJson() throws Exception {
        assertEquals(Exit.OK, protect("--dry-run", "--json"));
        assertEquals("redis", Json.createReader(new StringReader(said.toString())).readObject().getString("name"));
    }

    @Test
    public void shouldSayWhatIsWrongWithAFileThatIsNoDescription() throws Exception {
        Files.writeString(domain, "hello");
        assertEquals(Exit.FAILED, protect("--dry-run"));
        assertTrue(said.toString(), said.toString().contains("neither a libvirt domain"));
        Files.write(domain, new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1});
        assertEquals(Exit.FAILED, protect("--dry-run"));
        assertFalse(said.toString(), said.toString().contains("Exception in"));
    }

    private int protect(String... more) {
        List<String> words = new ArrayList<>(List.of("protect", "--domain", domain.toString()));
        words.addAll(MEMBERS);
        words.addAll(List.of(more));
        PrintWriter out = new PrintWriter(said, true);
        return Main.run(words.toArray(String[]::new), new Terminal(new BufferedReader(new StringReader("")), out, out, false, false), Map.of(), Map.of());
    }

    private List<String> names() {
        return List.of(folder.getRoot().list());
    }
}
