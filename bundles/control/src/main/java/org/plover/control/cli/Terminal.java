package org.plover.control.cli;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Where a command reads and writes, and whether a person sits there. */
class Terminal {
    final PrintWriter out;
    final PrintWriter err;
    private final BufferedReader in;
    private final boolean personReads;
    private final boolean personTypes;

    Terminal(BufferedReader in, PrintWriter out, PrintWriter err, boolean personTypes, boolean personReads) {
        this.in = in;
        this.out = out;
        this.err = err;
        this.personTypes = personTypes;
        this.personReads = personReads;
    }

    /** The terminal, files or pipes that this process was started with. */
    static Terminal ofProcess() {
        Charset charset = charset();
        return new Terminal(new BufferedReader(new InputStreamReader(System.in, charset)), writer(FileDescriptor.out, charset),
                writer(FileDescriptor.err, charset), isTerminal(0), isTerminal(1));
    }

    /** Whether somebody reads along: then a screen can be refreshed in place. */
    boolean personReads() {
        return personReads;
    }

    /** Whether somebody can answer a question. */
    boolean personTypes() {
        return personTypes;
    }

    /** Asks a question; no answer at all, or any other than yes, is no. */
    boolean confirm(String question) {
        String answer = ask(question + " [y/N] ", "--yes");
        return answer.equalsIgnoreCase("y") || answer.equalsIgnoreCase("yes");
    }

    /** Asks for a word; empty if there is none. {@code option} is what to use where nobody can be asked. */
    String ask(String question, String option) {
        out.print(question);
        out.flush();
        try {
            String answer = in.readLine();
            return answer == null ? "" : answer.strip();
        } catch (IOException e) {
            throw new CliException(Exit.FAILED, "the answer cannot be read (" + e.getMessage() + "); use " + option, e);
        }
    }

    /** Waits between two looks at the appliance. False when there shall be no further look. */
    boolean pause(Duration duration) {
        try {
            Thread.sleep(duration.toMillis());
            return !out.checkError();
        } catch (InterruptedException e) {
            return false;
        }
    }

    private static PrintWriter writer(FileDescriptor descriptor, Charset charset) {
        return new PrintWriter(new FileOutputStream(descriptor), true, charset);
    }

    private static Charset charset() {
        // Java 17 does not have the first of them, and either can be empty.
        String name = System.getProperty("stdout.encoding", System.getProperty("native.encoding", ""));
        try {
            return Charset.forName(name);
        } catch (IllegalArgumentException unknown) {
            return StandardCharsets.UTF_8;
        }
    }

    /** What {@code System.console()} says of this differs between the versions of Java; the kernel's answer does not. */
    private static boolean isTerminal(int descriptor) {
        try {
            Path target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor));
            return target.startsWith("/dev/pts") || target.toString().startsWith("/dev/tty")
                    || target.toString().equals("/dev/console");
        } catch (IOException | RuntimeException unknown) {
            return false;
        }
    }
}
