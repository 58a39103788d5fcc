package org.plover.control.cli;

import jakarta.json.JsonObject;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.plover.api.status.DiskVerifyReport;
import org.plover.api.status.VerifyReport;
import org.plover.control.wire.Protocol;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Compares all memory, or the disks, of both replicas. */
@Command(name = "verify",
        header = "Compares all guest memory, or its disks, of both replicas at the end of an epoch.",
        description = {
            "",
            "Proves in the field that the backup is what it should be: every page of the guest is hashed on both hosts at a committed "
                + "epoch, and the digests are compared. It lengthens that epoch's pause. Run it where the primary is; it exits with 0 "
                + "only if everything is equal.",
            "",
            "With --disks it compares the disks instead, 16 MiB at the end of each epoch, in the background and as long as that takes.",
            "",
            "Example: plover verify --vm redis --epochs 10",
            ""})
final class VerifyCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Mixin
    private VmOption vm;

    @Mixin
    private TimeoutOption timeout;

    @Option(names = "--epochs", paramLabel = "N", defaultValue = "1",
            description = "Do it for so many epochs, one after the other. Default: ${DEFAULT-VALUE}.")
    private int epochs;

    @Option(names = "--disks", description = "Compare the disks, not memory; see --timeout for large ones.")
    private boolean disks;

    @Option(names = "--json", description = "One JSON object a line and comparison, with the field names of VerifyReport or DiskVerifyReport.")
    private boolean json;

    @Override
    public Integer call() {
        if (epochs < 1) {
            throw new CliException(Exit.USAGE, "--epochs " + epochs + ": should be 1 or more");
        }
        boolean equal = true;
        try (ControlClient client = main.connect()) {
            if (disks) {
                return verifyDisks(client);
            }
            for (int i = 0; i < epochs; i++) {
                JsonObject answer = timeout.call(client, vm.request(Protocol.VERIFY)).asJsonObject();
                VerifyReport report = main.records(VerifyReport.class, List.of(answer)).get(0);
                main.terminal.out.println(json ? answer : text(report));
                main.terminal.out.flush();
                equal &= report.pagesDiffering() == 0 && report.pagesCompared() > 0;
            }
        }
        return equal ? Exit.OK : Exit.FAILED;
    }

    private int verifyDisks(ControlClient client) {
        JsonObject answer = timeout.call(client, vm.request(Protocol.VERIFY_DISKS)).asJsonObject();
        DiskVerifyReport report = main.records(DiskVerifyReport.class, List.of(answer)).get(0);
        main.terminal.out.println(json ? answer : text(report));
        return report.blocksDiffering() == 0 && report.blocksCompared() > 0 ? Exit.OK : Exit.FAILED;
    }

    static String text(DiskVerifyReport report) {
        String epochs = Format.text("epochs %d to %d", report.firstEpoch(), report.lastEpoch());
        if (report.blocksDiffering() == 0) {
            return Format.text("%s: %s of the disks compared, all equal", epochs, Format.plural(report.blocksCompared(), "block"));
        }
        return Format.text("%s: %d of %s of the disks DIFFER, the first: %s; keep the logs and images of both replicas, restart the backup so "
                + "that it is synchronised afresh, and report it", epochs, report.blocksDiffering(),
                Format.plural(report.blocksCompared(), "block"), String.join(", ", report.firstDiffering()));
    }

    static String text(VerifyReport report) {
        if (report.pagesCompared() == 0) {
            return Format.text("epoch %d: NOTHING was compared, which proves nothing", report.epoch());
        } else if (report.pagesDiffering() == 0) {
            return Format.text("epoch %d: %s compared, all equal", report.epoch(), Format.plural(report.pagesCompared(), "page"));
        }
        String first = report.firstDiffering().stream().map(String::valueOf).collect(Collectors.joining(", "));
        return Format.text("epoch %d: %d of %s DIFFER, the first: %s; keep the logs of both replicas, restart the backup so that it is "
                + "synchronised afresh, and report it", report.epoch(), report.pagesDiffering(),
                Format.plural(report.pagesCompared(), "page"), first);
    }
}
