package org.plover.machine.qemu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.plover.api.memory.GuestMemory;
import org.plover.linux.Linux;

/** The guest's RAM as mapped here and in QEMU. The file behind it has no name any more, so nothing can be left over. */
final class GuestRam implements GuestMemory, AutoCloseable {
    private final long address;
    private final long addressInQemu;
    private final int pages;
    private boolean closed;

    private GuestRam(long address, long addressInQemu, int pages) {
        this.address = address;
        this.addressInQemu = addressInQemu;
        this.pages = pages;
    }

    /** Maps the file that QEMU has mapped, and removes its name. */
    static GuestRam map(Path file, int pid, long bytes) throws IOException {
        if (Files.size(file) != bytes) {
            throw new IOException(file + " has " + Files.size(file) + " bytes, the guest's memory " + bytes
                    + ": remove what extraArguments says about memory");
        }
        long inQemu = findMapping(Files.readString(Path.of("/proc/" + pid + "/maps"), StandardCharsets.UTF_8), file.toString(),
                bytes);
        int fd = Linux.open(file.toString(), Linux.O_RDWR);
        try {
            long here = Linux.mapShared(fd, bytes);
            Files.delete(file);
            return new GuestRam(here, inQemu, (int) (bytes / PAGE_BYTES));
        } finally {
            Linux.close(fd);
        }
    }

    /** Start of the one mapping of {@code path} in the text of a {@code /proc/PID/maps}. */
    static long findMapping(String maps, String path, long bytes) throws IOException {
        for (String line : maps.split("\n")) {
            if (line.endsWith(" " + path)) {
                String[] range = line.substring(0, line.indexOf(' ')).split("-");
                long start = Long.parseUnsignedLong(range[0], 16);
                long length = Long.parseUnsignedLong(range[1], 16) - start;
                if (length != bytes) {
                    throw new IOException(path + " is mapped in QEMU with " + length + " of " + bytes
                            + " bytes: this version of QEMU lays memory out in a way that is not known here");
                }
                return start;
            }
        }
        throw new IOException(path + " is not mapped in QEMU: remove what extraArguments says about memory");
    }

    @Override
    public long address() {
        return address;
    }

    long addressInQemu() {
        return addressInQemu;
    }

    @Override
    public int pageCount() {
        return pages;
    }

    @Override
    public synchronized void close() throws IOException {
        if (!closed) {
            closed = true;
            Linux.munmap(address, (long) pages * PAGE_BYTES);
        }
    }
}
