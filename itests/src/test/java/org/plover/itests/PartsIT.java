package org.plover.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.Test;
import org.osgi.framework.Constants;

/** Who knows whom, as the manifests of the shipped bundles have it. */
public class PartsIT {
    /** A name at the beginning of a clause; within one, packages stand after {@code uses:=} in quotes. */
    private static final Pattern PACKAGE = Pattern.compile("(?:^|,)(org\\.plover\\.[\\w.]+)");
    private static final Pattern SHARED = Pattern.compile("org\\.plover\\.(api\\.\\w+|linux)");

    @Test
    public void shouldLetPartsKnowTheApiAndNotEachOther() throws Exception {
        List<String> wrong = new ArrayList<>();
        TreeSet<String> seen = new TreeSet<>();
        for (Manifest part : parts()) {
            String name = part.getMainAttributes().getValue(Constants.BUNDLE_SYMBOLICNAME);
            for (String header : List.of(Constants.IMPORT_PACKAGE, Constants.EXPORT_PACKAGE)) {
                for (String known : packages(part, header)) {
                    seen.add(known);
                    if (!SHARED.matcher(known).matches()) {
                        wrong.add(name + ": " + header + " " + known);
                    }
                }
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue("gates are imported by their provider and by replication: " + seen, seen.contains("org.plover.api.gate"));
    }

    @Test
    public void shouldFindThePartsOfTheArchitecture() throws Exception {
        TreeSet<String> names = new TreeSet<>();
        for (Manifest part : parts()) {
            names.add(part.getMainAttributes().getValue(Constants.BUNDLE_SYMBOLICNAME));
        }
        assertTrue(names.toString(), names.containsAll(List.of("org.plover.api", "org.plover.replication",
                "org.plover.consensus.paxos", "org.plover.transport.tcp", "org.plover.machine.qemu", "org.plover.gate.epoch",
                "org.plover.network.tap", "org.plover.policy.idle", "org.plover.policy.str")));
    }

    private static List<Manifest> parts() throws IOException {
        List<Manifest> parts = new ArrayList<>();
        try (Stream<Path> files = Files.walk(Path.of(System.getProperty("plover.it.appliance"), "system"))) {
            for (Path file : files.filter(f -> f.getFileName().toString().matches("plover-.*\\.jar")).toList()) {
                try (JarFile jar = new JarFile(file.toFile())) {
                    parts.add(jar.getManifest());
                }
            }
        }
        return parts;
    }

    private static List<String> packages(Manifest part, String header) {
        String value = part.getMainAttributes().getValue(header);
        List<String> found = new ArrayList<>();
        Matcher m = PACKAGE.matcher(value == null ? "" : value.replaceAll("\"[^\"]*\"", ""));
        while (m.find()) {
            found.add(m.group(1));
        }
        return found;
    }
}
