package org.plover.control.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Shows and changes the key by which other members know this host. */
@Command(name = "identity",
        header = "Prints the fingerprint of this host's key, as other members pin it.",
        description = {
            "",
            "Members talk to a host only if its key is among the pins of org.plover.peers on their side: pins=[\"alpha\\=sha256:...\"]. The key is "
                + "made by 'plover init', or at the first 'plover run'.",
            "",
            "To change the key of a running member: --prepare makes the next one and prints its fingerprint; add that to the pins on all members, "
                + "beside the one in force; --activate then puts it in place, without a restart. Remove the old pin once all members are connected.",
            "",
            "Example: plover identity --name alpha",
            ""})
final class IdentityCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Option(names = "--name", paramLabel = "MEMBER", description = "Print MEMBER=FINGERPRINT, as the list of pins has it.")
    private String name;

    @Option(names = "--prepare", description = "Make the next key, if there is none yet, and print its fingerprint.")
    private boolean prepare;

    @Option(names = "--activate", description = "Use the key that was prepared from now on.")
    private boolean activate;

    @Override
    public Integer call() {
        if (prepare && activate) {
            throw new CliException(Exit.USAGE, "--prepare and --activate are two steps: the other members must have the new pin in between");
        }
        PrintWriter out = main.terminal.out;
        KeyFiles files = new KeyFiles(main.data());
        if (activate) {
            files.activate();
        }
        String fingerprint = prepare ? files.prepare() : files.fingerprint();
        out.println(name == null ? fingerprint : name + "=" + fingerprint);
        return Exit.OK;
    }
}
