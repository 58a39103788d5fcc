package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.plover.api.disk.DiskFormat;
import org.plover.api.disk.DiskSpec;
import org.plover.linux.Errno;
import org.plover.linux.Linux;
import org.plover.linux.SystemCallException;

/** Files of this host. */
final class LinuxFiles implements DiskFiles {
    private static final int PRIVATE = 0600;

    private final Supplier<String> storageDaemon;

    /** @param storageDaemon program that opens qcow2 images */
    LinuxFiles(Supplier<String> storageDaemon) {
        this.storageDaemon = storageDaemon;
    }

    LinuxFiles() {
        this(() -> StorageDaemon.PROGRAM);
    }

    @Override
    public DiskFile openImage(DiskSpec disk, Path mount) throws IOException {
        requireImage(disk.image());
        if (disk.format() != DiskFormat.QCOW2) {
            return open("disk image " + disk.image(), disk.image(), disk.readOnly());
        }
        Qcow2Header header = Qcow2Header.read(disk.image());
        StorageDaemon daemon = StorageDaemon.start(storageDaemon.get(), disk.image(), disk.readOnly(), mount);
        try {
            LinuxFile file = open("disk image " + disk.image(), mount, disk.readOnly());
            if (file.bytes() != header.bytes()) {
                file.close();
                throw new IOException("disk image " + disk.image() + " has " + header.bytes() + " bytes by its header, but "
                        + StorageDaemon.PROGRAM + " shows " + file.bytes() + "; is " + mount + " its?");
            }
            return new Qcow2File(file, daemon);
        } catch (IOException e) {
            daemon.close();
            throw e;
        }
    }

    /** Length of the disk in an image, without opening it for more than that. */
    static long bytes(DiskSpec disk) throws IOException {
        if (disk.format() == DiskFormat.QCOW2) {
            return Qcow2Header.read(disk.image()).bytes();
        }
        int fd = Linux.open(disk.image().toString(), Linux.O_RDONLY);
        try {
            return Linux.lseek(fd, 0, Linux.SEEK_END);
        } finally {
            Linux.close(fd);
        }
    }

    private static void requireImage(Path image) throws IOException {
        String name = "disk image " + image;
        BasicFileAttributes attributes;
        try {
            attributes = Files.readAttributes(image, BasicFileAttributes.class);
        } catch (NoSuchFileException e) {
            throw new IOException(name + " does not exist; create it, for instance with 'truncate -s 10G " + image + "'", e);
        }
        if (!attributes.isRegularFile() && (!attributes.isOther() || !isBlockDevice(image))) {
            throw new IOException(name + " is neither a file nor a block device; name one that is");
        }
    }

    private static LinuxFile open(String name, Path image, boolean readOnly) throws IOException {
        int fd;
        try {
            fd = Linux.open(image.toString(), readOnly ? Linux.O_RDONLY : Linux.O_RDWR);
        } catch (SystemCallException e) {
            throw new IOException(name + " cannot be opened for " + (readOnly ? "reading" : "writing") + ": " + e.getMessage()
                    + "; let the appliance's user do that" + (readOnly ? "" : ", or configure the disk as read-only"), e);
        }
        try {
            if (!Linux.lock(fd, !readOnly)) {
                throw new IOException(name + " is in use by another process or another disk; end that use, 'lslocks' may tell who it is");
            }
            return new LinuxFile(name, fd, Linux.lseek(fd, 0, Linux.SEEK_END));
        } catch (IOException e) {
            Linux.close(fd);
            throw e;
        }
    }

    static boolean isBlockDevice(Path file) throws IOException {
        int mode = (Integer) Files.getAttribute(file, "unix:mode");
        return (mode & 0170000) == 0060000;
    }

    @Override
    public DiskFile openReserved(Path file, long bytes) throws IOException {
        String name = "disk journal " + file;
        int fd = Linux.open(file.toString(), Linux.O_RDWR | Linux.O_CREAT, PRIVATE);
        try {
            if (Linux.lseek(fd, 0, Linux.SEEK_END) < bytes) {
                reserve(fd, bytes);
                Linux.fsync(fd);
                syncDirectory(file.toAbsolutePath().getParent());
            }
            return new LinuxFile(name, fd, Linux.lseek(fd, 0, Linux.SEEK_END));
        } catch (SystemCallException e) {
            Linux.close(fd);
            Files.deleteIfExists(file);
            throw LinuxFile.named(name, e);
        }
    }

    private static void reserve(int fd, long bytes) throws SystemCallException {
        try {
            Linux.allocate(fd, 0, bytes);
        } catch (SystemCallException e) {
            if (e.errno() != Errno.EOPNOTSUPP) {
                throw e;
            }
            Linux.ftruncate(fd, bytes);
        }
    }

    @Override
    public List<String> list(Path directory) throws IOException {
        Files.createDirectories(directory);
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Override
    public long bytes(Path file) throws IOException {
        return Files.size(file);
    }

    @Override
    public void delete(Path file) throws IOException {
        Files.deleteIfExists(file);
    }

    @Override
    public byte[] load(Path file) throws IOException {
        try {
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    @Override
    public void replace(Path file, byte[] content) throws IOException {
        Path next = file.resolveSibling(file.getFileName() + ".new");
        try (FileChannel channel = FileChannel.open(next, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer out = ByteBuffer.wrap(content);
            while (out.hasRemaining()) {
                channel.write(out);
            }
            channel.force(true);
        }
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        syncDirectory(file.toAbsolutePath().getParent());
    }

    private static void syncDirectory(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    @Override
    public AutoCloseable lock(Path file) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        int fd = Linux.open(file.toString(), Linux.O_RDWR | Linux.O_CREAT, PRIVATE);
        if (!Linux.lock(fd, true)) {
            Linux.close(fd);
            throw new IOException("disk journal in " + file.toAbsolutePath().getParent()
                    + " is in use by another process; end that one, two appliances must not share a data directory");
        }
        return () -> Linux.close(fd);
    }
}
