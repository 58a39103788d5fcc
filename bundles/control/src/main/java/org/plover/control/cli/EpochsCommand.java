package org.plover.control.cli;

import jakarta.json.JsonValue;
import java.util.List;
import java.util.concurrent.Callable;
import org.plover.api.status.EpochRecord;
import org.plover.control.wire.Protocol;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Lists the epochs that this member committed as primary. */
@Command(name = "epochs",
        header = "Lists the last epochs: pause, dirty and equal pages, bytes sent, frames released.",
        description = {
            "",
            "An epoch ends when both guests are stopped at the same input and made equal; its output goes out then. The list shows "
                + "what each one cost, and so why clients wait. Only the primary has it, and remembers a limited number.",
            "",
            "Example: plover epochs --follow",
            "Example: plover epochs --since 48000 --json > epochs.jsonl",
            ""})
final class EpochsCommand implements Callable<Integer> {
    private static final int LAST = 20;
    private static final String HEAD =
            "     epoch   view  interval     pause    commit     apply   dirty   same  blocks   same        sent frames verified  reason";

    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Mixin
    private VmOption vm;

    @Option(names = "--json", description = "One JSON object a line and epoch, with the field names of EpochRecord.")
    private boolean json;

    @Option(names = "--since", paramLabel = "N", description = "All that are remembered after epoch N. Default: the last " + LAST + ".")
    private Long since;

    @Option(names = "--follow", description = "Go on with every new epoch until Ctrl-C.")
    private boolean follow;

    @Override
    public Integer call() {
        try (ControlClient client = main.connect()) {
            RecordFeed<EpochRecord> epochs = new RecordFeed<>(main, vm, Protocol.EPOCHS, EpochRecord.class, EpochRecord::epoch, EpochsCommand::row, json);
            long first = since == null ? -1 : since;
            List<JsonValue> answer = epochs.fetch(client, first);
            if (since == null && answer.size() > LAST) {
                answer = answer.subList(answer.size() - LAST, answer.size());
            }
            if (!json && answer.isEmpty() && !follow) {
                main.terminal.out.println("No epochs" + (since == null ? "" : " after " + since) + ": this member has committed none as "
                        + "primary that it still remembers; 'plover status' says which member leads.");
                return Exit.OK;
            }
            if (!json) {
                main.terminal.out.println(HEAD);
            }
            long last = epochs.show(answer, first);
            if (follow) {
                epochs.follow(client, last);
            }
            return Exit.OK;
        }
    }

    static String row(EpochRecord epoch) {
        String same = share(epoch.samePages(), epoch.dirtyPages());
        String sameBlocks = share(epoch.sameBlocks(), epoch.diskBlocks());
        String verified = epoch.verified() < 0 ? "-" : epoch.verified() == 0 ? "equal" : epoch.verified() + " DIFFER";
        return Format.text("%10d %6d %9s %9s %9s %9s %7d %6s %7d %6s %11s %6d %-9s %s", epoch.epoch(), epoch.view(),
                Format.micros(epoch.intervalMicros()), Format.micros(epoch.pauseMicros()), Format.micros(epoch.commitMicros()),
                Format.micros(epoch.applyMicros()), epoch.dirtyPages(), same, epoch.diskBlocks(), sameBlocks,
                Format.bytes(epoch.transferredBytes()), epoch.releasedFrames(), verified, epoch.reason()).stripTrailing();
    }

    private static String share(int same, int all) {
        return all == 0 ? "-" : Format.text("%.1f%%", 100.0 * same / all);
    }
}
