package org.plover.tools.assembler;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Hashtable;
import org.apache.felix.cm.json.io.ConfigurationResource;
import org.apache.felix.cm.json.io.Configurations;
import org.osgi.service.feature.Feature;

/** The default configurations of a feature, in the form in which the Configurator takes them at the first start. */
final class InitialConfiguration {

    /** The feature tool's own notes on where a value came from: nothing for a component to see. */
    private static final String FEATURE_TOOL_NOTES = "feature-origins";

    private InitialConfiguration() {
    }

    /** Writes the file and returns how many configurations are in it. */
    static int write(Feature feature, Path file) throws IOException {
        ConfigurationResource resource = new ConfigurationResource();
        // Outside of a bundle the Configurator insists on all three.
        String prefix = ConfigurationResource.CONFIGURATOR_PROPERTY_PREFIX;
        resource.getProperties().put(prefix + "resource-version", 1);
        resource.getProperties().put(prefix + "symbolic-name",
                feature.getID().getGroupId() + "." + feature.getID().getArtifactId());
        resource.getProperties().put(prefix + "version", feature.getID().getVersion().replaceAll("-.*", ""));
        feature.getConfigurations().forEach((pid, configuration) -> {
            Hashtable<String, Object> values = new Hashtable<>(configuration.getValues());
            values.keySet().removeIf(key -> key.startsWith(FEATURE_TOOL_NOTES));
            resource.getConfigurations().put(pid, values);
        });
        try (Writer writer = Files.newBufferedWriter(file)) {
            Configurations.buildWriter().build(writer).writeConfigurationResource(resource);
        }
        return resource.getConfigurations().size();
    }
}
