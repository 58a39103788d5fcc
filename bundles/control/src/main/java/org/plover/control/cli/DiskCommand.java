package org.plover.control.cli;

import jakarta.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.plover.api.disk.DiskRecovery;
import org.plover.control.wire.Protocol;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** What is done with disks and their images. */
@Command(name = "disk", synopsisSubcommandLabel = "COMMAND", subcommands = {DiskCommand.Recover.class, DiskCommand.Grow.class},
        header = "Looks after disks and their images.")
final class DiskCommand implements Runnable {
    @ParentCommand
    private Main main;

    @Mixin
    private HelpOption help;

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "say which command");
    }

    /** Makes a disk longer. */
    @Command(name = "grow",
            header = "Makes a disk of a running guest longer, on both replicas.",
            description = {
                "",
                "Run it where the primary is, while the guest is protected. Images that are files become longer by themselves; a block device has "
                    + "to be enlarged on both hosts before. The guest stands still for a moment and is told of the new length; its partition "
                    + "and its file system are its own matter.",
                "",
                "Example: plover disk grow 0 20G",
                ""})
    static final class Grow implements Callable<Integer> {
        private static final Pattern SIZE = Pattern.compile("(\\d{1,18})([KMGT]?)");

        @ParentCommand
        private DiskCommand parent;

        @Mixin
        private HelpOption help;

        @Mixin
        private VmOption vm;

        @Mixin
        private TimeoutOption timeout;

        @Parameters(index = "0", paramLabel = "DISK", description = "Number of the disk, in the order of 'disks', from 0 on.")
        private int disk;

        @Parameters(index = "1", paramLabel = "SIZE", description = "New length: bytes, or KiB, MiB, GiB, TiB with K, M, G, T behind it.")
        private String size;

        @Override
        public Integer call() {
            try (ControlClient client = parent.main.connect()) {
                JsonObject answer = timeout.call(client, vm.request(Protocol.GROW_DISK).add(Protocol.DISK, disk).add(Protocol.BYTES, bytes(size)))
                        .asJsonObject();
                parent.main.terminal.out.println(answer.getString(Protocol.MESSAGE));
                return Exit.OK;
            }
        }

        private static long bytes(String text) {
            Matcher m = SIZE.matcher(text);
            if (m.matches()) {
                try {
                    return Math.multiplyExact(Long.parseLong(m.group(1)), m.group(2).isEmpty() ? 1L : 1L << 10 * ("KMGT".indexOf(m.group(2)) + 1));
                } catch (ArithmeticException e) {
                    throw new CliException(Exit.USAGE, text + " is more than there can be", e);
                }
            }
            throw new CliException(Exit.USAGE, "'" + text + "' is no length; write bytes, or a number with K, M, G or T behind it, such as 20G");
        }
    }

    /** Brings images up to date. */
    @Command(name = "recover",
            header = "Puts what the journal holds into the images, as the next start of the appliance would.",
            description = {
                "",
                "After a crash or a loss of power the newest content of the disks may be in the journal only. Do this before an image is looked "
                    + "at by other programs. It does no harm at any time; if an appliance uses the disks it is refused.",
                "",
                "Example: plover disk recover --data /var/lib/plover/data",
                ""})
    static final class Recover implements Callable<Integer> {
        @ParentCommand
        private DiskCommand parent;

        @Mixin
        private HelpOption help;

        @Option(names = "--vm", paramLabel = "NAME", description = "Only this virtual machine's disks; otherwise those of all.")
        private String vm;

        @Override
        public Integer call() {
            Main main = parent.main;
            int status = Exit.OK;
            int known = 0;
            try (URLClassLoader bundles = new URLClassLoader(jars(main.home()), Recover.class.getClassLoader())) {
                System.setProperty("slf4j.internal.verbosity", "ERROR"); // the command speaks for itself
                for (DiskRecovery provider : ServiceLoader.load(DiskRecovery.class, bundles)) {
                    for (Path state : stateDirectories(main.data())) {
                        if (provider.knows(state)) {
                            known++;
                            status = Math.max(status, recover(main, provider, state));
                        }
                    }
                }
            } catch (IOException e) {
                throw new CliException(Exit.FAILED, "cannot look for disks: " + e.getMessage(), e);
            }
            if (known == 0) {
                main.terminal.out.println("No virtual machine has had disks in " + main.data() + "; nothing was done.");
            }
            return status;
        }

        private int recover(Main main, DiskRecovery provider, Path state) {
            try {
                main.terminal.out.println(provider.recover(state));
                return Exit.OK;
            } catch (IOException e) {
                main.terminal.err.println("plover: " + e.getMessage());
                return Exit.FAILED;
            }
        }

        private List<Path> stateDirectories(Path data) throws IOException {
            Path all = data.resolve("vm");
            if (!Files.isDirectory(all)) {
                return List.of();
            }
            try (Stream<Path> vms = Files.list(all)) {
                return vms.filter(dir -> vm == null || dir.getFileName().toString().equals(vm)).map(dir -> dir.resolve("disks")).sorted().toList();
            }
        }

        /** The providers are bundles of the distribution. */
        private static URL[] jars(Path home) throws IOException {
            List<URL> urls = new ArrayList<>();
            if (home != null) {
                try (DirectoryStream<Path> levels = Files.newDirectoryStream(home.resolve("system"))) {
                    for (Path level : levels) {
                        addJars(level, urls);
                    }
                }
            }
            return urls.toArray(URL[]::new);
        }

        private static void addJars(Path level, List<URL> urls) throws IOException {
            try (DirectoryStream<Path> jars = Files.newDirectoryStream(level, "{plover,slf4j-api,org.objectweb,asm}*.jar")) {
                for (Path jar : jars) {
                    urls.add(url(jar));
                }
            }
        }

        private static URL url(Path jar) {
            try {
                return jar.toUri().toURL();
            } catch (MalformedURLException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
