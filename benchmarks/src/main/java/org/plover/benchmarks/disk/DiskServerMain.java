package org.plover.benchmarks.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.plover.api.disk.DiskAttachment;
import org.plover.api.disk.DiskSpec;
import org.plover.api.disk.Disks;
import org.plover.api.disk.DisksSpec;
import org.plover.disk.nbd.NbdDiskProvider;

/** Serves one image as the product does while there is no backup, until its input ends. */
final class DiskServerMain {
    private DiskServerMain() {}

    /** @param arguments image, directory of the journal, directory of the socket */
    public static void main(String[] arguments) throws IOException {
        DisksSpec spec = new DisksSpec("benchmark", Path.of(arguments[1]), Path.of(arguments[2]),
                List.of(new DiskSpec(Path.of(arguments[0]), 512, false)));
        try (Disks disks = new NbdDiskProvider().open(spec, reason -> System.out.println("failed: " + reason))) {
            DiskAttachment disk = disks.attachments().get(0);
            System.out.println("serving " + disk.export() + " " + disk.socket());
            while (System.in.read() >= 0) {
                continue;
            }
        }
    }
}
