package org.plover.control.cli;

import jakarta.json.JsonValue;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.plover.control.wire.Protocol;

/**
 * Records that a virtual machine has more of as time goes on, each with a number that grows: asked for by the last number seen, and
 * printed as rows or as one JSON object a line.
 */
record RecordFeed<T extends Record>(Main main, VmOption vm, String command, Class<T> type, ToLongFunction<T> number, Function<T, String> row,
                                    boolean json) {
    private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

    /** What there is after a number; -1 for all. */
    List<JsonValue> fetch(ControlClient client, long after) {
        return client.call(vm.request(command).add(Protocol.SINCE, after), TimeoutOption.ANSWER_SECONDS).asJsonArray();
    }

    /** Prints them; the number of the last one, or {@code before} if there is none. */
    long show(List<JsonValue> answer, long before) {
        PrintWriter out = main.terminal.out;
        List<T> records = main.records(type, answer);
        for (int i = 0; i < records.size(); i++) {
            out.println(json ? answer.get(i).toString() : row.apply(records.get(i)));
        }
        out.flush();
        return records.isEmpty() ? before : number.applyAsLong(records.get(records.size() - 1));
    }

    /** Prints what comes after a number until the terminal says that it is enough. */
    void follow(ControlClient client, long after) {
        long last = after;
        while (main.terminal.pause(LOOK_AGAIN)) {
            last = show(fetch(client, last), last);
        }
    }
}
