package org.plover.control.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Only the help text of {@code plover run}: the launcher script starts the appliance itself. */
@Command(name = "run",
        header = "Runs the appliance in the foreground until it is told to stop.",
        customSynopsis = "plover run [--config DIR] [--data DIR] [--http-port N] [--name NAME] [--property K=V]... [--check]",
        description = {
            "",
            "Starts this host's member: it protects the virtual machines that the files org.plover.vm~NAME.config in the configuration "
                + "directory describe, and serves the web console on the loopback interface. SIGTERM or Ctrl-C stops it in order; the "
                + "virtual machines go on at the other member.",
            "",
            "Example: plover run --name alpha --config /etc/plover --data /var/lib/plover",
            ""})
final class RunCommand implements Runnable {
    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Option(names = "--config", paramLabel = "DIR",
            description = "Watch DIR for configuration files, *.cfg and *.config. Default: config/ of the installation.")
    private String config;

    @Option(names = "--http-port", paramLabel = "N", description = "Web console and REST API on https://127.0.0.1:N; none or 0 turns them off. Default: 8080.")
    private String httpPort;

    @Option(names = "--name", paramLabel = "NAME", description = "This appliance's name in logs and on pages. Default: the host name.")
    private String name;

    @Option(names = "--property", paramLabel = "K=V", description = "Set the framework property K to V; may be repeated.")
    private String[] property;

    @Option(names = "--check", description = "Only check this host: print the findings as JSON and end, without starting any virtual "
            + "machine. This is what 'plover doctor' uses where no appliance runs.")
    private boolean check;

    @Parameters(hidden = true)
    private String[] rest;

    @Override
    public void run() {
        throw new CliException(Exit.USAGE, "'run' starts the appliance, which only the script bin/plover of the installation can do"
                + (main.home() == null ? "" : ": use " + main.home().resolve("bin/plover") + " run"));
    }
}
