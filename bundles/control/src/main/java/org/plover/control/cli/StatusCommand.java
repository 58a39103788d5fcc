package org.plover.control.cli;

import jakarta.json.JsonArray;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.LocalTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.plover.api.status.VmStatus;
import org.plover.control.wire.Protocol;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Shows the status of the protected virtual machines. */
@Command(name = "status",
        header = "Shows how the protected virtual machines are.",
        description = {
            "",
            "Says first whether the loss of any one host would be survived and, if not, what to do; then roles, view and epoch, the "
                + "share of equal pages, pauses, held output, and every member with its round trip. What you see is the view of this "
                + "host's member: numbers of epochs are complete on the primary only.",
            "",
            "Example: plover status --watch 1",
            "Example: plover status --vm redis --json | jq .protectedNow",
            ""})
final class StatusCommand implements Callable<Integer> {
    private static final String HOME_AND_CLEAR = "\033[H\033[2J";
    private static final String HOME = "\033[H";
    private static final String TO_END_OF_LINE = "\033[K";
    private static final String TO_END_OF_SCREEN = "\033[J";

    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Mixin
    private VmOption vm;

    @Option(names = "--json", description = "One JSON object a line and virtual machine, with the field names of VmStatus.")
    private boolean json;

    @Option(names = "--watch", paramLabel = "SECONDS", arity = "0..1", fallbackValue = "2",
            description = "Look again every so many seconds (2 if not given) until Ctrl-C: in place on a terminal, else a line for each "
                    + "look.")
    private Double watchSeconds;

    @Override
    public Integer call() {
        if (watchSeconds != null && !(watchSeconds >= 0.1 && watchSeconds <= 3600)) {
            throw new CliException(Exit.USAGE, "--watch " + watchSeconds + ": should be 0.1 to 3600 seconds");
        }
        try (ControlClient client = main.connect()) {
            boolean inPlace = watchSeconds != null && !json && main.terminal.personReads();
            if (inPlace) {
                main.terminal.out.print(HOME_AND_CLEAR);
            }
            do {
                JsonArray answer = client.call(vm.request(Protocol.STATUS), TimeoutOption.ANSWER_SECONDS).asJsonArray();
                show(answer, inPlace);
                main.terminal.out.flush();
            } while (watchSeconds != null && main.terminal.pause(Duration.ofMillis(Math.round(watchSeconds * 1000))));
            return Exit.OK;
        }
    }

    private void show(JsonArray answer, boolean inPlace) {
        PrintWriter out = main.terminal.out;
        if (json) {
            answer.forEach(out::println);
            return;
        }
        List<VmStatus> all = main.records(VmStatus.class, answer);
        if (inPlace) {
            out.print(HOME);
            out.print(now() + TO_END_OF_LINE + "\n" + TO_END_OF_LINE + "\n");
            text(all).forEach(line -> out.print(line + TO_END_OF_LINE + "\n"));
            out.print(TO_END_OF_SCREEN);
        } else if (watchSeconds != null && !all.isEmpty()) {
            all.forEach(status -> out.println(now() + " " + StatusView.line(status)));
        } else {
            text(all).forEach(out::println);
        }
    }

    private static List<String> text(List<VmStatus> all) {
        if (all.isEmpty()) {
            return List.of("The appliance runs and protects no virtual machine yet: describe one in a file org.plover.vm~NAME.config in",
                    "its configuration directory. If there is such a file, the appliance's log says why it is not used.");
        }
        List<String> lines = new ArrayList<>();
        for (VmStatus status : all) {
            if (!lines.isEmpty()) {
                lines.add("");
            }
            lines.addAll(StatusView.lines(status));
        }
        return lines;
    }

    private static String now() {
        return LocalTime.now().truncatedTo(ChronoUnit.SECONDS).format(DateTimeFormatter.ISO_LOCAL_TIME);
    }
}
