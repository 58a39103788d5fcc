package org.plover.demo.chaos;

/** One command of one client, from its invocation to its answer, if one has come. */
final class Operation {
    enum Verb { SET, GET, INCR, APPEND }

    enum Outcome {
        /** No answer yet. */
        PENDING,
        /** Answered with {@link #result}. */
        ANSWERED,
        /** There will be no answer: it may have happened, or may happen yet, or never will. */
        UNKNOWN
    }

    final long id;
    final int client;
    final Verb verb;
    final String key;
    /** What SET writes and APPEND adds; empty for the others. */
    final String argument;
    final long invokedNanos;
    Outcome outcome = Outcome.PENDING;
    long answeredNanos;
    /** As {@link Answer} writes it. */
    String result;

    Operation(long id, int client, Verb verb, String key, String argument, long invokedNanos) {
        this.id = id;
        this.client = client;
        this.verb = verb;
        this.key = key;
        this.argument = argument;
        this.invokedNanos = invokedNanos;
    }

    void answer(String answer, long nanos) {
        outcome = Outcome.ANSWERED;
        result = answer;
        answeredNanos = nanos;
    }

    @Override
    public String toString() {
        String end = switch (outcome) {
            case PENDING -> "no answer yet";
            case UNKNOWN -> "never answered";
            case ANSWERED -> "answered " + (result.length() > 60 ? result.substring(0, 60) + "... (" + result.length() + ")" : result)
                    + " after " + (answeredNanos - invokedNanos) / 1_000_000 + " ms";
        };
        return "client " + client + " " + verb + " " + key + (argument.isEmpty() ? "" : " " + argument) + ": " + end;
    }
}
