package org.plover.control.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.Callable;
import org.plover.api.health.Finding;
import org.plover.control.domain.DomainException;
import org.plover.control.domain.HostView;
import org.plover.control.domain.Plan;
import org.plover.control.domain.Planner;
import org.plover.control.wire.RecordJson;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Makes the configuration of a protected VM from what others say of it. */
@Command(name = "protect",
        header = "Makes the configuration that protects a virtual machine of libvirt or QEMU.",
        description = {
            "",
            "Reads a libvirt domain (what 'virsh dumpxml NAME' prints) or a QEMU command line. Says what keeps the machine from being protected, what "
                + "its guest will find different, and what to write into which file. With --dry-run nothing is written. It needs no running appliance, and "
                + "starts and stops nothing.",
            "",
            "Example: virsh dumpxml redis >redis.xml; plover protect --domain redis.xml --dry-run",
            ""})
final class ProtectCommand implements Callable<Integer> {
    private static final long BYTES_MAX = 1 << 20;

    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Option(names = "--domain", required = true, paramLabel = "FILE", description = "The description.")
    private Path domain;

    @Option(names = "--name", defaultValue = "", paramLabel = "NAME", description = "Name of the protected VM, if not the description's own.")
    private String name;

    @Option(names = "--member", paramLabel = "MEMBER",
            description = "A member, three times: NAME=replica@HOST:PORT or NAME=witness@HOST:PORT. Without them the files have examples.")
    private List<String> members = List.of();

    @Option(names = "--bridge", defaultValue = "", paramLabel = "BRIDGE", description = "Bridge of interfaces whose bridge the description does not say.")
    private String bridge;

    @ArgGroup(multiplicity = "1")
    private Deed deed;

    @Option(names = "--self", paramLabel = "NAME", description = "With --write: which member this host is.")
    private String self;

    @Option(names = "--json", description = "The plan as one JSON object, with the field names of Plan.")
    private boolean json;

    /** Either of them has to be said: what writes must not be what somebody gets who only looks. */
    private static final class Deed {
        @Option(names = "--dry-run", description = "Only says what would be.")
        private boolean dryRun;

        @Option(names = "--write", paramLabel = "DIR", description = "Writes this host's files into the configuration folder, if nothing blocks; none that is there is changed.")
        private Path write;
    }

    @Override
    public Integer call() {
        Plan plan = plan();
        if (json) {
            main.terminal.out.println(RecordJson.toJson(plan));
        } else {
            show(plan, main.terminal.out);
        }
        if (deed.write != null) {
            write(plan);
        }
        return plan.possible() ? Exit.OK : Exit.FAILED;
    }

    private Plan plan() {
        try {
            if (Files.size(domain) > BYTES_MAX) {
                throw new CliException(Exit.FAILED, domain + " has " + Files.size(domain) + " bytes; a description has at most " + BYTES_MAX);
            }
            return Planner.plan(Files.readString(domain), new Planner.Wishes(name, members, bridge), HostView.ofThisHost());
        } catch (IOException e) {
            throw new CliException(Exit.FAILED, "cannot read " + domain + " as text: " + e, e);
        } catch (DomainException e) {
            throw new CliException(Exit.FAILED, domain + ": " + e.getMessage());
        }
    }

    private static void show(Plan plan, PrintWriter out) {
        for (Finding.Level level : List.of(Finding.Level.ERROR, Finding.Level.WARNING, Finding.Level.OK)) {
            plan.findings().stream().filter(finding -> finding.level() == level).forEach(finding -> DoctorCommand.show(finding, out));
        }
        out.println();
        out.println("What will be different:");
        plan.changes().forEach(change -> out.println("  - " + change));
        for (Plan.PlannedFile file : plan.files()) {
            out.println();
            out.println("# " + file.name() + ": " + file.note());
            out.print(file.content());
        }
        out.println();
        out.println(plan.possible() ? plan.name() + " can be protected." : plan.name() + " cannot be protected like this: do what the lines with [FAIL] say, and try again.");
    }

    private void write(Plan plan) {
        if (self == null || plan.files().stream().noneMatch(file -> file.member().equals(self))) {
            throw new CliException(Exit.USAGE, "--write needs --self: which of the members is this host?");
        } else if (members.isEmpty()) {
            throw new CliException(Exit.USAGE, "--write needs the three members: --member NAME=replica@HOST:PORT ...");
        } else if (!plan.possible()) {
            throw new CliException(Exit.FAILED, "nothing was written: something blocks");
        }
        for (Plan.PlannedFile file : plan.files()) {
            if (file.member().isEmpty() || file.member().equals(self)) {
                Path target = deed.write.resolve(file.name());
                try {
                    Files.writeString(target, file.content(), StandardOpenOption.CREATE_NEW);
                    main.terminal.out.println("written: " + target);
                } catch (FileAlreadyExistsException e) {
                    throw new CliException(Exit.FAILED, target + " is there already and was left as it is", e);
                } catch (IOException e) {
                    throw new CliException(Exit.FAILED, "cannot write " + target + ": " + e, e);
                }
            }
        }
    }
}
