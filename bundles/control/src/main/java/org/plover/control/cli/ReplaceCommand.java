package org.plover.control.cli;

import jakarta.json.JsonObject;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.plover.control.wire.Protocol;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Moves a member to another host for good. */
@Command(name = "replace",
        header = "Moves a member to a new host with a new address, for good.",
        description = {
            "",
            "Run it on the primary first: it takes the member out of the group (as 'plover leave'), writes the new address into this "
                + "host's configuration, and prints what to put on the new host. Then run the same on the other member that stays. "
                + "Both go on running, and so does the guest. When the new host's appliance runs, 'plover join MEMBER' on the primary "
                + "brings it in.",
            "",
            "The old host must not run this member any more.",
            "",
            "Example: plover replace beta 192.0.2.7:7400 --vm redis",
            ""})
final class ReplaceCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Mixin
    private VmOption vm;

    @Mixin
    private TimeoutOption timeout;

    @Parameters(index = "0", paramLabel = "MEMBER", description = "Name of the member, as 'plover status' lists it.")
    private String member;

    @Parameters(index = "1", paramLabel = "HOST:PORT", description = "Where the others will reach it.")
    private String address;

    @Option(names = {"-y", "--yes"}, description = "Do not ask first.")
    private boolean yes;

    @Override
    public Integer call() {
        if (!yes && !main.terminal.personTypes()) {
            throw new CliException(Exit.USAGE, "'replace' asks first, and there is no terminal to ask on: add --yes");
        }
        try (ControlClient client = main.connect()) {
            if (!yes && !main.terminal.confirm("Move " + member + " to " + address + "? It leaves the group, and is joined again from there. "
                    + "Its old host must be off.")) {
                main.terminal.out.println("Nothing was done.");
                return Exit.FAILED;
            }
            JsonObject answer = timeout.call(client, vm.request(Protocol.REPLACE).add(Protocol.MEMBER, member)
                    .add(Protocol.ADDRESS, address)).asJsonObject();
            tell(answer);
            return Exit.OK;
        }
    }

    private void tell(JsonObject answer) {
        PrintWriter out = main.terminal.out;
        out.println(answer.getString(Protocol.MESSAGE));
        out.println();
        out.println("Next:");
        out.println("  1. on the other member that stays: plover replace " + member + " " + address);
        out.println("  2. on the new host: put this into its configuration folder, then start the appliance with an empty data directory");
        if (answer.containsKey(Protocol.CONTENT)) {
            out.println();
            out.println("     " + answer.getString(Protocol.FILE) + " (correct what differs on that host, such as paths):");
            answer.getString(Protocol.CONTENT).lines().forEach(line -> out.println("       " + line));
            out.println();
        } else {
            out.println("     (the file is printed by the same command on a replica: a witness does not know the guest's hardware)");
        }
        out.println("  3. on the primary: plover join " + member);
    }
}
