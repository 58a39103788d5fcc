package org.plover.itests;

import static org.ops4j.pax.exam.CoreOptions.bundle;
import static org.ops4j.pax.exam.CoreOptions.cleanCaches;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.frameworkStartLevel;
import static org.ops4j.pax.exam.CoreOptions.junitBundles;
import static org.ops4j.pax.exam.CoreOptions.systemProperty;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.ops4j.pax.exam.Option;
import org.osgi.framework.Constants;

/** The assembled appliance as a container for tests: every bundle, each at its start level, but not the launcher. */
final class ShippedBundles {

    private ShippedBundles() {
    }

    /** Options of a container whose data lie in a new folder that the name stands in. */
    static List<Option> options(String name) throws IOException {
        Path home = Path.of(System.getProperty("plover.it.appliance")).toRealPath();
        Path work = Files.createDirectories(Path.of(System.getProperty("plover.it.work"), name));
        Path data = Files.createTempDirectory(work, "data");
        Path config = Files.createDirectories(data.resolve("config"));

        List<Option> options = new ArrayList<>();
        try (DirectoryStream<Path> levels = Files.newDirectoryStream(home.resolve("system"))) {
            for (Path level : levels) {
                addBundles(options, level, Integer.parseInt(level.getFileName().toString()));
            }
        }
        options.add(junitBundles());
        options.add(frameworkStartLevel(50));
        options.add(cleanCaches(true));
        options.add(systemProperty("logback.configurationFile").value(home.resolve("conf/logback.xml").toString()));
        Map.of(
                "plover.home", home.toString(),
                "plover.data", data.toString(),
                "plover.config", config.toString(),
                "plover.name", name + "-test").forEach((key, value) -> options.add(systemProperty(key).value(value)));
        Map.of(
                "felix.cm.dir", data.resolve("configuration").toString(),
                "felix.fileinstall.dir", config.toString(),
                "felix.fileinstall.poll", "200",
                "felix.fileinstall.noInitialDelay", "true",
                "felix.fileinstall.tmpdir", data.resolve("tmp").toString(),
                "org.apache.felix.http.enable", "false",
                "org.apache.felix.http.require.config", "true",
                "gosh.args", "--nointeractive",
                Constants.FRAMEWORK_BOOTDELEGATION, "sun.*,com.sun.*").forEach((key, value) -> options.add(frameworkProperty(key).value(value)));
        return options;
    }

    private static void addBundles(List<Option> options, Path folder, int level) throws IOException {
        try (DirectoryStream<Path> jars = Files.newDirectoryStream(folder, "*.jar")) {
            for (Path jar : jars) {
                options.add(bundle(jar.toUri().toString()).startLevel(level));
            }
        }
    }
}
