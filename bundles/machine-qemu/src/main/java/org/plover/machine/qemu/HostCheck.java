package org.plover.machine.qemu;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.plover.api.health.Finding;
import org.plover.api.machine.MachineSpec;
import org.plover.api.memory.GuestMemory;
import org.plover.api.memory.PageSet;
import org.plover.linux.Errno;
import org.plover.linux.Linux;
import org.plover.linux.Memory;
import org.plover.linux.SystemCallException;

/** Whether this host can run guests, and what to do if not. What can be tried out is tried out rather than guessed from versions. */
final class HostCheck {
    private static final Pattern VERSION = Pattern.compile("version (\\d+)\\.(\\d+)");
    private static final Pattern MEM_AVAILABLE = Pattern.compile("MemAvailable:\\s+(\\d+) kB");
    private static final Pattern MAC = Pattern.compile("([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}");
    private static final long SYS_GETPID = 39;
    private static final int PROBE_PAGES = 4;

    private final Settings settings;

    HostCheck(Settings settings) {
        this.settings = settings;
    }

    static String noProgram(Settings settings) {
        return "QEMU program '" + settings.qemu() + "' is not " + (settings.qemu().contains("/") ? "an executable file"
                : "on the PATH") + ": install the package qemu-system-x86, or set 'qemu' in org.plover.machine.qemu";
    }

    /** Everything that does not depend on a particular VM. */
    List<Finding> check() {
        List<Finding> findings = new ArrayList<>();
        findings.add(checkArchitecture());
        findings.add(checkQemu());
        findings.add(checkAccelerator());
        findings.add(checkDirtyTracking());
        findings.add(checkTracing());
        findings.add(checkSupervision());
        findings.add(checkRamDirectory());
        return findings;
    }

    /** Everything that a VM needs. */
    List<Finding> checkFor(MachineSpec spec) {
        List<Finding> findings = check();
        findings.addAll(quickCheck(spec));
        return findings;
    }

    /** What can be said about a VM without running anything. */
    List<Finding> quickCheck(MachineSpec spec) {
        List<Finding> findings = new ArrayList<>();
        findings.add(Host.findProgram(settings.qemu()).isPresent() ? Finding.ok("QEMU program", settings.qemu() + " found")
                : Finding.error("QEMU program", settings.qemu() + " not found", noProgram(settings)));
        findings.add(readable("Kernel", spec.kernel()));
        if (spec.initrd() != null) {
            findings.add(readable("Initial RAM disk", spec.initrd()));
        }
        findings.add(checkShape(spec));
        findings.add(checkMemory(spec));
        findings.add(checkRamDirectoryRoom(spec));
        findings.add(checkRuntimeDirectory(spec));
        return findings;
    }

    private static Finding checkArchitecture() {
        String architecture = System.getProperty("os.arch");
        return architecture.equals("amd64") ? Finding.ok("Architecture", architecture)
                : Finding.error("Architecture", "this host is " + architecture, "use a host with an x86-64 CPU");
    }

