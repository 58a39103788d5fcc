package org.plover.control.wire;

import jakarta.json.JsonValue;

/**
 * An order that was begun and may still be under way.
 *
 * @param id              to ask for it by
 * @param vm              virtual machine it is about
 * @param kind            the order, such as {@code backup}
 * @param user            who gave it, or empty if that is not known
 * @param door            how it came in
 * @param state           {@code running}, {@code done}, {@code failed} or {@code cancelled}
 * @param progressPercent how much is done, or -1 while that is not known
 * @param startedAtMillis when it began, since 1970
 * @param endedAtMillis   when it ended, or 0
 * @param message         what came of it, for a person; empty while it runs
 * @param result          what the order answers, or null
 */
public record Operation(String id, String vm, String kind, String user, String door, String state, int progressPercent,
                        long startedAtMillis, long endedAtMillis, String message, JsonValue result) {
    public static final String RUNNING = "running";
    public static final String DONE = "done";
    public static final String FAILED = "failed";
    public static final String CANCELLED = "cancelled";
}
