package org.plover.demo.chaos;

import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/** APPEND of words of {@link #WORD_CHARS} characters, each another one, and GET of the whole. */
final class Appended implements Model {
    static final int WORD_CHARS = 9;

    private final Set<String> appended = new HashSet<>();
    private int longestRead;

    @Override
    public Object next(Object state, Operation operation) {
        return operation.verb == Operation.Verb.APPEND ? whole(state) + operation.argument : state;
    }

    @Override
    public String answer(Object state, Operation operation) {
        return operation.verb == Operation.Verb.APPEND ? Answer.number(whole(state).length() + operation.argument.length())
                : Answer.value((String) state);
    }

    private static String whole(Object state) {
        return state == null ? "" : (String) state;
    }

    @Override
    public void called(Operation operation) {
        if (operation.verb == Operation.Verb.APPEND) {
            appended.add(operation.argument);
        }
    }

    @Override
    public void answered(Operation operation) {
        longestRead = Math.max(longestRead, operation.verb == Operation.Verb.APPEND
                ? Integer.parseInt(operation.result.substring(1)) : whole(Answer.text(operation.result)).length());
    }

    @Override
    public Fault fault(Operation operation, Collection<Object> states) {
        if (operation.result.startsWith("-")) {
            return Fault.ANOMALY;
        }
        if (operation.verb == Operation.Verb.APPEND) {
            int shortest = states.stream().mapToInt(s -> whole(s).length()).min().orElse(0);
            return operation.result.startsWith(":") && Long.parseLong(operation.result.substring(1)) <= shortest ? Fault.LOST : Fault.ANOMALY;
        }
        String read = whole(Answer.text(operation.result));
        Set<String> words = new HashSet<>();
        for (int i = 0; i < read.length(); i += WORD_CHARS) {
            String word = read.substring(i, Math.min(read.length(), i + WORD_CHARS));
            if (!appended.contains(word) || !words.add(word)) {
                return Fault.ANOMALY; // invented, torn or twice
            }
        }
        if (states.stream().anyMatch(s -> whole(s).startsWith(read))) {
            return !read.isEmpty() && longestRead > read.length() ? Fault.STALE : Fault.LOST;
        }
        boolean missing = states.stream().allMatch(s -> !words.containsAll(words(whole(s))));
        return missing ? Fault.LOST : Fault.ANOMALY;
    }

    private static Set<String> words(String whole) {
        Set<String> words = new HashSet<>();
        for (int i = 0; i + WORD_CHARS <= whole.length(); i += WORD_CHARS) {
            words.add(whole.substring(i, i + WORD_CHARS));
        }
        return words;
    }

    @Override
    public Object seen(Operation operation) {
        return operation.verb == Operation.Verb.GET && !operation.result.startsWith("-") ? Answer.text(operation.result) : UNTOLD;
    }
}
