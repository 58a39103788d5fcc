package org.plover.demo.chaos;

import org.plover.demo.Resp;

/** An answer of Redis as one word: {@code +OK}, {@code :7}, {@code $value}, {@code _} for nil, {@code -message}. */
final class Answer {
    static final String NIL = "_";
    static final String OK = "+OK";

    private Answer() { }

    static String of(Object reply) {
        if (reply == Resp.NIL) {
            return NIL;
        } else if (reply instanceof Long number) {
            return ":" + number;
        } else if (reply instanceof Resp.Failure failure) {
            return "-" + failure.message().replaceAll("\\s", "_");
        }
        String text = String.valueOf(reply).replaceAll("\\s", "_");
        return text.equals("OK") ? OK : "$" + text;
    }

    static String number(long value) {
        return ":" + value;
    }

    static String value(String value) {
        return value == null ? NIL : "$" + value;
    }

    /** The value that a GET was answered with; null for nil. Throws IllegalArgumentException for anything else. */
    static String text(String answer) {
        if (answer.equals(NIL)) {
            return null;
        }
        // A value that reads like a status is still a value: GET never answers with a status.
        if (answer.equals(OK)) {
            return "OK";
        }
        if (!answer.startsWith("$")) {
            throw new IllegalArgumentException("not an answer to GET: " + answer);
        }
        return answer.substring(1);
    }
}
