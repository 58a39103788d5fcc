package org.plover.control.cli;

import jakarta.json.JsonValue;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.plover.control.wire.Protocol;
import org.plover.control.wire.RecordJson;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The {@code plover} command: asks and tells the appliance on this host by its control socket. */
@Command(name = "plover", versionProvider = Main.Version.class, synopsisSubcommandLabel = "COMMAND",
        subcommands = {RunCommand.class, InitCommand.class, IdentityCommand.class, InviteCommand.class, PinCommand.class, StatusCommand.class,
            EpochsCommand.class, EventsCommand.class, VerifyCommand.class, BackupCommand.class, DiskCommand.class, SwitchoverCommand.class,
            LeaveCommand.class, JoinCommand.class, ReplaceCommand.class, ForcePrimaryCommand.class, SettingsCommand.class, SetCommand.class,
            UserCommand.class, DoctorCommand.class, ProtectCommand.class, CommandLine.HelpCommand.class},
        description = {
            "Keeps an unmodified virtual machine running on two hosts at once, so that it survives the loss of either.",
            "",
            "Start with 'plover doctor' on every host, then 'plover run', then watch 'plover status --watch'."},
        footer = {
            "",
            "'plover help COMMAND' explains a command, with an example.",
            "Exit codes: 0 done, 1 the operation failed, 2 the command line is wrong, 3 no appliance to ask."})
public final class Main implements Runnable {
    /** The launcher gives the data directory so, from its environment or beside the installation. */
    private static final String HOME_PROPERTY = "plover.home";
    private static final String DATA_VARIABLE = "PLOVER_DATA";

    private final Map<String, String> environment;
    private final Map<?, ?> properties;
    final Terminal terminal;

    @Spec
    private CommandSpec spec;

    @Option(names = "--data", paramLabel = "DIR", scope = ScopeType.INHERIT,
            description = "Data directory of the appliance, where its socket is. Default: $PLOVER_DATA, else data/ of the installation.")
    private Path dataOption;

    @Option(names = "--socket", paramLabel = "FILE", scope = ScopeType.INHERIT,
            description = "The control socket itself, if the appliance was configured to have it elsewhere.")
    private Path socketOption;

    @Mixin
    private HelpOption help;

    @Option(names = {"-V", "--version"}, versionHelp = true, description = "Prints the version.")
    private boolean version;

    Main(Terminal terminal, Map<String, String> environment, Map<?, ?> properties) {
        this.terminal = terminal;
        this.environment = environment;
        this.properties = properties;
    }

    public static void main(String[] arguments) {
        System.exit(run(arguments, Terminal.ofProcess(), System.getenv(), System.getProperties()));
    }

    /** Runs one command; returns its exit code. */
    static int run(String[] arguments, Terminal terminal, Map<String, String> environment, Map<?, ?> properties) {
        boolean colours = terminal.personReads() && !environment.containsKey("NO_COLOR");
        CommandLine plover = new CommandLine(new Main(terminal, environment, properties));
        // It makes the socket where its configuration says, not where an option does.
        CommandSpec runSpec = plover.getSubcommands().get("run").getCommandSpec();
        runSpec.remove(runSpec.findOption("--socket"));
        int exitCode = plover
                .setOut(terminal.out)
                .setErr(terminal.err)
                .setColorScheme(Help.defaultColorScheme(colours ? Help.Ansi.ON : Help.Ansi.OFF))
                .setUsageHelpWidth(100)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler(Main::wrongCommandLine)
                .setExecutionExceptionHandler((failure, command, parsed) -> failed(failure, terminal.err))
                .execute(arguments);
        terminal.out.flush();
        terminal.err.flush();
        return exitCode;
    }

    /** Without a command there is nothing to do but to tell which there are. */
    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "say which command");
    }

    ControlClient connect() {
        Path socket = socketOption != null ? socketOption : data().resolve(Protocol.SOCKET_NAME);
        return ControlClient.connect(socket.toAbsolutePath().normalize());
    }

    Path data() {
        if (dataOption != null) {
            return dataOption;
        }
        Object given = properties.get(Protocol.DATA_PROPERTY);
        if (given == null) {
            given = environment.get(DATA_VARIABLE);
        }
        if (given != null) {
            return Path.of(given.toString());
        }
        Path home = home();
        return home == null ? Path.of("data") : home.resolve("data");
    }

    /** Where the distribution is unpacked, or null if the launcher did not say. */
    Path home() {
        Object home = properties.get(HOME_PROPERTY);
        return home == null ? null : Path.of(home.toString());
    }

    /** What the appliance sent, as records. */
    <T extends Record> List<T> records(Class<T> type, List<JsonValue> answer) {
        try {
            return RecordJson.fromJson(type, answer);
        } catch (IllegalArgumentException e) {
            throw new CliException(Exit.FAILED, "the running appliance speaks of " + type.getSimpleName() + " in another way than this "
                    + "command (" + e.getMessage() + "): their versions differ; restart the appliance", e);
        }
    }

    private static int wrongCommandLine(ParameterException wrong, String[] arguments) {
        CommandLine command = wrong.getCommandLine();
        PrintWriter err = command.getErr();
        err.println("plover: " + wrong.getMessage());
        CommandLine.UnmatchedArgumentException.printSuggestions(wrong, err);
        String name = command.getParent() == null ? "" : " " + command.getCommandName();
        err.println("'plover help" + name + "' says what can be given.");
        return Exit.USAGE;
    }

    private static int failed(Exception failure, PrintWriter err) {
        if (failure instanceof CliException known) {
            err.println("plover: " + known.getMessage());
            return known.exitCode();
        }
        // A fault of ours: whoever is to find it needs the place.
        err.println("plover: the command itself failed; please report this:");
        failure.printStackTrace(err);
        return Exit.FAILED;
    }

    /** Version of the jar this class is in. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"plover " + (version == null ? "(not from a distribution)" : version),
                "Java " + Runtime.version()};
        }
    }
}