    private Finding checkQemu() {
        String subject = "QEMU version";
        Optional<Path> program = Host.findProgram(settings.qemu());
        if (program.isEmpty()) {
            return Finding.error(subject, "'" + settings.qemu() + "' not found", noProgram(settings));
        }
        try {
            Process process = new ProcessBuilder(program.get().toString(), "--version").redirectErrorStream(true).start();
            process.getOutputStream().close();
            String line;
            try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
                line = Optional.ofNullable(out.readLine()).orElse("");
            }
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            Matcher version = VERSION.matcher(line);
            if (!version.find()) {
                return Finding.error(subject, program.get() + " --version says '" + line + "'",
                        "install the package qemu-system-x86, or set 'qemu' in org.plover.machine.qemu to the real QEMU");
            }
            int number = Integer.parseInt(version.group(1)) * 100 + Integer.parseInt(version.group(2));
            return number >= 702 ? Finding.ok(subject, line)
                    : Finding.error(subject, line, "install QEMU 7.2 or newer (Debian 12 has it)");
        } catch (IOException e) {
            return Finding.error(subject, program.get() + " cannot be run: " + e.getMessage(),
                    "reinstall the package qemu-system-x86");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Finding.error(subject, "the check was interrupted", "run it again");
        }
    }

    private Finding checkAccelerator() {
        String subject = "Accelerator";
        boolean flag = Host.cpuHasVirtualisation();
        boolean device = Host.canOpenKvm();
        if (Host.accelerator(settings).equals("kvm")) {
            return flag && device ? Finding.ok(subject, "KVM")
                    : Finding.error(subject, "KVM is configured, but " + (flag ? "/dev/kvm cannot be opened"
                            : "/proc/cpuinfo lists neither vmx nor svm"),
                            "set 'accelerator' to auto, or " + (flag ? "give this user read and write access to /dev/kvm"
                                    : "enable virtualisation in the firmware or the outer hypervisor"));
        }
        if (settings.accelerator().equals("tcg")) {
            return Finding.warning(subject, "emulation (TCG) is configured: guests run 10 to 50 times slower than with KVM",
                    flag ? "set 'accelerator' to auto" : "use a host whose CPU offers virtualisation");
        }
        return Finding.warning(subject, "emulation (TCG), because " + (flag ? "/dev/kvm cannot be opened"
                : "/proc/cpuinfo lists neither vmx nor svm") + ": guests run 10 to 50 times slower than with KVM",
                flag ? "load the module kvm_intel or kvm_amd and give this user access to /dev/kvm"
                        : "enable virtualisation in the firmware or the outer hypervisor, or use another host");
    }

    /** Writes pages of this process and asks the kernel which. */
    private static Finding checkDirtyTracking() {
        String subject = "Dirty page tracking";
        String remedy = "use Linux 6.7 or newer (built with CONFIG_USERFAULTFD and CONFIG_PROC_PAGE_MONITOR); in a container, allow"
                + " the system call userfaultfd";
        long bytes = (long) PROBE_PAGES * GuestMemory.PAGE_BYTES;
        long address = 0;
        try {
            address = Linux.mapAnonymous(bytes);
            try (DirtyTracker tracker = DirtyTracker.attachSelf(address, bytes, false)) {
                PageSet written = new PageSet(PROBE_PAGES);
                tracker.fetch(written);
                written.clear();
                Memory.putByte(address + 2L * GuestMemory.PAGE_BYTES, (byte) 1);
                tracker.fetch(written);
                return written.size() == 1 && written.contains(2)
                        ? Finding.ok(subject, "userfaultfd and PAGEMAP_SCAN work on Linux " + System.getProperty("os.version"))
                        : Finding.error(subject, "the kernel reported " + written.size() + " of 1 written pages", remedy);
            }
        } catch (IOException e) {
            return Finding.error(subject, e.getMessage() + " on Linux " + System.getProperty("os.version"), remedy);
        } finally {
            unmap(address, bytes);
        }
    }

    private static void unmap(long address, long bytes) {
        if (address != 0) {
            try {
                Linux.munmap(address, bytes);
            } catch (SystemCallException e) {
                throw new IllegalStateException("a mapping made by ourselves", e);
            }
        }
    }

    /** Lets a small process execute a system call, as will be done with QEMU. */
    private static Finding checkTracing() {
        String subject = "Tracing of QEMU";
        try {
            Supervisor probe = Supervisor.start(List.of("sleep", "60"), 0, Path.of("/nonexistent"), Path.of("/dev/null"));
            try {
                awaitAsleep(probe.pid(), "sleep");
                long answer = RemoteSystemCall.execute(probe.pid(), "getpid", SYS_GETPID, 0, 0);
                return answer == probe.pid() ? Finding.ok(subject, "ptrace of a child works")
                        : Finding.error(subject, "a traced process gave " + answer + " as its id instead of " + probe.pid(),
                                "report this with the kernel's version");
            } finally {
                probe.kill();
                probe.close();
            }
        } catch (IOException e) {
            return Finding.error(subject, e.getMessage(), tracingRemedy(e));
        }
    }

    /** A process that has just been forked is still to become the program: waits until it is, and has nothing to do. */
    static void awaitAsleep(int pid, String program) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (!Files.readString(Path.of("/proc/" + pid + "/stat")).contains("(" + program + ") S")) {
            if (System.nanoTime() > deadline) {
                throw new IOException("'" + program + "' does not start within 10 s: the host is overloaded");
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    static String tracingRemedy(IOException e) {
        Path yama = Path.of("/proc/sys/kernel/yama/ptrace_scope");
        if (e instanceof SystemCallException call && (call.errno() == Errno.EPERM || call.errno() == Errno.EACCES)) {
            try {
                if (Files.exists(yama) && Integer.parseInt(Files.readString(yama).strip()) >= 2) {
                    return "set kernel.yama.ptrace_scope to 0 or 1 (sysctl), or give the appliance CAP_SYS_PTRACE if it is 2";
                }
            } catch (IOException | NumberFormatException unreadable) {
                return "look at " + yama + ", which cannot be read here";
            }
            return "run the appliance and QEMU as the same user, or give the appliance CAP_SYS_PTRACE; in a container, allow the"
                    + " system call ptrace";
        }
        return "run the pre-flight check, it tries each of the steps on its own";
    }

    private static Finding checkSupervision() {
        return Host.findProgram("setpriv").isPresent() ? Finding.ok("Supervision of QEMU", "setpriv found")
                : Finding.warning("Supervision of QEMU",
                        "setpriv not found: QEMU would go on if both the appliance and its supervising shell were killed",
                        "install the package util-linux");
    }

    private Finding checkRamDirectory() {
        String subject = "RAM directory";
        Path directory = settings.ramDirectory();
        try {
            if (!Files.isDirectory(directory) || !Files.isWritable(directory)) {
                return Finding.error(subject, directory + " is not a directory that can be written",
                        "create it or set 'ramDirectory' in org.plover.machine.qemu");
            }
            FileStore store = Files.getFileStore(directory);
            return store.type().equals("tmpfs") ? Finding.ok(subject, directory + " is a tmpfs")
                    : Finding.error(subject, directory + " is on " + store.type() + ", so guest memory would go to a disk",
                            "set 'ramDirectory' in org.plover.machine.qemu to a tmpfs such as /dev/shm");
        } catch (IOException e) {
            return Finding.error(subject, directory + ": " + e.getMessage(), "set 'ramDirectory' in org.plover.machine.qemu");
        }
    }

    private Finding checkRamDirectoryRoom(MachineSpec spec) {
        Finding basic = checkRamDirectory();
        if (basic.level() != Finding.Level.OK) {
            return basic;
        }
        String subject = "Room in RAM directory";
        try {
            long room = Files.getFileStore(settings.ramDirectory()).getUsableSpace() >> 20;
            // The slot for device state and the saved state lie there too.
            long needed = spec.memoryMiB() + 16L;
            return room >= needed ? Finding.ok(subject, room + " MiB free in " + settings.ramDirectory())
                    : Finding.error(subject, settings.ramDirectory() + " has " + room + " MiB free, the VM needs " + needed,
                            "give the VM less memory, or enlarge it: mount -o remount,size=" + (needed + 1024) + "M "
                                    + settings.ramDirectory());
        } catch (IOException e) {
            return Finding.error(subject, settings.ramDirectory() + ": " + e.getMessage(),
                    "set 'ramDirectory' in org.plover.machine.qemu");
        }
    }

    private static Finding checkMemory(MachineSpec spec) {
        String subject = "Memory";
        try {
            Matcher available = MEM_AVAILABLE.matcher(Files.readString(Path.of("/proc/meminfo")));
            long mebibytes = available.find() ? Long.parseLong(available.group(1)) >> 10 : 0;
            return mebibytes >= spec.memoryMiB() ? Finding.ok(subject, mebibytes + " MiB available")
                    : Finding.error(subject, mebibytes + " MiB available, the VM has " + spec.memoryMiB() + " MiB",
                            "give the VM less memory or free some on this host");
        } catch (IOException e) {
            return Finding.error(subject, "/proc/meminfo cannot be read: " + e.getMessage(), "mount /proc");
        }
    }

    private static Finding checkShape(MachineSpec spec) {
        String subject = "Virtual machine";
        if (spec.memoryMiB() < 32 || spec.vcpus() < 1 || spec.vcpus() > 255) {
            return Finding.error(subject, spec.memoryMiB() + " MiB and " + spec.vcpus() + " vCPUs",
                    "choose 32 MiB or more and 1 to 255 vCPUs");
        }
        for (int i = 0; i < spec.nics().size(); i++) {
            String mac = spec.nics().get(i).mac();
            int mtu = spec.nics().get(i).mtu();
            if (!MAC.matcher(mac).matches() || (Integer.parseInt(mac.substring(0, 2), 16) & 1) != 0 || mtu < 68 || mtu > 9000) {
                return Finding.error(subject, "interface " + i + " has MAC '" + mac + "' and MTU " + mtu,
                        "give it a unicast MAC such as 52:54:00:12:34:56 and an MTU of 68 to 9000");
            }
        }
        for (int i = 0; i < spec.disks().size(); i++) {
            int bytes = spec.disks().get(i).sectorBytes();
            if (bytes != 512 && bytes != 4096) {
                return Finding.error(subject, "disk " + i + " has sectors of " + bytes + " bytes", "choose 512 or 4096");
            }
        }
        return Finding.ok(subject, spec.memoryMiB() + " MiB, " + spec.vcpus() + " vCPUs, " + spec.nics().size() + " interfaces, "
                + spec.disks().size() + " disks");
    }

    private static Finding readable(String subject, Path file) {
        return Files.isRegularFile(file) && Files.isReadable(file) ? Finding.ok(subject, file + " is readable")
                : Finding.error(subject, file + (Files.exists(file) ? " cannot be read" : " does not exist"),
                        "correct the path in the VM's configuration, or the file's permissions");
    }

    private Finding checkRuntimeDirectory(MachineSpec spec) {
        String subject = "Runtime directory";
        CommandLine.Files files = CommandLine.Files.of(spec, settings.ramDirectory());
        Path directory = files.runtimeDirectory();
        List<Path> sockets = new ArrayList<>();
        sockets.add(files.nicSocket(Math.max(0, spec.nics().size() - 1)));
        spec.disks().forEach(disk -> sockets.add(disk.socket().toAbsolutePath()));
        for (Path socket : sockets) {
            int bytes = socket.toString().getBytes(StandardCharsets.UTF_8).length;
            if (bytes > Linux.UNIX_PATH_BYTES_MAX) {
                return Finding.error(subject, "socket path " + socket + " has " + bytes + " bytes, Linux takes "
                        + Linux.UNIX_PATH_BYTES_MAX, "choose a shorter runtime directory");
            }
        }
        Path existing = directory;
        while (existing != null && !Files.exists(existing)) {
            existing = existing.getParent();
        }
        return existing != null && Files.isDirectory(existing) && Files.isWritable(existing)
                ? Finding.ok(subject, directory + " can be written")
                : Finding.error(subject, directory + " cannot be written by this user",
                        "create it, or choose another runtime directory in the VM's configuration");
    }
}
