package org.plover.control.cli;

import jakarta.json.JsonObject;
import java.util.concurrent.Callable;
import org.plover.control.wire.Protocol;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Takes a member out of the group. */
@Command(name = "leave",
        header = "Takes a member out of the group for good, or until it is joined again.",
        description = {
            "",
            "The member neither votes nor is synchronised any more, and the others no longer wait for it. With two members left, the death of "
                + "either stops the service: take a member out only if it will not come back soon. Run it where the primary is; the "
                + "primary itself cannot be taken out (see 'plover switchover').",
            "",
            "Example: plover leave beta --vm redis --yes",
            ""})
final class LeaveCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Mixin
    private VmOption vm;

    @Mixin
    private TimeoutOption timeout;

    @Parameters(paramLabel = "MEMBER", description = "Name of the member, as 'plover status' lists it.")
    private String member;

    @Option(names = {"-y", "--yes"}, description = "Do not ask first.")
    private boolean yes;

    @Override
    public Integer call() {
        if (!yes && !main.terminal.personTypes()) {
            throw new CliException(Exit.USAGE, "'leave' asks first, and there is no terminal to ask on: add --yes");
        }
        try (ControlClient client = main.connect()) {
            if (!yes && !main.terminal.confirm("Take " + member + " out of the group? Until it is joined again, no failure of a host is survived.")) {
                main.terminal.out.println("Nothing was done.");
                return Exit.FAILED;
            }
            JsonObject answer = timeout.call(client, vm.request(Protocol.LEAVE).add(Protocol.MEMBER, member)).asJsonObject();
            main.terminal.out.println(answer.getString(Protocol.MESSAGE));
            return Exit.OK;
        }
    }
}
