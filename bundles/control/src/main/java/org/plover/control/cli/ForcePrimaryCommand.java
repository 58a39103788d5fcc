package org.plover.control.cli;

import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.plover.api.status.MemberStatus;
import org.plover.api.status.VmStatus;
import org.plover.control.wire.Protocol;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Lets this member go on alone, when the majority is lost for good. */
@Command(name = "force-primary",
        header = "Makes this member serve alone, when the majority is lost for good. May lose data: the last resort.",
        description = {
            "",
            "Without a majority no member can know whether the others go on without it, so nobody serves. This order takes the decision "
                + "from the group: from now on only this member's vote counts, and its guest serves, or boots where there is none. It is "
                + "safe only if the other members are dead or switched off. Whatever they served that this member does not know is lost, "
                + "and what they have is discarded when they come back, to be synchronised anew.",
            "",
            "It says what this member knows, then asks for the virtual machine's name. What was done is recorded in orders.log of the "
                + "data directory.",
            "",
            "Example: plover force-primary redis",
            "Example: plover force-primary --confirm redis",
            ""})
final class ForcePrimaryCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Mixin
    private VmOption vm;

    @Mixin
    private TimeoutOption timeout;

    @Parameters(arity = "0..1", paramLabel = "VM", description = "The virtual machine; not needed where there is only one.")
    private String name;

    @Option(names = "--confirm", paramLabel = "VM", description = "The virtual machine's name, once more: do not ask.")
    private String confirmation;

    @Override
    public Integer call() {
        if (name != null && vm.name() != null && !name.equals(vm.name())) {
            throw new CliException(Exit.USAGE, "it is either " + name + " or --vm " + vm.name());
        }
        if (confirmation == null && !main.terminal.personTypes()) {
            throw new CliException(Exit.USAGE, "force-primary asks for the virtual machine's name, and there is no terminal to ask on: "
                    + "give it by --confirm");
        }
        try (ControlClient client = main.connect()) {
            List<VmStatus> asked = main.records(VmStatus.class,
                    client.call(request(Protocol.STATUS), TimeoutOption.ANSWER_SECONDS).asJsonArray());
            if (asked.size() != 1) {
                throw new CliException(Exit.USAGE, asked.isEmpty() ? "this appliance protects no virtual machine"
                        : "say which virtual machine: " + asked.stream().map(VmStatus::vm).collect(Collectors.joining(", ")));
            }
            VmStatus status = asked.get(0);
            explain(status);
            String typed = confirmation != null ? confirmation
                    : main.terminal.ask("Type the name of the virtual machine to do it: ", "--confirm");
            if (!typed.equals(status.vm())) {
                main.terminal.out.println("Nothing was done: that is not its name, " + status.vm() + ".");
                return confirmation == null ? Exit.FAILED : Exit.USAGE;
            }
            JsonObject answer = timeout.call(client, request(Protocol.FORCE_PRIMARY).add(Protocol.VM, status.vm())
                    .add(Protocol.CONFIRMATION, typed)).asJsonObject();
            main.terminal.out.println(answer.getString(Protocol.MESSAGE));
            return Exit.OK;
        }
    }

    private JsonObjectBuilder request(String command) {
        JsonObjectBuilder request = vm.request(command);
        return name == null ? request : request.add(Protocol.VM, name);
    }

    private void explain(VmStatus status) {
        PrintWriter out = main.terminal.out;
        String others = status.members().stream().filter(m -> !m.self()).map(MemberStatus::name).collect(Collectors.joining(" and "));
        String inSync = status.members().stream().filter(MemberStatus::inSync).map(MemberStatus::name).collect(Collectors.joining(" and "));
        out.println(Format.text("%s on %s: %s, view %d, primary %s, in sync %s", status.vm(), status.member(), status.role(), status.view(),
                status.primary().isEmpty() ? "not known" : status.primary(), inSync.isEmpty() ? "nobody that is known" : inSync));
        if (!status.message().isEmpty()) {
            out.println("  " + status.message());
        }
        out.println();
        StatusView.members(status).forEach(out::println);
        out.println();
        out.println("This makes " + status.member() + " serve " + status.vm() + " alone, whatever the others do.");
        out.println("  Be sure that " + others + " are dead or switched off. If one of them serves, two guests will answer the same clients.");
        out.println("  Lost is what they served and " + status.member() + " does not know; where " + status.member()
                + " holds no guest, also all that is in the guest's memory.");
        out.println("  What they have is discarded when they come back. Do not give this order on two members.");
        out.println("  If one of them can be brought back with its data directory, do that instead: the group goes on by itself.");
        out.println();
    }
}
