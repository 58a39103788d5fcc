package org.plover.itests;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** An appliance without web console, started by {@code bin/plover run} and asked by the command line. */
final class Member implements AutoCloseable {

    private static final int STOP_SECONDS_MAX = 30;

    private final Path launcher;
    private final Path data;
    private final Path output;
    private final Process process;
    private final Thread lastResort;

    private Member(Path launcher, Path data, Path output, Process process) {
        this.launcher = launcher;
        this.data = data;
        this.output = output;
        this.process = process;
        this.lastResort = new Thread(process::destroy);
        // A test's JVM that is made to end must not leave appliances behind.
        Runtime.getRuntime().addShutdownHook(lastResort);
    }

    /** Starts it in a folder of its own, which has a folder "config"; returns when its control socket is open. */
    static Member start(Path launcher, Path home, String name) throws Exception {
        Path data = home.resolve("data");
        Path output = home.resolve("appliance.log");
        Process process = new ProcessBuilder(launcher.toString(), "run", "--config", home.resolve("config").toString(),
                "--data", data.toString(), "--http-port", "none", "--name", name)
                .redirectErrorStream(true).redirectOutput(output.toFile()).start();
        process.getOutputStream().close();
        Member member = new Member(launcher, data, output, process);
        try {
            Await.until("the control socket of " + name + " is open", () -> {
                if (!process.isAlive()) {
                    throw new AssertionError("the appliance has ended with " + process.exitValue());
                }
                return Files.exists(data.resolve("plover.sock"));
            });
        } catch (Exception | AssertionError e) {
            member.close();
            throw new AssertionError("no appliance " + name + ", its output was:\n" + member.output(), e);
        }
        return member;
    }

    /** Asks it by the command line. */
    Command.Result plover(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("--data", data.toString()));
        return Command.run(data, command.toArray(String[]::new));
    }

    String output() throws IOException {
        return Files.readString(output);
    }

    Path data() {
        return data;
    }

    /** SIGTERM, as from an init system; fails if it or a child of it is still there after half a minute. */
    @Override
    public void close() throws InterruptedException {
        List<ProcessHandle> children = process.descendants().toList();
        process.destroy();
        boolean ended = process.waitFor(STOP_SECONDS_MAX, TimeUnit.SECONDS);
        if (!ended) {
            process.destroyForcibly().waitFor();
        }
        Runtime.getRuntime().removeShutdownHook(lastResort);
        if (!ended) {
            throw new AssertionError("the appliance has not stopped within " + STOP_SECONDS_MAX + " s of SIGTERM");
        }
        List<ProcessHandle> left = children.stream().filter(ProcessHandle::isAlive).toList();
        if (!left.isEmpty()) {
            throw new AssertionError("the appliance has ended, but its children have not: "
                    + left.stream().map(child -> child.pid() + " " + child.info().commandLine().orElse("?")).toList());
        }
    }
}
