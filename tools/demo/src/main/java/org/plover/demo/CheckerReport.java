package org.plover.demo;

import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * What a {@link Checker} saw.
 *
 * @param seconds how long it worked, without the audit
 * @param connections how many connections it opened
 * @param acknowledgedWrites writes (SET and RPUSH, or a transaction) that were acknowledged
 * @param reads reads of a key that were answered
 * @param lostWrites acknowledged writes that were not there at the end
 * @param staleReads reads during the work that returned less than what had been acknowledged
 * @param corruptReads values read, during the work or in the audit, that nobody had written there
 * @param duplicatedWrites writes that were there twice at the end
 * @param misorderedWrites writes that stood behind later ones at the end
 * @param unverifiedWrites acknowledged writes that no fresh connection could look for at the end
 * @param connectionsBroken connections that were closed, reset, answered with an error or did not answer any more
 * @param audits times that a connection's whole list of writes was read and compared
 * @param latency of all operations, microseconds
 * @param outages after the marks
 * @param problems what went wrong, in words; the first ones only
 */
public record CheckerReport(double seconds, int connections, long acknowledgedWrites, long reads, long lostWrites,
                            long staleReads, long corruptReads, long duplicatedWrites, long misorderedWrites,
                            long unverifiedWrites, int connectionsBroken, long audits, Histogram latency, List<Outage> outages,
                            List<String> problems) implements Report {

    @Override
    public boolean clean() {
        return lostWrites == 0 && staleReads == 0 && corruptReads == 0 && duplicatedWrites == 0 && misorderedWrites == 0
                && unverifiedWrites == 0 && connectionsBroken == 0;
    }

    public double throughputPerSecond() {
        return seconds == 0 ? 0 : (acknowledgedWrites + reads) / seconds;
    }

    @Override
    public JsonObject toJson() {
        JsonArrayBuilder outageArray = Json.createArrayBuilder();
        outages.forEach(outage -> outageArray.add(outage.toJson()));
        return Json.createObjectBuilder()
                .add("clean", clean())
                .add("seconds", Report.rounded(seconds))
                .add("connections", connections)
                .add("acknowledgedWrites", acknowledgedWrites)
                .add("reads", reads)
                .add("throughputPerSecond", Report.rounded(throughputPerSecond()))
                .add("lostWrites", lostWrites)
                .add("staleReads", staleReads)
                .add("corruptReads", corruptReads)
                .add("duplicatedWrites", duplicatedWrites)
                .add("misorderedWrites", misorderedWrites)
                .add("unverifiedWrites", unverifiedWrites)
                .add("connectionsBroken", connectionsBroken)
                .add("audits", audits)
                .add("latencyMillis", latencyMillis(latency))
                .add("outages", outageArray)
                .add("problems", Json.createArrayBuilder(problems))
                .build();
    }

    static JsonObject latencyMillis(Histogram micros) {
        return Json.createObjectBuilder()
                .add("p50", Report.rounded(micros.getValueAtPercentile(50) / 1e3))
                .add("p99", Report.rounded(micros.getValueAtPercentile(99) / 1e3))
                .add("max", Report.rounded(micros.getMaxValue() / 1e3))
                .build();
    }
}
