package org.plover.machine.qemu;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/** Plain facts about this host. */
final class Host {
    private static final Pattern VIRTUALISATION_FLAG = Pattern.compile("(?m)^flags\\s*:.*\\b(vmx|svm)\\b");

    private Host() {
    }

    /** An executable by absolute path, or by name along the PATH. */
    static Optional<Path> findProgram(String nameOrPath) {
        if (nameOrPath.contains("/")) {
            Path path = Path.of(nameOrPath);
            return Files.isExecutable(path) && !Files.isDirectory(path) ? Optional.of(path) : Optional.empty();
        }
        String path = System.getenv("PATH");
        for (String directory : (path == null ? "/usr/bin:/bin" : path).split(File.pathSeparator)) {
            Path candidate = Path.of(directory.isEmpty() ? "." : directory, nameOrPath);
            if (Files.isExecutable(candidate) && !Files.isDirectory(candidate)) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }

    /** Niceness of this thread, which a process that it starts inherits; 0 if it cannot be read. */
    static int ownNice() {
        try {
            String stat = Files.readString(Path.of("/proc/thread-self/stat"));
            // The name, in brackets, may hold blanks; niceness is the 17th field behind it.
            return Integer.parseInt(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[16]);
        } catch (IOException | NumberFormatException e) {
            return 0;
        }
    }

    /** Whether the CPU lists the feature that KVM needs: /dev/kvm alone is no proof. */
    static boolean cpuHasVirtualisation() {
        try {
            return VIRTUALISATION_FLAG.matcher(Files.readString(Path.of("/proc/cpuinfo"))).find();
        } catch (IOException e) {
            return false;
        }
    }

    static boolean canOpenKvm() {
        Path kvm = Path.of("/dev/kvm");
        return Files.isReadable(kvm) && Files.isWritable(kvm);
    }

    /** The accelerator that the settings lead to on this host: {@code kvm} or {@code tcg}. */
    static String accelerator(Settings settings) {
        if (!settings.accelerator().equals("auto")) {
            return settings.accelerator();
        }
        return cpuHasVirtualisation() && canOpenKvm() ? "kvm" : "tcg";
    }
}
