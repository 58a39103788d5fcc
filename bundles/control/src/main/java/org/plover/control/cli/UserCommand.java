package org.plover.control.cli;

import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonValue;
import java.io.Console;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.plover.api.control.UserAccount;
import org.plover.control.wire.Protocol;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Who may log in to the web console and the REST API of this appliance. */
@Command(name = "user", synopsisSubcommandLabel = "COMMAND",
        header = "Says who may log in over HTTP, and what they may do.",
        description = {
            "",
            "viewer: looks at everything but secrets. operator: also switchover, verify, backup, leave, join. administrator: everything.",
            "The first start makes the administrator 'plover', whose password is in the file console-password of the data directory. Users are "
                + "kept on each host for itself.",
            "",
            "Example: plover user add ada --role operator",
            ""})
final class UserCommand implements Runnable {
    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "say what to do: list, add, passwd, remove or unlock");
    }

    @Command(name = "list", description = "Lists the users.")
    int list(@Option(names = "--json", description = "One JSON object a line and user, with the field names of UserAccount.") boolean json) {
        try (ControlClient client = main.connect()) {
            List<JsonValue> answer = client.call(ControlClient.request(Protocol.USERS), TimeoutOption.ANSWER_SECONDS).asJsonArray();
            if (json) {
                answer.forEach(main.terminal.out::println);
                return Exit.OK;
            }
            for (UserAccount user : main.records(UserAccount.class, answer)) {
                main.terminal.out.println(Format.text("%-20s %-14s %s", user.name(), user.role().text(), user.lockedForMillis() == 0 ? ""
                        : "locked out for " + (user.lockedForMillis() + 999) / 1000 + " s more").stripTrailing());
            }
            return Exit.OK;
        }
    }

    @Command(name = "add", description = "Lets somebody log in. Asks for the password.")
    int add(@Parameters(paramLabel = "NAME") String name,
            @Option(names = "--role", required = true, paramLabel = "ROLE", description = "viewer, operator or administrator.") String role,
            @Option(names = "--password-file", paramLabel = "FILE", description = "The password is the file's first line: do not ask.") Path file) {
        return order(named(Protocol.USER_ADD, name).add(Protocol.ROLE, role).add(Protocol.PASSWORD, password(file)));
    }

    @Command(name = "passwd", description = "Gives a user another password, and ends the sessions begun with the old one.")
    int passwd(@Parameters(paramLabel = "NAME") String name,
            @Option(names = "--password-file", paramLabel = "FILE", description = "The password is the file's first line: do not ask.") Path file) {
        return order(named(Protocol.USER_PASSWORD, name).add(Protocol.PASSWORD, password(file)));
    }

    @Command(name = "remove", description = "Lets a user no longer log in.")
    int remove(@Parameters(paramLabel = "NAME") String name) {
        return order(named(Protocol.USER_REMOVE, name));
    }

    @Command(name = "unlock", description = "Lets a user who was locked out by wrong passwords try again.")
    int unlock(@Parameters(paramLabel = "NAME") String name) {
        return order(named(Protocol.USER_UNLOCK, name));
    }

    private static JsonObjectBuilder named(String command, String name) {
        return ControlClient.request(command).add(Protocol.NAME, name);
    }

    private int order(JsonObjectBuilder request) {
        try (ControlClient client = main.connect()) {
            main.terminal.out.println(client.call(request, TimeoutOption.ANSWER_SECONDS).asJsonObject().getString(Protocol.MESSAGE));
            return Exit.OK;
        }
    }

    private String password(Path file) {
        if (file != null) {
            try {
                return Files.readAllLines(file).stream().findFirst().orElse("");
            } catch (IOException e) {
                throw new CliException(Exit.FAILED, "the password cannot be read from " + file + ": " + e.getMessage(), e);
            }
        }
        Console console = main.terminal.personTypes() ? System.console() : null;
        if (console == null) {
            throw new CliException(Exit.USAGE, "there is no terminal to ask for the password on: give it by --password-file");
        }
        char[] first = console.readPassword("Password: ");
        char[] second = console.readPassword("Once more: ");
        if (first == null || !Arrays.equals(first, second)) {
            throw new CliException(Exit.FAILED, "nothing was done: the two were not the same");
        }
        return new String(first);
    }
}
