package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.plover.api.disk.DiskSpec;
import org.plover.api.disk.DisksSpec;
import org.plover.api.health.Finding;
import org.plover.linux.Linux;

/** Looks whether disks could be served, without changing or locking anything. */
final class DisksPreflight {
    private DisksPreflight() {
    }

    static List<Finding> check(DisksSpec spec, StoreSettings settings) {
        List<Finding> findings = new ArrayList<>();
        for (DiskSpec disk : spec.disks()) {
            findings.add(image(disk));
        }
        findings.add(journal(spec, settings));
        return findings;
    }

    private static Finding image(DiskSpec disk) {
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
            int fd = Linux.open(image.toString(), Linux.O_RDONLY);
            long bytes;
            try {
                bytes = Linux.lseek(fd, 0, Linux.SEEK_END);
            } finally {
                Linux.close(fd);
            }
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
