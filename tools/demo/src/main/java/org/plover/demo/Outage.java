package org.plover.demo;

import jakarta.json.Json;
import jakarta.json.JsonObject;

/**
 * How long a service was away after one marked moment, as its clients saw it.
 *
 * @param mark what the caller called the moment
 * @param millis the outage: the longer of the two below
 * @param firstReplyMillis from the mark to the first completed operation that was pending at the mark or sent after it, of the
 *     slowest connection
 * @param longestWaitMillis the longest wait of any connection for an operation, counted from the mark at the earliest
 * @param unanswered connections that were open at the mark and got no answer since, though they asked or were broken
 */
public record Outage(String mark, double millis, double firstReplyMillis, double longestWaitMillis, int unanswered) {

    JsonObject toJson() {
        return Json.createObjectBuilder()
                .add("mark", mark)
                .add("millis", Report.rounded(millis))
                .add("firstReplyMillis", Report.rounded(firstReplyMillis))
                .add("longestWaitMillis", Report.rounded(longestWaitMillis))
                .add("unanswered", unanswered)
                .build();
    }
}
