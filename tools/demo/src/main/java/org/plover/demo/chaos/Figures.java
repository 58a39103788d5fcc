package org.plover.demo.chaos;

import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The result of a campaign as JSON. */
final class Figures {
    private Figures() { }

    static JsonObject of(Campaign campaign, long seed) {
        Judge judge = campaign.judge();
        List<Inflicted> all = campaign.inflicted();
        JsonObjectBuilder json = Json.createObjectBuilder();
        json.add("seed", seed);
        json.add("minutes", Math.round(campaign.seconds() / 6) / 10.0);
        JsonObjectBuilder counts = Json.createObjectBuilder();
        all.stream().collect(Collectors.groupingBy(i -> i.kind().word, TreeMap::new, Collectors.counting())).forEach(counts::add);
        json.add("faults", counts);
        json.add("operations", judge.operations());
        json.add("lost", judge.lost());
        json.add("stale", judge.stale());
        json.add("anomalies", judge.anomalies());
        json.add("splitBrainSightings", campaign.sightings().size());
        json.add("guestFramesSeen", campaign.wire().frames());
        List<Inflicted> survivable = all.stream().filter(i -> !i.kind().losesTheGuest()).toList();
        json.add("outageMillis", spread(survivable.stream().map(Inflicted::outageMillis).toList()));
        json.add("primaryKillOutageMillis", spread(survivable.stream().filter(i -> i.kind().killsThePrimary(i.role()))
                .map(Inflicted::outageMillis).toList()));
        JsonObjectBuilder byKind = Json.createObjectBuilder();
        survivable.stream().collect(Collectors.groupingBy(Inflicted::name, TreeMap::new, Collectors.toList()))
                .forEach((name, some) -> byKind.add(name, spread(some.stream().map(Inflicted::outageMillis).toList())));
        json.add("outageMillisByFault", byKind);
        json.add("longestWaitMillis", spread(survivable.stream().map(Inflicted::longestWaitMillis).toList()));
        json.add("protectedAgainMillis", spread(all.stream().map(Inflicted::protectedMillis).filter(m -> m >= 0).toList()));
        json.add("servedAnewMillis", spread(all.stream().filter(i -> i.kind().losesTheGuest()).map(Inflicted::outageMillis).toList()));
        json.add("totalLosses", all.stream().filter(i -> i.kind().losesTheGuest()).count());
        campaign.addDisksTo(json);
        JsonArrayBuilder problems = Json.createArrayBuilder();
        judge.problems().stream().limit(100).forEach(problems::add);
        json.add("problems", problems);
        JsonArrayBuilder log = Json.createArrayBuilder();
        for (Inflicted i : all) {
            log.add(Json.createObjectBuilder().add("fault", i.name()).add("atSeconds", Math.round(i.atSeconds() * 10) / 10.0)
                    .add("outageMillis", i.outageMillis()).add("longestWaitMillis", i.longestWaitMillis())
                    .add("protectedAgainMillis", i.protectedMillis()));
        }
        json.add("log", log);
        return json.build();
    }

    static JsonObjectBuilder spread(List<Long> values) {
        List<Long> sorted = values.stream().sorted().toList();
        return Json.createObjectBuilder().add("count", sorted.size()).add("p50", at(sorted, 50)).add("p99", at(sorted, 99))
                .add("max", at(sorted, 100));
    }

    private static long at(List<Long> sorted, int percent) {
        return sorted.isEmpty() ? 0 : sorted.get(Math.min(sorted.size() - 1, sorted.size() * percent / 100));
    }
}
