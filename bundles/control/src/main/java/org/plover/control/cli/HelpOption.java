package org.plover.control.cli;

import picocli.CommandLine.Option;

/** The option that explains a command; not inherited from the top, since picocli's own help command has it, too. */
final class HelpOption {
    @Option(names = {"-h", "--help"}, usageHelp = true, description = "Explains the command.")
    private boolean help;
}
