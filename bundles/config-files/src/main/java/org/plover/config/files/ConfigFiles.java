package org.plover.config.files;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.apache.felix.fileinstall.ArtifactInstaller;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.cm.ConfigurationEvent;
import org.osgi.service.cm.ConfigurationListener;
import org.plover.api.settings.SettingsGuard;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the configuration folder and Config Admin in step.
 *
 * <ul>
 * <li>{@code PID.cfg} or {@code PID.config} is the configuration PID; {@code FACTORY~NAME.cfg} is the one called NAME
 *     of the factory ({@code FACTORY-NAME.cfg}, FileInstall's older way to write it, works too).
 * <li>A file that appears or changes replaces the whole configuration; one that disappears takes it away, also when
 *     it disappeared while the appliance was down.
 * <li>A configuration that is changed elsewhere, such as in the console, goes back into its file, comments and order
 *     kept. One that is deleted elsewhere has its file renamed to {@code *.deleted}, so that it stays deleted.
 * </ul>
 *
 * <p>FileInstall's own installer does not know the {@code ~}, loses sight of a file when the console saves a form
 * without the property in which it keeps the file's name, and lets a configuration live on whose file was removed
 * between two runs. Calls come from FileInstall's thread and from Config Admin's event thread; none blocks for
 * longer than a small file takes.
 */
final class ConfigFiles implements ArtifactInstaller, ConfigurationListener {

    /** Says that a configuration came from a file, and from which; the dot keeps it out of service properties. */
    static final String FILE_KEY = ".plover.configuration.file";

    private static final Logger LOG = LoggerFactory.getLogger(ConfigFiles.class);
    private static final Set<String> NOT_IN_FILES =
            Set.of(FILE_KEY, "service.pid", "service.factoryPid", "service.bundleLocation");

    private final ConfigurationAdmin admin;
    private final Supplier<SettingsGuard> guard;
    private final Map<String, Path> fileByPid = new HashMap<>();

    /** @param guard judges a changed file before it counts; null while there is none, as at the start, when the parts judge alone */
    ConfigFiles(ConfigurationAdmin admin, Supplier<SettingsGuard> guard) {
        this.admin = admin;
        this.guard = guard;
    }

    /** Deletes every configuration that came from a file which is no longer in the folder. */
    synchronized void forgetVanished(Path folder) throws IOException, InvalidSyntaxException {
        Configuration[] fromFiles = admin.listConfigurations("(" + FILE_KEY + "=*)");
        if (fromFiles == null) {
            return;
        }
        for (Configuration configuration : fromFiles) {
            String file = String.valueOf(configuration.getProperties().get(FILE_KEY));
            if (!Files.exists(folder.resolve(file))) {
                LOG.info("configuration {}: its file {} is gone, so it goes too", configuration.getPid(), file);
                configuration.delete();
            }
        }
    }

    @Override
    public boolean canHandle(File file) {
        return ConfigFile.isOne(file.toPath());
    }

    @Override
    public void install(File file) throws IOException {
        update(file);
    }

    @Override
    public synchronized void update(File changed) throws IOException {
        ConfigFile file = ConfigFile.of(changed.toPath());
        Hashtable<String, Object> values;
        try {
            values = new Hashtable<>(file.read());
        } catch (IOException e) {
            // Not thrown: FileInstall would say no more, in many lines. It calls again when the file is changed.
            LOG.error("file {} is not used: {}. Correct it, that takes effect at once; until then configuration {} stays as it was",
                    file.path(), e.getMessage(), file.pid());
            return;
        }
        String refusal = refusal(file, values);
        if (!refusal.isEmpty()) {
            LOG.error("file {} is not used: {}. Correct it, that takes effect at once; until then configuration {} stays as it was",
                    file.path(), refusal, file.pid());
            return;
        }
        values.put(FILE_KEY, file.path().getFileName().toString());
        Configuration configuration = file.name() == null
                ? admin.getConfiguration(file.factoryOrPid(), "?")
                : admin.getFactoryConfiguration(file.factoryOrPid(), file.name(), "?");
        Path other = fileByPid.put(configuration.getPid(), file.path());
        if (other != null && !other.equals(file.path()) && Files.exists(other)) {
            LOG.warn("configuration {}: both {} and {} describe it, the latter is in force; remove one of them",
                    configuration.getPid(), other, file.path());
        }
        if (configuration.updateIfDifferent(values)) {
            LOG.info("configuration {}: read from {}", configuration.getPid(), file.path());
        }
    }

    /**
     * Why this change cannot be, or an empty text. What is new, or was wrong before, gets through: there is nothing good to keep,
     * and its part says what is wrong where people look for it.
     */
    private String refusal(ConfigFile file, Map<String, Object> values) throws IOException {
        SettingsGuard present = guard.get();
        if (present == null) {
            return "";
        }
        Dictionary<String, Object> before = properties(file.pid());
        if (before == null && file.name() != null || before != null && !present.refusal(file.pid(), withoutBookkeeping(before)).isEmpty()) {
            return "";
        }
        return present.refusal(file.pid(), values);
    }

    private Dictionary<String, Object> properties(String pid) throws IOException {
        try {
            Configuration[] found = admin.listConfigurations("(service.pid=" + pid + ")");
            return found == null ? null : found[0].getProperties();
        } catch (InvalidSyntaxException e) {
            throw new IOException("'" + pid + "' makes no valid PID; rename its file", e);
        }
    }

    @Override
    public synchronized void uninstall(File removed) throws IOException {
        Path path = removed.toPath();
        String pid = ConfigFile.of(path).pid();
        if (!fileByPid.remove(pid, path)) {
            return;
        }
        try {
            Configuration[] found = admin.listConfigurations("(service.pid=" + pid + ")");
            if (found != null) {
                found[0].delete();
                LOG.info("configuration {}: deleted with its file {}", pid, path);
            }
        } catch (InvalidSyntaxException e) {
            throw new IOException("file " + path + ": its name makes no valid PID; rename it", e);
        }
    }

    @Override
    public synchronized void configurationEvent(ConfigurationEvent event) {
        Path path = fileByPid.get(event.getPid());
        if (path == null || !Files.exists(path)) {
            return;
        }
        try {
            switch (event.getType()) {
                case ConfigurationEvent.CM_UPDATED -> writeBack(event.getPid(), ConfigFile.of(path));
                case ConfigurationEvent.CM_DELETED -> setAside(event.getPid(), path);
                default -> { }
            }
        } catch (IOException | InvalidSyntaxException e) {
            LOG.error("configuration {}: was changed, but its file {} could not follow; at the next start the file "
                    + "wins, so make the change there too", event.getPid(), path, e);
        }
    }

    private void writeBack(String pid, ConfigFile file) throws IOException, InvalidSyntaxException {
        Configuration[] found = admin.listConfigurations("(service.pid=" + pid + ")");
        if (found != null && file.write(withoutBookkeeping(found[0].getProperties()))) {
            LOG.info("configuration {}: changed outside of its file, written to {}", pid, file.path());
        }
    }

    private void setAside(String pid, Path path) throws IOException {
        fileByPid.remove(pid);
        Path aside = path.resolveSibling(path.getFileName() + ".deleted");
        Files.move(path, aside, StandardCopyOption.REPLACE_EXISTING);
        LOG.info("configuration {}: deleted outside of its file, which is now {}", pid, aside);
    }

    private static Map<String, Object> withoutBookkeeping(Dictionary<String, Object> properties) {
        Map<String, Object> values = new TreeMap<>();
        for (String key : Collections.list(properties.keys())) {
            if (!NOT_IN_FILES.contains(key)) {
                values.put(key, properties.get(key));
            }
        }
        return values;
    }
}
