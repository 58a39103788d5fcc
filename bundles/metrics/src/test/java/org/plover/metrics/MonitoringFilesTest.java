package org.plover.metrics;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonReader;
import jakarta.json.JsonValue;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.Test;

/** The dashboard and the alert rules of the distribution name metrics that exist, with labels that they have. */
public class MonitoringFilesTest {
    private static final Path MONITORING = Path.of("../../distribution/src/main/dist/monitoring");
    private static final Pattern METRIC = Pattern.compile("\\b((?:plover|jvm|process)_[a-z0-9_]+)(?:\\{([^}]*)})?");
    private static final Pattern LABEL = Pattern.compile("(\\w+)\\s*(?:=~|!=|=)");

    @Test
    public void shouldNameOnlyMetricsInAlertRulesThatTheEndpointShows() throws IOException {
        List<String> expressions = Files.readAllLines(MONITORING.resolve("plover-alerts.yml")).stream().map(String::strip)
                .filter(line -> line.startsWith("expr:")).toList();
        assertTrue("rules: " + expressions.size(), expressions.size() >= 10);
        assertKnown(expressions);
    }

    @Test
    public void shouldNameOnlyMetricsInTheDashboardThatTheEndpointShows() throws IOException {
        List<String> expressions = new ArrayList<>();
        try (JsonReader reader = Json.createReader(new StringReader(Files.readString(MONITORING.resolve("plover-dashboard.json"))))) {
            for (JsonValue panel : reader.readObject().getJsonArray("panels")) {
                JsonObject object = panel.asJsonObject();
                if (object.containsKey("targets")) {
                    object.getJsonArray("targets").forEach(target -> expressions.add(target.asJsonObject().getString("expr")));
                }
            }
        }
        assertTrue("panels' expressions: " + expressions.size(), expressions.size() >= 15);
        assertKnown(expressions);
    }

    private static void assertKnown(List<String> expressions) throws IOException {
        Set<String> samples = samples();
        Set<String> names = samples.stream().map(sample -> sample.replaceFirst("[{ ].*", "")).collect(Collectors.toSet());
        Set<String> unknown = new TreeSet<>();
        for (String expression : expressions) {
            for (Matcher m = METRIC.matcher(expression); m.find();) {
                if (!names.contains(m.group(1))) {
                    unknown.add(m.group(1));
                    continue;
                }
                for (Matcher label = LABEL.matcher(m.group(2) == null ? "" : m.group(2)); label.find();) {
                    String start = m.group(1) + "{";
                    String named = label.group(1);
                    if (!List.of("instance", "job").contains(named)
                            && samples.stream().noneMatch(s -> s.startsWith(start) && s.matches("[^{]*\\{(.*,)?" + named + "=\".*"))) {
                        unknown.add(m.group(1) + "{" + named + "}");
                    }
                }
            }
        }
        assertEquals(Set.of(), unknown);
    }

    private static Set<String> samples() throws IOException {
        VmMetrics metrics = new VmMetrics();
        FakeVm vm = new FakeVm();
        vm.commit(1, 1_000);
        vm.happen(1, "failover");
        metrics.addVm(vm);
        metrics.activate();
        try {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            metrics.write(null, out);
            return out.toString(StandardCharsets.UTF_8).lines().filter(line -> !line.startsWith("#")).collect(Collectors.toSet());
        } finally {
            metrics.deactivate();
        }
    }
}
