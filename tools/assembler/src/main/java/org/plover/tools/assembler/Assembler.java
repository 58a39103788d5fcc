package org.plover.tools.assembler;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;
import org.osgi.service.feature.Feature;
import org.osgi.service.feature.FeatureService;

/**
 * Lays out the runtime part of an appliance from one aggregated feature: the bundles by start level, the
 * framework's properties, and the default configurations. What it writes needs nothing but Felix to run.
 */
public final class Assembler {

    private static final String USAGE =
            "usage: Assembler FEATURE.json ARTIFACTS_DIR FRAMEWORK.properties OUTPUT_DIR\n"
                    + "  FEATURE.json          the appliance's aggregated OSGi feature\n"
                    + "  ARTIFACTS_DIR         a Maven repository layout that has every bundle of the feature\n"
                    + "  FRAMEWORK.properties  framework properties that do not depend on the feature\n"
                    + "  OUTPUT_DIR            receives system/NN/*.jar, conf/config.properties, conf/initial.json, conf/build-id";

    private Assembler() {
    }

    /** Runs the assembler; see the usage text for the arguments. */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 4) {
            throw new IllegalArgumentException(USAGE);
        }
        Feature feature = read(Path.of(arguments[0]));
        Path artifacts = Path.of(arguments[1]);
        Path frameworkProperties = Path.of(arguments[2]);
        Path output = Path.of(arguments[3]);

        SystemFolder system = SystemFolder.fill(output, feature.getBundles(), artifacts);
        Path conf = Files.createDirectories(output.resolve("conf"));
        Files.writeString(conf.resolve("config.properties"),
                Files.readString(frameworkProperties) + system.startProperties());
        Files.writeString(conf.resolve("build-id"), system.buildId() + "\n");
        int configurations = InitialConfiguration.write(feature, conf.resolve("initial.json"));

        System.out.printf("assembled %d bundles on %d start levels, %d default configurations, build %s%n",
                feature.getBundles().size(), system.levels(), configurations, system.buildId());
    }

    private static Feature read(Path file) throws IOException {
        FeatureService features = ServiceLoader.load(FeatureService.class).findFirst()
                .orElseThrow(() -> new IllegalStateException("no OSGi FeatureService on the class path"));
        try (Reader reader = Files.newBufferedReader(file)) {
            return features.readFeature(reader);
        }
    }
}
