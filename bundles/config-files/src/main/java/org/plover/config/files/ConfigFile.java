package org.plover.config.files;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.Dictionary;
import java.util.Enumeration;
import java.util.Hashtable;
import java.util.Map;
import java.util.TreeMap;
import org.apache.felix.cm.file.ConfigurationHandler;
import org.osgi.framework.Constants;

/**
 * One configuration file: what its name says and what is in it.
 *
 * @param path the file
 * @param factoryOrPid the factory's PID, or the PID of a configuration that is the only one of its kind
 * @param name which configuration of the factory, or null
 */
record ConfigFile(Path path, String factoryOrPid, String name) {

    private static final String TYPED = ".config";
    private static final String PLAIN = ".cfg";

    static boolean isOne(Path path) {
        String file = path.getFileName().toString();
        return file.endsWith(PLAIN) || file.endsWith(TYPED);
    }

    static ConfigFile of(Path path) {
        String file = path.getFileName().toString();
        String stem = file.substring(0, file.lastIndexOf('.'));
        int separator = stem.indexOf('~') > 0 ? stem.indexOf('~') : stem.indexOf('-');
        return separator > 0
                ? new ConfigFile(path, stem.substring(0, separator), stem.substring(separator + 1))
                : new ConfigFile(path, stem, null);
    }

    String pid() {
        return name == null ? factoryOrPid : factoryOrPid + "~" + name;
    }

    /** The configuration in the file; values of a {@code .cfg} are strings, which components convert. */
    Map<String, Object> read() throws IOException {
        byte[] content = Files.readAllBytes(path);
        if (isTyped()) {
            return readTyped(content);
        }
        Map<String, Object> values = new TreeMap<>(CfgText.parse(text(content)).values());
        Object ranking = values.get(Constants.SERVICE_RANKING);
        if (ranking != null) {
            // The one key that the framework itself reads, and only as an Integer.
            values.put(Constants.SERVICE_RANKING, number(ranking.toString()));
        }
        return values;
    }

    /**
     * Makes the file say the same as the given values.
     *
     * @return false if it said so already
     * @throws IOException if it cannot be written, or if a {@code .cfg} cannot express a value; it is as before then
     */
    boolean write(Map<String, Object> values) throws IOException {
        byte[] before = Files.readAllBytes(path);
        byte[] after;
        if (isTyped()) {
            after = typed(values);
            // Arrays do not compare by content, what the handler writes of them does.
            if (Arrays.equals(typed(readTyped(before)), typed(readTyped(after)))) {
                return false;
            }
        } else {
            CfgText text = CfgText.parse(text(before));
            Map<String, String> strings = strings(values);
            if (text.values().equals(strings)) {
                return false;
            }
            after = text.with(strings).getBytes(StandardCharsets.UTF_8);
        }
        replace(after);
        return true;
    }

    private boolean isTyped() {
        return path.toString().endsWith(TYPED);
    }

    private Map<String, String> strings(Map<String, Object> values) throws IOException {
        Map<String, String> strings = new TreeMap<>();
        for (Map.Entry<String, Object> entry : values.entrySet()) {
            Object value = entry.getValue();
            if (value.getClass().isArray() || value instanceof Iterable) {
                throw new IOException("file " + path + ": cannot hold the list in " + entry.getKey()
                        + "; rename it to *" + TYPED + ", which can");
            }
            strings.put(entry.getKey(), value.toString());
        }
        return strings;
    }

    /** A reader sees the old file or the new one, never half of one. */
    private void replace(byte[] content) throws IOException {
        Path target = path.toRealPath();
        Path next = target.resolveSibling(target.getFileName() + ".new");
        try {
            Files.write(next, content);
            Files.setPosixFilePermissions(next, Files.getPosixFilePermissions(target));
            Files.move(next, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(next);
        }
    }

    private static String text(byte[] content) {
        return new String(content, StandardCharsets.UTF_8);
    }

    private int number(String ranking) throws IOException {
        try {
            return Integer.parseInt(ranking.trim());
        } catch (NumberFormatException e) {
            throw new IOException("file " + path + ": " + Constants.SERVICE_RANKING + " is " + ranking
                    + ", but has to be a whole number", e);
        }
    }

    private static byte[] typed(Map<String, Object> values) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ConfigurationHandler.write(out, sorted(values));
        return out.toByteArray();
    }

    /** A dictionary in the order of its keys: the same values give the same bytes. */
    private static Dictionary<String, Object> sorted(Map<String, Object> values) {
        TreeMap<String, Object> inOrder = new TreeMap<>(values);
        return new Hashtable<>(values) {
            private static final long serialVersionUID = 1L;

            @Override
            public Enumeration<String> keys() {
                return Collections.enumeration(inOrder.keySet());
            }
        };
    }

    @SuppressWarnings("unchecked")
    private static Dictionary<String, Object> parseTyped(byte[] content) throws IOException {
        try {
            return ConfigurationHandler.read(new ByteArrayInputStream(content));
        } catch (NumberFormatException e) {
            throw new IOException("a value that is marked as a number is none: " + e.getMessage(), e);
        }
    }

    private static Map<String, Object> readTyped(byte[] content) throws IOException {
        TypedSyntax.check(text(content));
        Dictionary<String, Object> read = parseTyped(content);
        Map<String, Object> values = new TreeMap<>();
        Collections.list(read.keys()).forEach(key -> values.put(key, read.get(key)));
        return values;
    }
}
