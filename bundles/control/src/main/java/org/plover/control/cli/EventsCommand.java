package org.plover.control.cli;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
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
            RecordFeed<VmEvent> events = new RecordFeed<>(main, vm, Protocol.EVENTS, VmEvent.class, VmEvent::sequence, EventsCommand::row, json);
            long first = since == null ? -1 : since;
            long last = events.show(events.fetch(client, first), first);
            if (follow) {
                events.follow(client, last);
            }
            return Exit.OK;
        }
    }

    static String row(VmEvent event) {
        String time = TIME.format(Instant.ofEpochMilli(event.atMillis()).atZone(ZoneId.systemDefault()));
        return Format.text("%s  %-16s %s", time, event.kind(), event.text());
    }
}
