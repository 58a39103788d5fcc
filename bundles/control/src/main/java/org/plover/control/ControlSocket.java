package org.plover.control;

import java.io.Closeable;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A listening Unix domain socket that only its owner can open, and that only one process can have.
 *
 * <p>A lock file beside the socket says who has it: the kernel drops the lock when the process dies, however it dies, so a socket
 * file whose lock is free is stale and can be replaced without a race against another process that starts at the same time.
 */
final class ControlSocket implements Closeable {
    private static final Logger LOG = LoggerFactory.getLogger(ControlSocket.class);

    /** sun_path of Linux has 108 bytes with the final zero. */
    private static final int PATH_BYTES_MAX = 107;

    /**
     * What this process has. File locks are the process's, not the channel's: closing any second channel on a lock file would
     * drop the lock, so it must not come to opening one.
     */
    private static final Set<Path> OURS = ConcurrentHashMap.newKeySet();

    private final Path path;
    private final FileChannel lockFile;
    private final ServerSocketChannel channel;

    private ControlSocket(Path path, FileChannel lockFile, ServerSocketChannel channel) {
        this.path = path;
        this.lockFile = lockFile;
        this.channel = channel;
    }

    /**
     * Makes the socket and listens on it; creates its directory if need be.
     *
     * @throws IOException if another process has it, or it cannot be made; the message says which and what to do, and nothing
     *                     has changed then
     */
    static ControlSocket claim(Path wanted) throws IOException {
        Path absolute = wanted.toAbsolutePath().normalize();
        int bytes = absolute.toString().getBytes(StandardCharsets.UTF_8).length;
        if (bytes > PATH_BYTES_MAX) {
            throw new IOException("control socket " + absolute + ": the name has " + bytes + " bytes, the kernel takes "
                    + PATH_BYTES_MAX + "; set socketPath of " + ControlConfig.PID + " to a shorter one");
        }
        Files.createDirectories(absolute.getParent());
        Path path = absolute.getParent().toRealPath().resolve(absolute.getFileName());
        if (!OURS.add(path)) {
            throw taken(path, "this process (" + ProcessHandle.current().pid() + ")");
        }
        FileChannel lockFile = null;
        try {
            lockFile = lock(path);
            removable(path);
            return new ControlSocket(path, lockFile, listen(path));
        } catch (IOException | RuntimeException e) {
            if (lockFile != null) {
                lockFile.close();
            }
            OURS.remove(path);
            throw e;
        }
    }

    Path path() {
        return path;
    }

    ServerSocketChannel channel() {
        return channel;
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
            Files.deleteIfExists(path);
        } finally {
            // The lock file stays: to delete it would let a third process lock a new one beside a second's lock on the old.
            lockFile.close();
            OURS.remove(path);
        }
    }

    private static FileChannel lock(Path socket) throws IOException {
        Path file = socket.resolveSibling(socket.getFileName() + ".lock");
        FileChannel lockFile = FileChannel.open(file,
                Set.of(StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        try {
            FileLock lock = lockFile.tryLock();
            if (lock == null) {
                ByteBuffer text = ByteBuffer.allocate(32);
                lockFile.read(text, 0);
                throw taken(socket, describe(new String(text.array(), 0, text.position(), StandardCharsets.US_ASCII).trim()));
            }
            lockFile.truncate(0);
            lockFile.write(ByteBuffer.wrap((ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII)), 0);
            return lockFile;
        } catch (IOException | RuntimeException e) {
            lockFile.close();
            throw e;
        }
    }

    private static String describe(String pid) {
        if (pid.isEmpty() || !pid.chars().allMatch(Character::isDigit)) {
            return "another process";
        }
        String user = ProcessHandle.of(Long.parseLong(pid)).flatMap(process -> process.info().user())
                .map(name -> " of user " + name).orElse("");
        return "process " + pid + user;
    }

    private static IOException taken(Path socket, String owner) {
        return new IOException("control socket " + socket + ": " + owner + " serves it already; stop that appliance, or give this "
                + "one a data directory of its own (plover.data)");
    }

    /** Makes sure that what lies where the socket shall be, if anything, may be replaced. */
    private static void removable(Path socket) throws IOException {
        if (!Files.exists(socket, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (!Files.readAttributes(socket, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).isOther()) {
            throw new IOException("control socket " + socket + ": there is a file of that name that is not a socket; move it away");
        }
        boolean live;
        try (SocketChannel probe = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            live = probe.isConnected();
        } catch (IOException refused) {
            live = false;
        }
        if (live) {
            throw taken(socket, "a process of user " + Files.getOwner(socket) + " without our lock");
        }
        LOG.info("Control socket {} was left behind by a process that has ended; it is replaced", socket);
    }

    /**
     * Binds in a directory that nobody else can enter and moves the socket to its place when it has its mode: bound in place, it
     * would be open to others until then.
     */
    private static ServerSocketChannel listen(Path socket) throws IOException {
        Path closed = socket.resolveSibling(".s" + ProcessHandle.current().pid());
        Path hidden = closed.resolve("s");
        Files.deleteIfExists(hidden);
        Files.deleteIfExists(closed);
        Files.createDirectory(closed, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.bind(UnixDomainSocketAddress.of(hidden));
            Files.setPosixFilePermissions(hidden, PosixFilePermissions.fromString("rw-------"));
            Files.move(hidden, socket, StandardCopyOption.ATOMIC_MOVE);
            return channel;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        } finally {
            Files.deleteIfExists(hidden);
            Files.deleteIfExists(closed);
        }
    }
}
