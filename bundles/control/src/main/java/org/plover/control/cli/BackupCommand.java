package org.plover.control.cli;

import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.plover.control.wire.Protocol;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Copies a running guest's disks. */
@Command(name = "backup",
        header = "Copies the disks of a running virtual machine to files.",
        description = {
            "",
            "The copy is exactly what the disks held at the end of one epoch, all disks at the same moment, while the guest runs on: as "
                + "after a loss of power at that moment, so a journalled file system or a database recovers from it by itself. It may be "
                + "taken on either replica; on the backup it costs the guest's clients nothing.",
            "",
            "Example: plover backup --vm redis /var/backups/redis.img",
            ""})
final class BackupCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Mixin
    private VmOption vm;

    @Mixin
    private TimeoutOption timeout;

    @Parameters(paramLabel = "FILE", arity = "1..*", description = "A file for each disk, in their order; none of them may exist yet.")
    private List<Path> files;

    @Override
    public Integer call() {
        JsonArrayBuilder names = Json.createArrayBuilder();
        files.forEach(file -> names.add(file.toAbsolutePath().normalize().toString()));
        try (ControlClient client = main.connect()) {
            JsonObject answer = timeout.call(client, vm.request(Protocol.BACKUP).add(Protocol.FILES, names)).asJsonObject();
            main.terminal.out.println(answer.getString(Protocol.MESSAGE));
            return Exit.OK;
        }
    }
}
