package org.plover.control.cli;

import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.plover.control.wire.Protocol;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Changes settings. */
@Command(name = "set",
        header = "Changes settings of a running appliance.",
        description = {
            "",
            "All that is given takes effect together, or nothing does. The file that the settings came from follows. A key that is given "
                + "several times is a list.",
            "",
            "Example: plover set org.plover.policy.idle intervalMillisMax=50",
            ""})
final class SetCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Parameters(index = "0", paramLabel = "PID", description = "What to set: a part, or one of several as PID~NAME.")
    private String pid;

    @Parameters(index = "1..*", arity = "0..*", paramLabel = "KEY=VALUE", description = "A key and its new value.")
    private List<String> assignments = new ArrayList<>();

    @Option(names = "--reset", paramLabel = "KEY", description = "Gives this key its default again. May be given several times.")
    private List<String> resets = new ArrayList<>();

    @Option(names = "--json", description = "The appliance's answer as one JSON object.")
    private boolean json;

    @Override
    public Integer call() {
        if (assignments.isEmpty() && resets.isEmpty()) {
            throw new CliException(Exit.USAGE, "say what to set, as KEY=VALUE, or --reset KEY");
        }
        Map<String, List<String>> values = new LinkedHashMap<>();
        for (String assignment : assignments) {
            int equals = assignment.indexOf('=');
            if (equals < 1) {
                throw new CliException(Exit.USAGE, "'" + assignment + "' is not KEY=VALUE");
            }
            values.computeIfAbsent(assignment.substring(0, equals), key -> new ArrayList<>()).add(assignment.substring(equals + 1));
        }
        JsonObjectBuilder object = Json.createObjectBuilder();
        resets.forEach(object::addNull);
        values.forEach((key, texts) -> {
            if (texts.size() == 1) {
                object.add(key, texts.get(0));
            } else {
                JsonArrayBuilder list = Json.createArrayBuilder();
                texts.forEach(list::add);
                object.add(key, list);
            }
        });
        try (ControlClient client = main.connect()) {
            JsonObject answer = client.call(ControlClient.request(Protocol.SET).add(Protocol.PID, pid).add(Protocol.VALUES, object),
                    TimeoutOption.ANSWER_SECONDS).asJsonObject();
            main.terminal.out.println(json ? answer.toString() : answer.getString(Protocol.MESSAGE));
            return Exit.OK;
        }
    }
}
