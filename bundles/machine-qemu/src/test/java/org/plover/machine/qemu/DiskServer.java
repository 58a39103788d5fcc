package org.plover.machine.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.plover.api.disk.DiskAttachment;

/** An image of one guest's own, served by qemu-nbd. */
final class DiskServer implements AutoCloseable {
    final Path image;
    final Path socket;
    private Process server;

    DiskServer(Path image, Path socket) throws Exception {
        this.image = image;
        this.socket = socket;
        start();
    }

    void start() throws Exception {
        Files.deleteIfExists(socket);
        server = new ProcessBuilder("qemu-nbd", "--socket", socket.toString(), "--format", "raw", "--export-name", "d", "--persistent",
                "--shared", "4", image.toString()).redirectErrorStream(true).redirectOutput(image.resolveSibling("nbd.log").toFile())
                .start();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!Files.exists(socket)) {
            if (!server.isAlive() || System.nanoTime() > deadline) {
                throw new IOException("qemu-nbd does not serve " + image + ": " + Files.readString(image.resolveSibling("nbd.log")));
            }
            TimeUnit.MILLISECONDS.sleep(2);
        }
    }

    DiskAttachment attachment(int sectorBytes) {
        return new DiskAttachment(socket, "d", sectorBytes, false);
    }

    /** As if its host had lost it. */
    void kill() throws InterruptedException {
        server.destroyForcibly().waitFor();
    }

    @Override
    public void close() throws Exception {
        kill();
    }
}
