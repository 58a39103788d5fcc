package org.plover.control.cli;

import jakarta.json.JsonObject;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.plover.control.wire.Protocol;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Lets a member come back into the group. */
@Command(name = "join",
        header = "Lets a member come back that had been taken out; with a token, makes this host a new member.",
        description = {
            "",
            "With a token that 'plover invite' has printed on another member: makes this host's key if there is none, lets the others know it, and "
                + "puts their pins and the virtual machines' configuration into the configuration directory. No appliance needs to run.",
            "",
            "With a member's name: the member votes again as soon as it has caught up, and a replica is synchronised while the guest runs; it may be empty. Run it "
                + "where the primary is. A member that was never taken out comes back by itself.",
            "",
            "Example: plover join beta --vm redis --yes",
            "Example: plover join plover1.eyJtZW... --config /etc/plover",
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

    @Parameters(paramLabel = "MEMBER|TOKEN", description = "Name of the member, as 'plover status' lists it; or a token, which begins with " + Token.PREFIX + ".")
    private String member;

    @Option(names = {"-y", "--yes"}, description = "Do not ask first.")
    private boolean yes;

    @Option(names = "--config", paramLabel = "DIR", description = "With a token: the configuration directory of this host. Default: config/ of the "
            + "installation.")
    private Path config;

    @Override
    public Integer call() {
        if (member.startsWith(Token.PREFIX)) {
            new Newcomer(main, config).join(Token.of(member));
            return Exit.OK;
        }
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
