package org.plover.config.files;

import java.io.IOException;

/**
 * Checks the text of a {@code .config} file before it is read. Felix's own reader stops without a word at the first value
 * that it does not understand, such as a number without quotation marks, and what stands below is lost.
 */
final class TypedSyntax {
    private static final String TYPES = "TILFDXSCBOtilfdxscb";
    private static final String WANTED = "; write KEY=\"TEXT\", KEY=I\"NUMBER\", KEY=B\"true\" or KEY=[\"ONE\",\"TWO\"]";

    private final String text;
    private int at;
    private int line = 1;

    private TypedSyntax(String text) {
        this.text = text;
    }

    /** @throws IOException if the text is no list of typed values; says in which line and what to write there */
    static void check(String text) throws IOException {
        new TypedSyntax(text).entries();
    }

    private void entries() throws IOException {
        for (skipBlank(); at < text.length(); skipBlank()) {
            if (text.charAt(at) == '#') {
                skipLine();
            } else {
                entry();
            }
        }
    }

    private void entry() throws IOException {
        int start = at;
        while (at < text.length() && "=\n\"".indexOf(text.charAt(at)) < 0) {
            at++;
        }
        if (peek() != '=' || text.substring(start, at).isBlank()) {
            throw wrong("'" + restOfLine(start) + "' has no KEY= in front");
        }
        String key = text.substring(start, at++).strip();
        skipSpace();
        if (TYPES.indexOf(peek()) >= 0) {
            at++;
        }
        char open = peek();
        if (open == '"') {
            string(key);
        } else if (open == '[' || open == '(') {
            at++;
            list(key, open == '[' ? ']' : ')');
        } else {
            throw wrong("the value of " + key + " is not in quotation marks");
        }
        skipSpace();
        if (at < text.length() && peek() != '\n') {
            throw wrong("'" + restOfLine(at) + "' stands behind the value of " + key);
        }
    }

    private void list(String key, char close) throws IOException {
        for (skipContinued(); peek() != close; skipContinued()) {
            if (peek() != '"') {
                throw wrong("the list in " + key + " has no " + close + " at its end");
            }
            string(key);
            skipContinued();
            if (peek() == ',') {
                at++;
            } else if (peek() != close) {
                throw wrong("a comma or " + close + " is missing in the list in " + key);
            }
        }
        at++;
    }

    private void string(String key) throws IOException {
        for (at++; peek() != '"'; at++) {
            if (at >= text.length() || peek() == '\n') {
                throw wrong("a quotation mark is missing at the end of the value of " + key);
            }
            if (peek() == '\\') {
                at++;
                line += peek() == '\n' ? 1 : 0;
            }
        }
        at++;
    }

    private IOException wrong(String what) {
        return new IOException("line " + line + ": " + what + WANTED);
    }

    private char peek() {
        return at < text.length() ? text.charAt(at) : 0;
    }

    private String restOfLine(int from) {
        int end = text.indexOf('\n', from);
        return text.substring(from, end < 0 ? text.length() : end).strip();
    }

    private void skipLine() {
        int end = text.indexOf('\n', at);
        at = end < 0 ? text.length() : end;
    }

    private void skipSpace() {
        while (" \t\r".indexOf(peek()) >= 0) {
            at++;
        }
    }

    private void skipBlank() {
        while (Character.isWhitespace(peek())) {
            line += peek() == '\n' ? 1 : 0;
            at++;
        }
    }

    /** Blanks and line ends, the latter with or without the backslash that a long list has before them. */
    private void skipContinued() {
        while (Character.isWhitespace(peek()) || peek() == '\\') {
            line += peek() == '\n' ? 1 : 0;
            at++;
        }
    }
}
