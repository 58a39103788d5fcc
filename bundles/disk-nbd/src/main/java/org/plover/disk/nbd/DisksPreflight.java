package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.plover.api.disk.DiskFormat;
import org.plover.api.disk.DiskSpec;
import org.plover.api.disk.DisksSpec;
import org.plover.api.health.Finding;

/** Looks whether disks could be served, without changing or locking anything. */
final class DisksPreflight {
    private DisksPreflight() {
    }

    static List<Finding> check(DisksSpec spec, StoreSettings settings, String storageDaemon) {
        List<Finding> findings = new ArrayList<>();
        int known = knownDisks(spec);
        for (int d = 0; d < spec.disks().size(); d++) {
            findings.add(image(spec.disks().get(d), d < known, storageDaemon));
        }
        findings.add(journal(spec, settings));
        return findings;
    }

    /** How many of them have been used here before. */
    private static int knownDisks(DisksSpec spec) {
        Path file = spec.stateDir().resolve(Meta.FILE);
        try {
            return Files.exists(file) ? Meta.decode(Files.readAllBytes(file), file).diskBytes().length : 0;
        } catch (IOException e) {
            return spec.disks().size(); // opening them will say what is wrong with it
        }
    }

    private static Finding image(DiskSpec disk, boolean known, String storageDaemon) {
        Path image = disk.image();
        String subject = "disk image " + image;
        if (!Files.exists(image)) {
            return Finding.error(subject, "it does not exist", "create it, for instance with 'truncate -s 10G " + image
                    + "', or attach the block device");
        }
        try {
            if (!Files.isRegularFile(image) && !LinuxFiles.isBlockDevice(image)) {
                return Finding.error(subject, "it is neither a file nor a block device", "name one that is");
            }
            if (!Files.isReadable(image) || !disk.readOnly() && !Files.isWritable(image)) {
                return Finding.error(subject, "this process may not " + (disk.readOnly() ? "read" : "write") + " it",
                        "change its owner or mode" + (disk.readOnly() ? "" : ", or configure the disk as read-only"));
            }
            if (disk.format() == DiskFormat.UNSTATED && !known && Qcow2Header.begins(image)) {
                return Finding.error(subject, "it " + Store.LOOKS_LIKE_QCOW2, Store.SAY_WHICH);
            }
            if (disk.format() == DiskFormat.QCOW2 && StorageDaemon.findProgram(storageDaemon).isEmpty()) {
                return Finding.error(subject, "it is of format qcow2, and " + storageDaemon + " is not there",
                        "install it (Debian: qemu-system-common), or set storageDaemon of " + NbdDiskConfig.PID);
            }
            if (disk.format() == DiskFormat.QCOW2 && !Files.isWritable(Path.of("/dev/fuse"))) {
                return Finding.error(subject, "it is of format qcow2, and this process may not open /dev/fuse",
                        "'modprobe fuse', run as root; in a container, hand it in");
            }
            long bytes = LinuxFiles.bytes(disk);
            if (bytes == 0 || bytes % disk.sectorBytes() != 0) {
                return Finding.error(subject, "it has " + bytes + " bytes, needed is a multiple of its sector of " + disk.sectorBytes(),
                        "grow it to " + (bytes / disk.sectorBytes() + 1) * disk.sectorBytes());
            }
            return Finding.ok(subject, bytes + " bytes");
        } catch (IOException e) {
            return Finding.error(subject, "it cannot be looked at: " + e.getMessage(), "see to it that this process can open it");
        }
    }

    private static Finding journal(DisksSpec spec, StoreSettings settings) {
        String subject = "disk journal " + spec.stateDir();
        Path existing = spec.stateDir().toAbsolutePath();
        while (existing.getParent() != null && !Files.isDirectory(existing)) {
            existing = existing.getParent();
        }
        try {
            if (Files.exists(spec.stateDir().resolve(Journal.PREFIX + (Journal.SEGMENTS - 1)))) {
                return Finding.ok(subject, "its room is reserved");
            }
            if (!Files.isWritable(existing)) {
                return Finding.error(subject, "this process may not write in " + existing, "change its owner or mode");
            }
            long room = Files.getFileStore(existing).getUsableSpace();
            if (room < settings.journalBytesMax()) {
                return Finding.error(subject, "it needs " + settings.journalBytesMax() + " bytes, " + room + " are left in " + existing,
                        "make room there, or lower journalBytesMax of " + NbdDiskConfig.PID);
            }
            return Finding.ok(subject, room + " bytes are left for it");
        } catch (IOException e) {
            return Finding.error(subject, "the room in " + existing + " is not known: " + e.getMessage(), "see to its file system");
        }
    }
}
