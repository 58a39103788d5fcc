package org.plover.tools.assembler;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.osgi.service.feature.FeatureBundle;
import org.osgi.service.feature.ID;

/** The {@code system/NN} folders of an appliance: one folder for each start level, with its bundles in it. */
final class SystemFolder {

    /** The key of a feature file's bundle entry that names its start level. */
    private static final String START_ORDER = "start-order";
    /** Bundles that an operator adds later start above all of ours. */
    private static final int LEVELS_ABOVE = 10;

    private final SortedMap<Integer, List<String>> jarsByLevel;
    private final String buildId;

    private SystemFolder(SortedMap<Integer, List<String>> jarsByLevel, String buildId) {
        this.jarsByLevel = jarsByLevel;
        this.buildId = buildId;
    }

    static SystemFolder fill(Path output, List<FeatureBundle> bundles, Path artifacts) throws IOException {
        SortedMap<Integer, List<String>> jarsByLevel = new TreeMap<>();
        MessageDigest digest = sha256();
        for (FeatureBundle bundle : bundles) {
            int level = startLevel(bundle);
            Path source = artifacts.resolve(mavenPath(bundle.getID()));
            String relative = "system/%02d/%s".formatted(level, source.getFileName());
            copy(bundle.getID(), source, output.resolve(relative));
            jarsByLevel.computeIfAbsent(level, unused -> new ArrayList<>()).add(relative);
            digest.update(relative.getBytes(StandardCharsets.UTF_8));
            digest.update(Files.readAllBytes(source));
        }
        return new SystemFolder(jarsByLevel, HexFormat.of().formatHex(digest.digest(), 0, 8));
    }

    /** Names exactly these bundles with exactly this content, so that a cache made from others can be told. */
    String buildId() {
        return buildId;
    }

    int levels() {
        return jarsByLevel.size();
    }

    /** Tells Felix what to install and start at which level, and how far to go up. */
    String startProperties() {
        StringBuilder text = new StringBuilder("\n# Written by the assembler from the feature files.\n");
        jarsByLevel.forEach((level, jars) -> {
            text.append("felix.auto.start.").append(level).append('=');
            // "reference:" runs a bundle where it lies: no second copy under the data folder.
            jars.forEach(jar -> text.append(" \\\n  \"reference:file:${plover.home}/").append(jar).append('"'));
            text.append('\n');
        });
        return text.append("org.osgi.framework.startlevel.beginning=").append(jarsByLevel.lastKey() + LEVELS_ABOVE)
                .append('\n').toString();
    }

    private static int startLevel(FeatureBundle bundle) {
        Object order = bundle.getMetadata().get(START_ORDER);
        if (order == null) {
            throw new IllegalArgumentException("bundle " + bundle.getID() + ": no \"" + START_ORDER
                    + "\"; give it one in its feature file");
        }
        return Integer.parseInt(order.toString());
    }

    private static Path mavenPath(ID id) {
        String classifier = id.getClassifier().map(name -> "-" + name).orElse("");
        String file = id.getArtifactId() + "-" + id.getVersion() + classifier + "." + id.getType().orElse("jar");
        return Path.of(id.getGroupId().replace('.', '/'), id.getArtifactId(), id.getVersion(), file);
    }

    private static void copy(ID id, Path source, Path target) throws IOException {
        Files.createDirectories(target.getParent());
        try {
            Files.copy(source, target, StandardCopyOption.REPLACE_EXISTING);
        } catch (NoSuchFileException e) {
            throw new IOException("bundle " + id + ": no file " + source + "; build the features module first", e);
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
