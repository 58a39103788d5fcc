package org.plover.control.cli;

import jakarta.json.JsonObject;
import java.util.List;
import java.util.concurrent.Callable;
import org.plover.api.status.VmStatus;
import org.plover.control.wire.Protocol;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Hands a guest over to the backup on purpose. */
@Command(name = "switchover",
        header = "Hands a virtual machine over to its backup, for instance before maintenance of this host.",
        description = {
            "",
            "The backup takes over at the end of an epoch, with all connections and nothing lost, and this member becomes its backup. Run "
                + "it where the primary is. If it cannot be done, nothing changes and the reason is said.",
            "",
            "Example: plover switchover --vm redis --yes",
            ""})
final class SwitchoverCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Mixin
    private VmOption vm;

    @Mixin
    private TimeoutOption timeout;

    @Option(names = {"-y", "--yes"}, description = "Do not ask first.")
    private boolean yes;

    @Override
    public Integer call() {
        if (!yes && !main.terminal.personTypes()) {
            throw new CliException(Exit.USAGE, "a switchover asks first, and there is no terminal to ask on: add --yes");
        }
        try (ControlClient client = main.connect()) {
            if (!yes && !confirmed(client)) {
                main.terminal.out.println("Nothing was done.");
                return Exit.FAILED;
            }
            JsonObject answer = timeout.call(client, vm.request(Protocol.SWITCHOVER)).asJsonObject();
            main.terminal.out.println(answer.getString(Protocol.MESSAGE));
            return Exit.OK;
        }
    }

    private boolean confirmed(ControlClient client) {
        List<VmStatus> asked = main.records(VmStatus.class,
                client.call(vm.request(Protocol.STATUS), TimeoutOption.ANSWER_SECONDS).asJsonArray());
        if (asked.size() != 1) {
            // None or several: the appliance has the words for it, and does nothing.
            return true;
        }
        VmStatus status = asked.get(0);
        return main.terminal.confirm(Format.text("Hand %s over from %s to its backup? It is %s at the moment.", status.vm(),
                status.primary().isEmpty() ? "nobody" : status.primary(), status.protectedNow() ? "protected" : "NOT protected"));
    }
}
