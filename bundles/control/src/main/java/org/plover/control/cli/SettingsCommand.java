package org.plover.control.cli;

import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.plover.control.wire.PidSettings;
import org.plover.control.wire.Protocol;
import org.plover.control.wire.Setting;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Shows what can be configured. */
@Command(name = "settings",
        header = "Shows what can be configured, and what is.",
        description = {
            "",
            "Without a PID: which there are. With one: its keys, each with its value, range, default and what it is for. Secrets are not shown.",
            "",
            "Example: plover settings org.plover.policy.idle",
            ""})
final class SettingsCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Parameters(arity = "0..1", paramLabel = "PID", description = "What to show: a part, or one of several as PID~NAME.")
    private String pid;

    @Option(names = "--json", description = "One JSON object a line and PID, with the field names of PidSettings.")
    private boolean json;

    @Override
    public Integer call() {
        try (ControlClient client = main.connect()) {
            JsonObjectBuilder request = ControlClient.request(Protocol.SETTINGS);
            if (pid != null) {
                request.add(Protocol.PID, pid);
            }
            List<JsonValue> answer = client.call(request, TimeoutOption.ANSWER_SECONDS).asJsonArray();
            PrintWriter out = main.terminal.out;
            if (json) {
                answer.forEach(out::println);
                return Exit.OK;
            }
            for (PidSettings settings : main.records(PidSettings.class, answer)) {
                if (pid == null) {
                    out.println(Format.text("%-50s %s%s", settings.template() ? settings.pid() + "~NAME" : settings.pid(),
                            settings.configured() ? "* " : "  ", settings.name()).stripTrailing());
                } else {
                    show(settings, out);
                }
            }
            if (pid == null) {
                out.println();
                out.println("* has settings of its own; 'plover settings PID' shows them.");
            }
            return Exit.OK;
        }
    }

    private static void show(PidSettings settings, PrintWriter out) {
        out.println((settings.template() ? settings.pid() + "~NAME" : settings.pid()) + "  " + settings.name());
        if (!settings.help().isEmpty()) {
            out.println("  " + settings.help());
        }
        for (Setting setting : settings.settings()) {
            out.println();
            out.println("  " + setting.key() + " = " + shown(setting) + (setting.unit().isEmpty() ? "" : " " + setting.unit())
                    + (setting.configured() ? "" : "   (default)"));
            out.println("      " + (range(setting).isEmpty() ? "" : range(setting) + ". ") + setting.help());
        }
        out.println();
    }

    private static String shown(Setting setting) {
        if (setting.secret()) {
            return setting.configured() ? "(set, not shown)" : "(not set)";
        } else if (setting.value() == JsonValue.NULL) {
            return "(none)";
        }
        return setting.value() instanceof JsonString text ? "\"" + text.getString() + "\"" : setting.value().toString();
    }

    private static String range(Setting setting) {
        if (!setting.options().isEmpty()) {
            return "One of " + String.join(", ", setting.options());
        } else if (setting.min().isEmpty() && setting.max().isEmpty()) {
            return "";
        } else if (setting.max().isEmpty()) {
            return "From " + setting.min();
        }
        return setting.min().isEmpty() ? "Up to " + setting.max() : setting.min() + " to " + setting.max();
    }
}
