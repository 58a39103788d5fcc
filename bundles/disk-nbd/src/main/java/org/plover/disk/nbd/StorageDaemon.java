package org.plover.disk.nbd;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A qemu-storage-daemon that lets a qcow2 image appear as a raw file (FUSE) for as long as this appliance runs. A shell holds the reading
 * end of a pipe whose writing end only this process has: when that closes, because of {@link #close} or because the JVM is gone, the
 * daemon is told to end, which makes durable what it has and takes the file away. Should the shell be killed, the kernel tells it. If
 * all three are killed at once, a mount without a daemon is left, which the next start removes.
 */
final class StorageDaemon implements AutoCloseable {
    static final String PROGRAM = "qemu-storage-daemon";
    private static final Logger log = LoggerFactory.getLogger(StorageDaemon.class);
    /** What the shell calls itself. */
    private static final String NAME = "plover-storage";
    private static final String SCRIPT = """
            mount=$1
            shift
            "$@" </dev/null 2>&1 &
            program=$!
            echo "$program"
            exec >/dev/null 2>&1
            read -r ignored
            kill -TERM $program
            wait $program
            if grep -qF " $mount fuse" /proc/self/mounts; then umount -l -- "$mount" || fusermount3 -u -z -- "$mount"; fi
            """;
    private static final int EARLIER_SECONDS_MAX = 10;
    private static final int END_SECONDS_MAX = 20;
    private static final int WORDS_MAX = 5;

    private final String name;
    private final Process shell;
    private final BufferedReader words;
    private final Deque<String> lastWords = new ArrayDeque<>(); // also its own monitor
    private long pid = -1;
    private volatile boolean ended;
    private volatile boolean closed;
    private volatile Consumer<IOException> listener = lost -> { };

    private StorageDaemon(String name, Process shell) {
        this.name = name;
        this.shell = shell;
        this.words = new BufferedReader(new InputStreamReader(shell.getInputStream(), StandardCharsets.UTF_8));
    }

    /**
     * Returns when the image's content is at {@code mount}, an empty file that is made if it is missing. Blocks.
     *
     * @param program name on the PATH, or absolute path
     * @throws IOException says why not and what to do; nothing is left
     */
    static StorageDaemon start(String program, Path image, boolean readOnly, Path mount) throws IOException {
        String name = "disk image " + image;
        Path daemon = findProgram(program).orElseThrow(() -> new IOException(name + " is of format qcow2, which needs " + program
                + "; install it (Debian: qemu-system-common), or set storageDaemon of " + NbdDiskConfig.PID));
        clean(mount);
        Files.createDirectories(mount.toAbsolutePath().getParent());
        if (!Files.exists(mount)) {
            Files.createFile(mount);
        }
        List<String> command = new ArrayList<>();
        // A Ctrl-C is for the appliance, which still needs its images then.
        findProgram("setsid").ifPresent(setsid -> command.add(setsid.toString()));
        command.addAll(List.of("/bin/sh", "-c", SCRIPT, NAME, mount.toString()));
        findProgram("setpriv").ifPresent(setpriv -> command.addAll(List.of(setpriv.toString(), "--pdeathsig", "TERM", "--")));
        command.add(daemon.toString());
        String access = ",discard=unmap,read-only=" + (readOnly ? "on" : "off");
        command.addAll(List.of("--blockdev", "driver=file,node-name=file,filename=" + escape(image) + access,
                "--blockdev", "driver=qcow2,node-name=disk,file=file" + access,
                "--export", "type=fuse,id=disk,node-name=disk,mountpoint=" + escape(mount) + ",writable=" + (readOnly ? "off" : "on"),
                // Greets when all of the above is there.
                "--chardev", "stdio,id=words", "--monitor", "chardev=words"));
        StorageDaemon started = new StorageDaemon(name, new ProcessBuilder(command).redirectErrorStream(true).start());
        try {
            started.awaitGreeting(image);
        } catch (IOException | RuntimeException e) {
            started.close();
            throw e;
        }
        Thread watch = new Thread(started::watch, "plover-storage-" + image.getFileName());
        watch.setDaemon(true);
        watch.start();
        return started;
    }

    private static String escape(Path path) {
        return path.toAbsolutePath().toString().replace(",", ",,");
    }

    static Optional<Path> findProgram(String nameOrPath) {
        String path = System.getenv("PATH");
        String directories = nameOrPath.contains("/") ? "/" : path == null ? "/usr/bin:/bin" : path;
        for (String directory : directories.split(File.pathSeparator)) {
            Path candidate = Path.of(directory.isEmpty() ? "." : directory).resolve(nameOrPath);
            if (Files.isExecutable(candidate) && !Files.isDirectory(candidate)) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }

    // ---- what earlier ones have left ----

    /** Waits for the daemon of an appliance that was killed, and removes a mount that has none any more. */
    private static void clean(Path mount) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(EARLIER_SECONDS_MAX);
        for (ProcessHandle earlier : ProcessHandle.allProcesses().filter(process -> serves(process.pid(), mount)).toList()) {
            try {
                earlier.onExit().get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
            } catch (TimeoutException | ExecutionException e) {
                throw new IOException("process " + earlier.pid() + " of an appliance that was killed still serves " + mount + " after "
                        + EARLIER_SECONDS_MAX + " s; look at it with 'ps', end it, and start this member again", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while waiting for the earlier daemon of " + mount, e);
            }
        }
        while (isMounted(mount)) {
            log.warn("{} is still mounted by an appliance that was killed; it is unmounted", mount);
            if (!run("umount", "-l", mount.toString()) && !run("fusermount3", "-u", "-z", mount.toString())) {
                throw new IOException(mount + " is still mounted by an appliance that was killed, and cannot be unmounted by this user; do it with"
                        + " 'umount -l " + mount + "'");
            }
        }
    }

    private static boolean serves(long process, Path mount) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(process), "cmdline")).contains("\0" + NAME + "\0" + mount + "\0");
        } catch (IOException gone) {
            return false;
        }
    }

    static boolean isMounted(Path mount) throws IOException {
        // Blanks and such are written as octal numbers there.
        String escaped = mount.toAbsolutePath().toString().replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011")
                .replace("\n", "\\012");
        for (String line : Files.readAllLines(Path.of("/proc/self/mounts"))) {
            if (line.split(" ")[1].equals(escaped)) {
                return true;
            }
        }
        return false;
    }

    private static boolean run(String... command) throws IOException {
        if (findProgram(command[0]).isEmpty()) {
            return false;
        }
        try {
            return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while '" + String.join(" ", command) + "' ran", e);
        }
    }

    // ---- its life ----

    private void awaitGreeting(Path image) throws IOException {
        for (String line; (line = words.readLine()) != null; ) {
            if (line.startsWith("{\"QMP\"")) {
                return;
            }
            if (line.matches("\\d+") && pid < 0) {
                pid = Long.parseLong(line);
            } else {
                note(line);
            }
        }
        ended = true;
        boolean fuse = Files.isReadable(Path.of("/dev/fuse")) && Files.isWritable(Path.of("/dev/fuse"));
        throw new IOException(name + " cannot be opened by " + PROGRAM + ": " + lastWords() + "; "
                + (fuse ? "look at it with 'qemu-img check -f qcow2 " + image + "', and see that nothing else uses it"
                        : "let this user open /dev/fuse ('modprobe fuse'; in a container, hand it in)"));
    }

    private void note(String line) {
        synchronized (lastWords) {
            lastWords.add(line);
            if (lastWords.size() > WORDS_MAX) {
                lastWords.remove();
            }
        }
    }

    private String lastWords() {
        synchronized (lastWords) {
            return lastWords.isEmpty() ? "it said nothing" : String.join("; ", lastWords);
        }
    }

    private void watch() {
        try {
            for (String line; (line = words.readLine()) != null; ) {
                log.warn("{}: {}: {}", name, PROGRAM, line);
                note(line);
            }
        } catch (IOException e) {
            log.debug("{}: what {} says is not known any more", name, PROGRAM, e);
        }
        ended = true;
        if (!closed) {
            listener.accept(lost(null));
        }
    }

    /** Who is to be told if it ends by itself; on a thread of its own. */
    void onLost(Consumer<IOException> told) {
        listener = told;
        if (ended && !closed) {
            told.accept(lost(null));
        }
    }

    /** What an I/O error really is, if the daemon is gone. */
    IOException explain(IOException error) {
        return ended && !closed ? lost(error) : error;
    }

    private IOException lost(IOException cause) {
        return new IOException(name + ": its " + PROGRAM + " has ended (" + lastWords() + "); what was not synced is in the journal", cause);
    }

    long pid() {
        return pid;
    }

    /** Ends it, and returns when the image is released. The file must not be open any more. */
    @Override
    public void close() throws IOException {
        closed = true;
        shell.getOutputStream().close();
        try {
            if (!shell.waitFor(END_SECONDS_MAX, TimeUnit.SECONDS)) {
                ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
                shell.waitFor(END_SECONDS_MAX, TimeUnit.SECONDS);
                throw new IOException(name + ": " + PROGRAM + " did not end within " + END_SECONDS_MAX + " s and was killed");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(name + ": interrupted while " + PROGRAM + " ended", e);
        }
    }
}
