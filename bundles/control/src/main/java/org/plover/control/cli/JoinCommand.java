package org.plover.control.cli;

import jakarta.json.JsonObject;
import java.util.concurrent.Callable;
import org.plover.control.wire.Protocol;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Lets a member come back into the group. */
@Command(name = "join",
        header = "Lets a member come back that had been taken out.",
        description = {
            "",
            "The member votes again as soon as it has caught up, and a replica is synchronised while the guest runs; it may be empty. Run it "
                + "where the primary is. A member that was never taken out comes back by itself.",
            "",
            "Example: plover join beta --vm redis --yes",
            ""})
final class JoinCommand implements Callable<Integer> {
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
            throw new CliException(Exit.USAGE, "'join' asks first, and there is no terminal to ask on: add --yes");
        }
        try (ControlClient client = main.connect()) {
            if (!yes && !main.terminal.confirm("Let " + member + " come back into the group?")) {
                main.terminal.out.println("Nothing was done.");
                return Exit.FAILED;
            }
            JsonObject answer = timeout.call(client, vm.request(Protocol.JOIN).add(Protocol.MEMBER, member)).asJsonObject();
            main.terminal.out.println(answer.getString(Protocol.MESSAGE));
            return Exit.OK;
        }
    }
}
