package org.plover.machine.qemu;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.plover.linux.Errno;
import org.plover.linux.Linux;
import org.plover.linux.PollSet;
import org.plover.linux.SystemCallException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs a program that cannot outlive the appliance, however the appliance ends. A shell holds the reading end of a pipe whose
 * writing end only this process has: when that closes, because of {@link #kill} or because the JVM is gone, the shell kills the
 * program and removes its scratch directory. Should the shell itself be killed, the kernel kills the program (parent-death
 * signal, which is reliable here because the shell has one thread; the JVM's would be that of whichever thread forked).
 *
 * <p>The program is no child of the JVM also because the JVM waits for its children, and would take a ptrace stop for their end.
 */
final class Supervisor {
    private static final Logger LOG = LoggerFactory.getLogger(Supervisor.class);
    /** What the shell calls itself. */
    private static final String NAME = "plover-supervisor";
    private static final String SCRIPT = """
            scratch=$1 log=$2
            shift 2
            "$@" </dev/null >>"$log" 2>&1 &
            program=$!
            echo $program
            exec >&- 2>&-
            read -r ignored
            kill -9 $program
            wait $program
            status=$?
            rm -rf -- "$scratch"
            exit $status
            """;

    private final Process shell;
    private final int pid;
    private final int pidfd;
    private final PollSet ended;

    private Supervisor(Process shell, int pid, int pidfd) {
        this.shell = shell;
        this.pid = pid;
        this.pidfd = pidfd;
        this.ended = pidfd < 0 ? null : new PollSet(pidfd);
    }

    /**
     * Waits until supervisors of an appliance that was killed have removed this scratch directory: they would remove the files of whoever
     * uses it next. Blocks.
     *
     * @return false if one of them is still there after the time
     */
    static boolean awaitEarlier(Path scratch, int millis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        List<ProcessHandle> earlier = ProcessHandle.allProcesses().filter(process -> supervises(process.pid(), scratch)).toList();
        for (ProcessHandle process : earlier) {
            try {
                process.onExit().get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
            } catch (TimeoutException | ExecutionException e) {
                LOG.debug("supervisor {}", process.pid(), e);
                return false;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return true;
    }

    private static boolean supervises(long process, Path scratch) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(process), "cmdline")).contains("\0" + NAME + "\0" + scratch + "\0");
        } catch (IOException gone) {
            return false;
        }
    }

    /**
     * Starts a program.
     *
     * @param scratch removed when the program has ended by the supervisor's doing
     * @param log     takes the program's standard output and error
     */
    static Supervisor start(List<String> program, int nice, Path scratch, Path log) throws IOException {
        List<String> command = new ArrayList<>(List.of("/bin/sh", "-c", SCRIPT, NAME, scratch.toString(),
                log.toString()));
        Host.findProgram("setpriv").ifPresent(p -> command.addAll(List.of(p.toString(), "--pdeathsig", "KILL", "--")));
        int own = Host.ownNice();
        if (nice != own) {
            command.addAll(List.of("nice", "-n", Integer.toString(nice - own)));
        }
        command.addAll(program);
        Process shell = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try (BufferedReader out = new BufferedReader(new InputStreamReader(shell.getInputStream(), StandardCharsets.US_ASCII))) {
            String line = out.readLine();
            if (line == null) {
                throw new IOException("/bin/sh did not start " + program.get(0) + " (can " + log + " be written?)");
            }
            int pid = Integer.parseInt(line.trim());
            return new Supervisor(shell, pid, openUnlessGone(pid));
        } catch (IOException | NumberFormatException e) {
            shell.getOutputStream().close();
            throw e instanceof IOException io ? io : new IOException("/bin/sh named no process id", e);
        }
    }

    private static int openUnlessGone(int pid) throws SystemCallException {
        try {
            return Linux.pidfdOpen(pid);
        } catch (SystemCallException e) {
            if (e.errno() == Errno.ESRCH) {
                return -1;
            }
            throw e;
        }
    }

    int pid() {
        return pid;
    }

    /** Becomes readable when the program ends; -1 if it had ended before anyone could look. */
    int pidfd() {
        return pidfd;
    }

    /** Waits for the program to end by itself; returns whether it has. */
    synchronized boolean awaitEnd(int millis) throws SystemCallException {
        return ended == null || ended.await(millis);
    }

    /** Kills the program at once and waits until it and the shell are gone. Returns the shell's exit status, or -1. */
    int kill() {
        try {
            shell.getOutputStream().close();
        } catch (IOException e) {
            LOG.debug("pipe to the supervisor of process {}", pid, e);
        }
        int status = -1;
        try {
            if (shell.waitFor(10, TimeUnit.SECONDS)) {
                status = shell.exitValue();
            } else {
                LOG.error("process {} does not end within 10 s of SIGKILL: it hangs in the kernel, look at 'ps -o wchan {}'",
                        pid, pid);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return status;
    }

    /** After {@link #kill}: gives the descriptor back. */
    void close() {
        if (pidfd >= 0) {
            Threads.closeQuietly(pidfd, LOG);
        }
    }

    /** In words, what a shell's exit status says about the program. */
    static String describe(int status) {
        return status > 128 ? "killed by signal " + (status - 128) : "exit status " + status;
    }
}
