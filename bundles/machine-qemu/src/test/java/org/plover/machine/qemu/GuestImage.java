package org.plover.machine.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The demo guest's kernel and initrd, built on first use by {@code distribution/guest/build.sh}. */
final class GuestImage {
    static final Path DIRECTORY = Path.of(System.getProperty("guest.directory", "target/guest"));

    private GuestImage() {
    }

    static synchronized void build() throws IOException, InterruptedException {
        Path log = Files.createTempFile("plover-guest", ".log");
        try {
            Process build = new ProcessBuilder("sh", System.getProperty("guest.builder", "../../distribution/guest/build.sh"),
                    DIRECTORY.toString()).redirectErrorStream(true).redirectOutput(log.toFile()).start();
            int status = build.waitFor();
            if (status != 0) {
                throw new IOException("the guest image could not be built (status " + status + "): " + Files.readString(log));
            }
        } finally {
            Files.delete(log);
        }
    }

    static Path kernel() {
        return DIRECTORY.resolve("vmlinuz");
    }

    static Path initrd() {
        return DIRECTORY.resolve("initrd");
    }
}
