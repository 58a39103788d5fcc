package org.plover.control.cli;

import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonValue;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.concurrent.Callable;
import org.plover.api.status.VmEvent;
import org.plover.control.wire.Protocol;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Shows what happened to a VM. */
@Command(name = "events",
        header = "Shows what happened to a virtual machine, in plain words.",
        description = {
            "",
            "Failovers, members that went and came back, orders, changed settings: as this member saw them since its start, oldest first.",
            "",
            "Example: plover events --follow",
            ""})
final class EventsCommand implements Callable<Integer> {
    private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS");

    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Mixin
    private VmOption vm;

    @Option(names = "--since", paramLabel = "SEQUENCE", description = "Only events after this one; their numbers are in --json.")
    private Long since;

    @Option(names = "--follow", description = "Go on as events happen, until Ctrl-C.")
    private boolean follow;

    @Option(names = "--json", description = "One JSON object a line and event, with the field names of VmEvent.")
    private boolean json;

    @Override
    public Integer call() {
        try (ControlClient client = main.connect()) {
            long last = show(fetch(client, since == null ? -1 : since), since == null ? -1 : since);
            while (follow && main.terminal.pause(LOOK_AGAIN)) {
                last = show(fetch(client, last), last);
            }
            return Exit.OK;
        }
    }

    private List<JsonValue> fetch(ControlClient client, long after) {
        JsonObjectBuilder request = vm.request(Protocol.EVENTS).add(Protocol.SINCE, after);
        return client.call(request, TimeoutOption.ANSWER_SECONDS).asJsonArray();
    }

    private long show(List<JsonValue> answer, long before) {
        PrintWriter out = main.terminal.out;
        List<VmEvent> events = main.records(VmEvent.class, answer);
        for (int i = 0; i < events.size(); i++) {
            out.println(json ? answer.get(i).toString() : row(events.get(i)));
        }
        out.flush();
        return events.isEmpty() ? before : events.get(events.size() - 1).sequence();
    }

    static String row(VmEvent event) {
        String time = TIME.format(Instant.ofEpochMilli(event.atMillis()).atZone(ZoneId.systemDefault()));
        return Format.text("%s  %-16s %s", time, event.kind(), event.text());
    }
}
