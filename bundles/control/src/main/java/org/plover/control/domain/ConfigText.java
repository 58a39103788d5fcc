package org.plover.control.domain;

import java.util.List;

/** Values as they stand in a {@code .config} file. */
public final class ConfigText {
    private ConfigText() {
    }

    /** A text, number, truth value or list of texts, with its type where that is not text. */
    public static String value(Object value) {
        if (value instanceof String[] list) {
            return value(List.of(list));
        } else if (value instanceof List<?> list) {
            return "[" + String.join(",", list.stream().map(element -> quoted(element.toString())).toList()) + "]";
        }
        String type = value instanceof Integer ? "I" : value instanceof Long ? "L" : value instanceof Boolean ? "B" : "";
        return type + quoted(value.toString());
    }

    private static String quoted(String text) {
        return '"' + text.replaceAll("[\\\\\"=]", "\\\\$0").replace("\n", "\\n").replace("\r", "\\r") + '"';
    }
}
