package org.plover.control.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParentCommand;

/** Makes what a host needs before it can be a member. */
@Command(name = "init",
        header = "Makes this host's key, by which the other members will know it.",
        description = {
            "",
            "Does nothing if there is a key. 'plover run' does the same at its first start; do it before if the other members are to be given the "
                + "fingerprint first.",
            "",
            "Example: plover init --data /var/lib/plover/data",
            ""})
final class InitCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Override
    public Integer call() {
        KeyFiles files = new KeyFiles(main.data());
        boolean made = files.ensure();
        main.terminal.out.println((made ? "made this host's key, " : "this host has its key already, ") + files.fingerprint());
        return Exit.OK;
    }
}
