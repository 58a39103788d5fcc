package org.plover.config.files;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

public class ConfigFileTest {

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    @Test
    public void shouldTellFactoryAndNameFromFileName() {
        assertEquals("org.plover.vm~redis-1", ConfigFile.of(Path.of("org.plover.vm~redis-1.cfg")).pid());
        assertEquals("org.plover.vm~redis", ConfigFile.of(Path.of("org.plover.vm-redis.config")).pid());
        assertEquals("org.plover.control", ConfigFile.of(Path.of("org.plover.control.cfg")).pid());
    }

    @Test
    public void shouldLeaveSamplesAlone() {
        assertFalse(ConfigFile.isOne(Path.of("org.plover.vm~example.cfg.sample")));
        assertFalse(ConfigFile.isOne(Path.of("org.plover.vm~example.cfg.deleted")));
    }

    @Test
    public void shouldGiveTheFrameworkItsRankingAsInteger() throws IOException {
        assertEquals(Map.of("service.ranking", 20), file("a.cfg", "service.ranking = 20\n").read());
        ConfigFile wrong = file("b.cfg", "service.ranking = high\n");
        assertThrows(IOException.class, wrong::read);
    }

    @Test
    public void shouldRefuseWhatFelixWouldReadOnlyInPart() throws IOException {
        ConfigFile unquoted = file("a.config", "memoryMiB=5\nself=\"a\"\n");
        assertTrue(assertThrows(IOException.class, unquoted::read).getMessage().contains("memoryMiB"));
        ConfigFile noNumber = file("b.config", "memoryMiB=I\"5x\"\n");
        assertTrue(assertThrows(IOException.class, noNumber::read).getMessage().contains("5x"));
    }

    @Test
    public void shouldNotTouchFileThatSaysTheSame() throws IOException {
        assertFalse(file("a.cfg", "threads=7").write(Map.of("threads", 7)));
        assertFalse(file("a.config", "names=[\"a\",\"b\"]\nthreads=I\"7\"\n")
                .write(Map.of("threads", 7, "names", new String[] {"a", "b"})));
    }

    @Test
    public void shouldKeepPermissionsOfTheFileItRewrites() throws IOException {
        ConfigFile file = file("a.cfg", "key=1");
        Files.setPosixFilePermissions(file.path(), PosixFilePermissions.fromString("rw-r-----"));
        assertTrue(file.write(Map.of("key", "2")));
        assertEquals("rw-r-----", PosixFilePermissions.toString(Files.getPosixFilePermissions(file.path())));
        assertEquals(Map.of("key", "2"), file.read());
    }

    @Test
    public void shouldRefuseListInPlainFileAndTakeItInTypedOne() throws IOException {
        Map<String, Object> list = Map.of("names", new String[] {"a", "b"});
        ConfigFile plain = file("a.cfg", "names=a\n");
        assertThrows(IOException.class, () -> plain.write(list));
        assertEquals("names=a\n", Files.readString(plain.path()));

        ConfigFile typed = file("a.config", "names=\"a\"\n");
        assertTrue(typed.write(list));
        assertArrayEquals(new String[] {"a", "b"}, (String[]) typed.read().get("names"));
    }

    @Test
    public void shouldReadEverySampleThatWeShip() throws IOException {
        int samples = 0;
        try (DirectoryStream<Path> shipped = Files.newDirectoryStream(Path.of("../../config"), "*.sample")) {
            for (Path sample : shipped) {
                String name = sample.getFileName().toString().replace(".sample", "");
                assertFalse(name + " says something", file(name, Files.readString(sample)).read().isEmpty());
                samples++;
            }
        }
        assertTrue("there are samples", samples > 0);
    }

    @Test
    public void shouldReadMembersOfAProtectedMachineAsList() throws IOException {
        String name = "org.plover.vm~example.config";
        Map<String, Object> values = file(name, Files.readString(Path.of("../../config", name + ".sample"))).read();
        assertEquals("alpha=replica@192.0.2.1:7400", ((String[]) values.get("members"))[0]);
        assertEquals(256, values.get("memoryMiB"));
    }

    private ConfigFile file(String name, String content) throws IOException {
        return ConfigFile.of(Files.writeString(folder.getRoot().toPath().resolve(name), content));
    }
}
