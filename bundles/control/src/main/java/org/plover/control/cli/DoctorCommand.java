package org.plover.control.cli;

import jakarta.json.JsonValue;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.plover.api.health.Finding;
import org.plover.control.wire.Protocol;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Shows the findings of the pre-flight checks. */
@Command(name = "doctor",
        header = "Checks whether this host can protect virtual machines, and says what to change if not.",
        description = {
            "",
            "Run it on every host before the first 'plover run', after an upgrade of QEMU or the kernel, and when something is wrong. It "
                + "asks the running appliance; where none runs, it starts one only for the check, which starts no virtual machine and "
                + "leaves nothing behind. Exits with 0 if nothing found keeps a virtual machine from working here.",
            "",
            "Example: plover doctor",
            ""})
final class DoctorCommand implements Callable<Integer> {
    /** The appliance gives its checks 30 s. */
    private static final int ANSWER_SECONDS = 45;

    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Option(names = "--json", description = "One JSON object a line and finding, with the field names of Finding.")
    private boolean json;

    @Override
    public Integer call() {
        List<JsonValue> answer = ask();
        List<Finding> findings = main.records(Finding.class, answer);
        PrintWriter out = main.terminal.out;
        if (json) {
            answer.forEach(out::println);
        } else {
            findings.forEach(finding -> show(finding, out));
            out.println();
            out.println(summary(findings));
        }
        return count(findings, Finding.Level.ERROR) == 0 ? Exit.OK : Exit.FAILED;
    }

    private List<JsonValue> ask() {
        ControlClient client;
        try {
            client = main.connect();
        } catch (CliException.NotRunning notRunning) {
            return CheckAppliance.findings(main, notRunning);
        }
        try (client) {
            return client.call(ControlClient.request(Protocol.DOCTOR), ANSWER_SECONDS).asJsonArray();
        }
    }

    static void show(Finding finding, PrintWriter out) {
        String mark = switch (finding.level()) {
            case OK -> "[ok]  ";
            case WARNING -> "[warn]";
            case ERROR -> "[FAIL]";
        };
        out.println(mark + " " + finding.subject() + ": " + finding.text());
        if (!finding.remedy().isEmpty()) {
            out.println("       -> " + finding.remedy());
        }
    }

    private static String summary(List<Finding> findings) {
        long errors = count(findings, Finding.Level.ERROR);
        long warnings = count(findings, Finding.Level.WARNING);
        if (errors > 0) {
            return "This host cannot protect virtual machines like this: " + Format.plural(errors, "failure") + ", "
                    + Format.plural(warnings, "warning") + ".";
        }
        return "This host can protect virtual machines" + (warnings == 0 ? "." : ", with " + Format.plural(warnings, "warning") + ".");
    }

    private static long count(List<Finding> findings, Finding.Level level) {
        return findings.stream().filter(finding -> finding.level() == level).count();
    }
}
