package org.plover.replication.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.Test;

/** The faults that {@code itests/mutants.sh} plants; planting all of them and looking for them takes too long for a test. */
public class PlantedFaultsTest {
    @Test
    public void shouldFitTheSourcesTheyAreFor() throws Exception {
        Path root = Path.of("../..").toRealPath();
        List<String> stale = new ArrayList<>();
        int looked = 0;
        try (Stream<Path> patches = Files.list(root.resolve("itests/mutants"))) {
            for (Path patch : patches.filter(p -> p.toString().endsWith(".patch")).sorted().toList()) {
                Process git = new ProcessBuilder("git", "apply", "--check", patch.toString()).directory(root.toFile())
                        .redirectErrorStream(true).start();
                String said = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                if (git.waitFor() != 0) {
                    stale.add(patch.getFileName() + ": " + said);
                }
                looked++;
            }
        }
        assertTrue("there are faults to plant", looked > 0);
        assertEquals("renew them", List.of(), stale);
    }
}
