package org.plover.machine.qemu;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.plover.api.machine.MachineException;
import org.plover.api.machine.MachineSpec;
import org.plover.linux.Linux;
import org.plover.linux.PollSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running QEMU with its sockets connected and its files in place, but nothing known yet about its guest. QEMU connects to us,
 * so that nothing has to be polled for.
 */
final class QemuProcess implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(QemuProcess.class);
    private static final int EARLIER_MILLIS_MAX = 10_000;
    private static final int CONNECT_TIMEOUT_MILLIS = 30_000;
    private static final int LAST_WORDS_BYTES = 1500;

    private final CommandLine.Files files;
    private FileChannel lockFile;
    private Supervisor supervisor;
    private StateSlot slot;
    private int qmpFd = -1;
    private final List<Integer> nicFds = new ArrayList<>();

    private QemuProcess(CommandLine.Files files) {
        this.files = files;
    }

    /** Starts QEMU; blocks until it has connected. After a failure nothing runs and nothing is left. */
    static QemuProcess start(Settings settings, MachineSpec spec, String accelerator) throws MachineException {
        Path program = Host.findProgram(settings.qemu()).orElseThrow(() -> new MachineException(HostCheck.noProgram(settings)));
        CommandLine.Files files = CommandLine.Files.of(spec, settings.ramDirectory());
        QemuProcess process = new QemuProcess(files);
        List<Integer> listening = new ArrayList<>();
        try {
            process.prepareDirectories(spec.name());
            process.slot = StateSlot.create(files.slot());
            listening.add(Linux.listenUnix(files.qmpSocket().toString()));
            for (int i = 0; i < spec.nics().size(); i++) {
                listening.add(Linux.listenUnix(files.nicSocket(i).toString()));
            }
            List<String> command = new ArrayList<>();
            command.add(program.toString());
            command.addAll(CommandLine.build(settings, spec, accelerator, files));
            LOG.info("VM {}: {}", spec.name(), String.join(" ", command));
            process.supervisor = Supervisor.start(command, settings.nice(), files.scratch(), files.log());
            process.qmpFd = process.accept(listening.get(0));
            for (int i = 0; i < spec.nics().size(); i++) {
                process.nicFds.add(process.accept(listening.get(1 + i)));
            }
            return process;
        } catch (IOException e) {
            process.close();
            throw new MachineException("VM " + spec.name() + ": QEMU could not be started: " + e.getMessage(), e);
        } catch (MachineException | RuntimeException e) {
            process.close();
            throw e;
        } finally {
            listening.forEach(fd -> Threads.closeQuietly(fd, LOG));
        }
    }

    private void prepareDirectories(String vm) throws IOException, MachineException {
        Files.createDirectories(files.runtimeDirectory());
        lockFile = FileChannel.open(files.lock(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = null;
        try {
            lock = lockFile.tryLock();
        } catch (OverlappingFileLockException e) {
            LOG.debug("{} is locked by this process", files.lock(), e);
        }
        if (lock == null) {
            throw new MachineException("runtime directory " + files.runtimeDirectory() + " is in use by another machine: give each"
                    + " VM and each appliance a runtime directory of its own");
        }
        if (!Supervisor.awaitEarlier(files.scratch(), EARLIER_MILLIS_MAX)) {
            throw new MachineException("VM " + vm + ": the QEMU of an appliance that was killed has not ended within "
                    + EARLIER_MILLIS_MAX / 1000 + " s; look for it with 'ps' (its memory is " + files.ram() + ")");
        }
        // What an earlier run has left behind; its QEMU died with its appliance.
        deleteTree(files.scratch());
        Files.createDirectories(files.scratch());
        try (DirectoryStream<Path> old = Files.newDirectoryStream(files.runtimeDirectory(), "{qmp,nic[0-9]*}")) {
            for (Path path : old) {
                Files.delete(path);
            }
        }
        if (Files.exists(files.log())) {
            Files.move(files.log(), files.runtimeDirectory().resolve("qemu.log.old"), StandardCopyOption.REPLACE_EXISTING);
        }
        Files.writeString(files.log(), "");
    }

    private static void deleteTree(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path path : entries) {
                Files.delete(path);
            }
        }
        Files.delete(directory);
    }

    /** Waits for QEMU to connect or to end. */
    private int accept(int listeningFd) throws IOException, MachineException {
        PollSet set = new PollSet(listeningFd, supervisor.pidfd());
        if (!set.await(CONNECT_TIMEOUT_MILLIS)) {
            throw new MachineException("QEMU has not connected within " + CONNECT_TIMEOUT_MILLIS / 1000 + " s. " + lastWords());
        }
        if (!set.isReadable(0)) {
            throw new MachineException("QEMU ended at once (" + Supervisor.describe(supervisor.kill()) + "). " + lastWords());
        }
        return Linux.accept(listeningFd);
    }

    int pid() {
        return supervisor.pid();
    }

    int pidfd() {
        return supervisor.pidfd();
    }

    int qmpFd() {
        return qmpFd;
    }

    int nicFd(int nic) {
        return nicFds.get(nic);
    }

    StateSlot slot() {
        return slot;
    }

    CommandLine.Files files() {
        return files;
    }

    /** What QEMU wrote last, for error messages. */
    String lastWords() {
        try (RandomAccessFile log = new RandomAccessFile(files.log().toFile(), "r")) {
            long from = Math.max(0, log.length() - LAST_WORDS_BYTES);
            byte[] bytes = new byte[(int) (log.length() - from)];
            log.seek(from);
            log.readFully(bytes);
            String text = new String(bytes, StandardCharsets.UTF_8).strip();
            return text.isEmpty() ? "It said nothing; see " + files.log() : "Its last words: " + text + " (" + files.log() + ")";
        } catch (IOException e) {
            return "Its log " + files.log() + " cannot be read: " + e.getMessage();
        }
    }

    /** Waits for QEMU to end by itself; returns whether it has. */
    boolean awaitEnd(int millis) {
        try {
            return supervisor.awaitEnd(millis);
        } catch (IOException e) {
            LOG.debug("process {}", supervisor.pid(), e);
            return true;
        }
    }

    /** Kills QEMU; thread-safe and repeatable. Returns how it ended. */
    String kill() {
        return supervisor == null ? "it was not started" : Supervisor.describe(supervisor.kill());
    }

    /** Kills QEMU and removes its files. The descriptors that others have taken over are theirs to close. */
    @Override
    public void close() {
        kill();
        try {
            if (supervisor != null) {
                supervisor.close();
            }
            if (slot != null) {
                slot.close();
            }
            if (lockFile != null && lockFile.isOpen()) {
                deleteTree(files.scratch());
                Files.deleteIfExists(files.qmpSocket());
                for (int i = 0; i < nicFds.size(); i++) {
                    Files.deleteIfExists(files.nicSocket(i));
                }
                lockFile.close();
            }
        } catch (IOException e) {
            LOG.warn("cleaning up {} and {}: {}", files.runtimeDirectory(), files.scratch(), e.toString());
        }
    }
}
