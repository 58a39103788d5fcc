package org.plover.replication.core;

import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** Plants one fault after the other and runs both simulations and the tests of the cores on each; see {@code itests/mutants.sh --help}. */
public final class Mutants {
    private static final String NONE = "none";
    private static final long MINUTES_MAX = 10;

    private final Path root;
    private final Path scratch;
    private final long seed;
    private final long schedules;
    private int missed;

    private Mutants(Path root, Path scratch, long seed, long schedules) {
        this.root = root;
        this.scratch = scratch;
        this.seed = seed;
        this.schedules = schedules;
    }

    /** Source folder of the repository, an empty folder, first seed, schedules, names. */
    public static void main(String[] args) throws Exception {
        Mutants mutants = new Mutants(Path.of(args[0]).toAbsolutePath(), Path.of(args[1]), Long.parseLong(args[2]), Long.parseLong(args[3]));
        List<String> names = new ArrayList<>(List.of(args).subList(4, args.length));
        if (names.isEmpty()) {
            names.add(NONE);
            try (Stream<Path> files = Files.list(mutants.patches())) {
                files.map(f -> f.getFileName().toString()).filter(f -> f.endsWith(".patch")).sorted()
                        .forEach(f -> names.add(f.substring(0, f.length() - ".patch".length())));
            }
        }
        print("fault", "result", "by", "seed", "schedules", "what was said");
        for (String name : names) {
            mutants.check(name);
        }
        System.out.println(names.size() + " checked, " + mutants.missed + " not as they should be");
        System.exit(mutants.missed == 0 ? 0 : 1);
    }

    private static void print(String... columns) {
        System.out.printf("%-32s %-10s %-10s %8s %10s  %s%n", (Object[]) columns);
    }

    private Path patches() {
        return root.resolve("itests/mutants");
    }

    private void check(String name) throws Exception {
        boolean intact = name.equals(NONE);
        String patch = intact ? "" : Files.readString(patches().resolve(name + ".patch"));
        Path classes = Files.createDirectories(scratch.resolve(name));
        if (!intact && !plant(name, patch, classes)) {
            print(name, "stale", "-", "-", "-", "does not apply to these sources or does not compile any more; renew the patch");
            missed++;
            return;
        }
        String[] group = run(classes, "org.plover.replication.core.Simulate", seed, (long) ReplicaChaosTest.STEPS, schedules);
        String by = "group";
        String[] found = group;
        if (group[0].equals("kept") && (intact || patch.contains("+++ b/bundles/consensus-paxos"))) {
            found = run(classes, "org.plover.consensus.paxos.sim.ChaosRun", seed, schedules);
            by = "consensus";
        }
        if (found[0].equals("kept")) {
            String[] schedulesOf = found;
            found = run(classes, "org.plover.replication.core.PlantedTests");
            if (found[0].equals("kept")) {
                found = schedulesOf;
            } else {
                by = "tests";
            }
        }
        boolean kept = found[0].equals("kept");
        print(name, intact ? found[0] : kept ? "NOT FOUND" : found[0].equals("broken") ? "found" : found[0], kept ? "-" : by, found[1], found[2],
                kept ? group[3] + " groups did not come back" : found[4].substring(0, Math.min(150, found[4].length())));
        boolean asItShould = intact ? kept : found[0].equals("broken") || kept && patch.contains("\nNot found:");
        if (!asItShould) {
            missed++;
        }
    }

    /** Applies the patch to copies of the sources it names, and compiles those. */
    private boolean plant(String name, String patch, Path classes) throws IOException, InterruptedException {
        Path tree = Files.createDirectories(scratch.resolve(name + "-tree"));
        List<Path> files = new ArrayList<>();
        for (String line : patch.lines().filter(l -> l.startsWith("+++ b/")).toList()) {
            Path file = Path.of(line.substring("+++ b/".length()).strip());
            Files.createDirectories(tree.resolve(file).getParent());
            files.add(Files.copy(root.resolve(file), tree.resolve(file)));
        }
        Process apply = new ProcessBuilder("git", "apply", "--whitespace=nowarn", patches().resolve(name + ".patch").toString())
                .directory(tree.toFile()).inheritIO().start();
        if (apply.waitFor() != 0) {
            return false;
        }
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter said = new StringWriter();
        try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
            boolean compiled = compiler.getTask(said, manager, null, List.of("-nowarn", "--release", "17", "-cp",
                    System.getProperty("java.class.path"), "-d", classes.toString()), null, manager.getJavaFileObjectsFromPaths(files)).call();
            if (!compiled) {
                System.err.println(said);
            }
            return compiled;
        }
    }

    /** Runs {@code planted} of that class over the changed classes; see {@link Simulate#planted}. */
    private static String[] run(Path changed, String main, Long... arguments) throws Exception {
        List<URL> urls = new ArrayList<>(List.of(changed.toUri().toURL()));
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            urls.add(Path.of(entry).toUri().toURL());
        }
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try (URLClassLoader loader = new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            Class<?>[] types = new Class<?>[arguments.length];
            Arrays.fill(types, long.class);
            var planted = loader.loadClass(main).getMethod("planted", types);
            Future<String[]> result = thread.submit(() -> ((String) planted.invoke(null, (Object[]) arguments)).split("\t"));
            return result.get(MINUTES_MAX, TimeUnit.MINUTES);
        } catch (TimeoutException e) {
            return new String[] {"hung", "-", "-", "-", "not done after " + MINUTES_MAX + " minutes"};
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() instanceof InvocationTargetException i ? i.getTargetException() : e.getCause();
            return new String[] {"hung", "-", "-", "-", "ended by " + cause};
        } finally {
            thread.shutdownNow();
        }
    }
}
