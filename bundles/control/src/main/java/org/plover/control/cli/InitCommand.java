package org.plover.control.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Makes what a host needs before it can be a member. */
@Command(name = "init",
        header = "Makes this host's key, and the beginning of a virtual machine's configuration.",
        description = {
            "",
            "The key is that by which the other members will know this host. 'plover run' makes it at its first start, too; do it before if the "
                + "others are to be given the fingerprint first. With --vm also a configuration to be completed; the other two hosts get theirs by "
                + "'plover invite' and 'plover join'. What is there already stays as it is.",
            "",
            "Example: plover init --data /var/lib/plover/data",
            "Example: plover init --vm redis --self alpha --members alpha=replica@192.0.2.1:7400,beta=replica@192.0.2.2:7400,"
                + "gamma=witness@192.0.2.3:7400 --config /etc/plover",
            ""})
final class InitCommand implements Callable<Integer> {
    private static final int MEMBERS = 3;

    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Option(names = "--vm", paramLabel = "NAME", description = "Begin the configuration of a virtual machine of this name.")
    private String vm;

    @Option(names = "--self", paramLabel = "MEMBER", description = "With --vm: this host's name among the members.")
    private String self;

    @Option(names = "--members", paramLabel = "LIST", split = ",", description = "With --vm: all three, as NAME=replica@HOST:PORT or "
            + "NAME=witness@HOST:PORT, with commas in between.")
    private List<String> members;

    @Option(names = "--config", paramLabel = "DIR", description = "With --vm: the configuration directory. Default: config/ of the installation.")
    private Path config;

    @Override
    public Integer call() {
        if (vm != null) {
            check();
        }
        KeyFiles files = new KeyFiles(main.data());
        boolean made = files.ensure();
        PrintWriter out = main.terminal.out;
        out.println((made ? "made this host's key, " : "this host has its key already, ") + files.fingerprint());
        if (vm != null) {
            String list = members.stream().map(InitCommand::quoted).collect(Collectors.joining(",", "[", "]"));
            write("org.plover.vm~" + vm + ".config", "self=" + quoted(self) + "\nmembers=" + list + "\n\n"
                    + "# Of the guest; a witness needs none of it. Complete it: org.plover.vm~example.config.sample explains each key.\n"
                    + "kernel=\"/var/lib/plover/" + vm + "/vmlinuz\"\ninitrd=\"/var/lib/plover/" + vm + "/initrd\"\nmemoryMiB=I\"256\"\n"
                    + "#nics=[\"52:54:00:12:34:56@br0\"]\n#disks=[\"/var/lib/plover/" + vm + "/root.img\"]\n");
            write("org.plover.peers.config", "pins=[" + quoted(self + "=" + files.fingerprint()) + "]\n");
            out.println("Next: complete the files, 'plover doctor', 'plover run'; then 'plover invite MEMBER' for each of the others");
        }
        return Exit.OK;
    }

    private void check() {
        if (!vm.matches("[A-Za-z0-9._-]+")) {
            throw new CliException(Exit.USAGE, "--vm " + vm + ": letters, digits, dot, dash and underscore only");
        }
        if (members == null || members.size() != MEMBERS || !members.stream().allMatch(m -> m.matches("[A-Za-z0-9_.-]+=(replica|witness)@\\S+:\\d{1,5}"))) {
            throw new CliException(Exit.USAGE, "--members: name all three, as NAME=replica@HOST:PORT or NAME=witness@HOST:PORT, with commas in between");
        }
        if (self == null || members.stream().noneMatch(m -> m.startsWith(self + "="))) {
            throw new CliException(Exit.USAGE, "--self: which of the members is this host?");
        }
        if (config == null && main.home() == null) {
            throw new CliException(Exit.USAGE, "name this host's configuration directory by --config");
        }
    }

    private void write(String name, String content) {
        Path directory = config != null ? config : main.home().resolve("config");
        Path file = directory.resolve(name);
        try {
            Files.createDirectories(directory);
            if (Files.exists(file)) {
                main.terminal.out.println("  " + file + " is there already and stays as it is");
                return;
            }
            Files.writeString(file, content);
            main.terminal.out.println("  wrote " + file);
        } catch (IOException e) {
            throw new CliException(Exit.FAILED, "cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    private static String quoted(String text) {
        return '"' + text.replaceAll("[\\\\\"=]", "\\\\$0") + '"';
    }
}
