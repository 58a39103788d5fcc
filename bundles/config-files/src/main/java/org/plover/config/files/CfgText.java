package org.plover.config.files;

import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;

/**
 * The text of a {@code .cfg} file: Java properties in UTF-8, whose comments, blank lines and order survive a change
 * of values.
 */
final class CfgText {

    /** One comment, blank line, or entry with its continuation lines; a comment's key is null. */
    private record Piece(String raw, String key, String value) {
    }

    private final List<Piece> pieces;

    private CfgText(List<Piece> pieces) {
        this.pieces = pieces;
    }

    static CfgText parse(String text) {
        List<Piece> pieces = new ArrayList<>();
        StringBuilder raw = new StringBuilder();
        for (String line : text.lines().toList()) {
            raw.append(line).append('\n');
            if (isEntry(raw) && goesOn(line)) {
                continue;
            }
            pieces.add(piece(raw.toString()));
            raw.setLength(0);
        }
        if (raw.length() > 0) {
            pieces.add(piece(raw.toString()));
        }
        return new CfgText(pieces);
    }

    /** Key to value; where a key stands twice the last one counts. */
    Map<String, String> values() {
        Map<String, String> values = new TreeMap<>();
        for (Piece piece : pieces) {
            if (piece.key() != null) {
                values.put(piece.key(), piece.value());
            }
        }
        return values;
    }

    /** The text with exactly these values: changed ones in their place, new ones at the end. */
    String with(Map<String, String> values) {
        Map<String, String> rest = new TreeMap<>(values);
        StringBuilder text = new StringBuilder();
        for (Piece piece : pieces) {
            if (piece.key() == null) {
                text.append(piece.raw());
            } else if (rest.containsKey(piece.key())) {
                String value = rest.remove(piece.key());
                text.append(value.equals(piece.value()) ? piece.raw() : entry(piece.key(), value));
            }
        }
        rest.forEach((key, value) -> text.append(entry(key, value)));
        return text.toString();
    }

    private static Piece piece(String raw) {
        Properties one = new Properties();
        try {
            one.load(new StringReader(raw));
        } catch (IOException e) {
            throw new UncheckedIOException("a string cannot fail to be read", e);
        }
        return one.stringPropertyNames().stream().findFirst()
                .map(key -> new Piece(raw, key, one.getProperty(key)))
                .orElseGet(() -> new Piece(raw, null, null));
    }

    private static boolean isEntry(CharSequence raw) {
        String start = raw.toString().stripLeading();
        return !start.isEmpty() && start.charAt(0) != '#' && start.charAt(0) != '!';
    }

    /** An odd number of backslashes at the end continues a line. */
    private static boolean goesOn(String line) {
        int backslashes = 0;
        while (backslashes < line.length() && line.charAt(line.length() - 1 - backslashes) == '\\') {
            backslashes++;
        }
        return backslashes % 2 == 1;
    }

    private static String entry(String key, String value) {
        return escape(key, true) + " = " + escape(value, false) + "\n";
    }

    private static String escape(String text, boolean key) {
        StringBuilder escaped = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '\\' -> escaped.append("\\\\");
                case '\n' -> escaped.append("\\n");
                case '\r' -> escaped.append("\\r");
                case '\t' -> escaped.append("\\t");
                case '=', ':', '#', '!' -> escaped.append(key ? "\\" : "").append(c);
                case ' ' -> escaped.append(key || i == 0 ? "\\ " : " ");
                default -> escaped.append(c);
            }
        }
        return escaped.toString();
    }
}
