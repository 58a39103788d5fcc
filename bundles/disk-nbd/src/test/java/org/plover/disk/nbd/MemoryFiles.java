package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import org.plover.api.disk.DiskSpec;

/**
 * A file system in memory that a test can crash: of what has not been synced, any part of it may be lost, block by block, as on a disk
 * whose cache loses power. Remembers nothing but content; thread-safe.
 */
final class MemoryFiles implements DiskFiles {
    static final int BLOCK = 4096;
    private static final byte[] ZEROS = new byte[BLOCK];

    private static final class Content {
        byte[] durable;
        byte[] seen;
        final Set<Integer> unsynced = new HashSet<>();
    }

    private final Map<Path, Content> files = new HashMap<>();
    private final Map<Path, byte[]> small = new HashMap<>();
    private final Set<Path> locks = new HashSet<>();
    private Path failing;
    private boolean full;
    private final Map<Path, Callable<Void>> beforeSync = new ConcurrentHashMap<>();
    private int syncs;
    private final Map<Path, Long> bytesRead = new HashMap<>();

    synchronized void create(Path file, int bytes) {
        Content content = new Content();
        content.durable = new byte[bytes];
        content.seen = new byte[bytes];
        files.put(file, content);
    }

    /** What remains after a crash now. */
    synchronized MemoryFiles crash(Random random) {
        MemoryFiles after = new MemoryFiles();
        after.small.putAll(small);
        // Often nothing or all is lost; in between, anything.
        int lossPercent = new int[] {0, 100, 50, 10}[random.nextInt(4)];
        for (Map.Entry<Path, Content> file : files.entrySet()) {
            Content before = file.getValue();
            Content content = new Content();
            content.durable = before.durable.clone();
            for (int block : before.unsynced) {
                if (random.nextInt(100) >= lossPercent) {
                    int from = block * BLOCK;
                    int whole = Math.min(BLOCK, before.seen.length - from);
                    int bytes = random.nextInt(20) == 0 ? whole / 512 / 2 * 512 : whole;
                    System.arraycopy(before.seen, from, content.durable, from, bytes);
                }
            }
            content.seen = content.durable.clone();
            after.files.put(file.getKey(), content);
        }
        return after;
    }

    synchronized byte[] bytesOf(Path file) {
        return files.get(file).seen.clone();
    }

    synchronized void overwrite(Path file, byte[] bytes) {
        files.get(file).seen = bytes.clone();
        files.get(file).durable = bytes.clone();
    }

    /** Bytes of this file that have been asked for. */
    synchronized long bytesRead(Path file) {
        return bytesRead.getOrDefault(file, 0L);
    }

    synchronized int syncs() {
        return syncs;
    }

    /** From now on everything that touches this file fails. */
    synchronized void fail(Path file) {
        failing = file;
    }

    /** The next sync of this file does this first, without keeping others from anything. */
    void beforeSync(Path file, Callable<Void> action) {
        beforeSync.put(file, action);
    }

    /** No new file can be made. */
    synchronized void full(boolean now) {
        full = now;
    }

    private void use(Path file) throws IOException {
        if (file.equals(failing)) {
            throw new IOException(file + ": EIO (Input/output error)");
        }
    }

    @Override
    public synchronized DiskFile openImage(DiskSpec disk, Path mount) throws IOException {
        Path image = disk.image();
        if (!files.containsKey(image)) {
            throw new IOException(image + " does not exist");
        }
        return new Handle(image);
    }

    @Override
    public synchronized DiskFile openReserved(Path file, long bytes) throws IOException {
        if (!files.containsKey(file)) {
            if (full) {
                throw new Export.NoSpaceException(file + ": no space is left");
            }
            create(file, (int) bytes);
        }
        return new Handle(file);
    }

    @Override
    public synchronized List<String> list(Path directory) {
        List<String> names = new ArrayList<>();
        for (Path file : files.keySet()) {
            if (directory.equals(file.getParent())) {
                names.add(file.getFileName().toString());
            }
        }
        names.sort(null);
        return names;
    }

    @Override
    public synchronized long bytes(Path file) {
        return files.get(file).seen.length;
    }

    @Override
    public synchronized void delete(Path file) {
        files.remove(file);
    }

    @Override
    public synchronized byte[] load(Path file) {
        return small.get(file);
    }

    @Override
    public synchronized void replace(Path file, byte[] content) throws IOException {
        use(file);
        small.put(file, content);
    }

    @Override
    public synchronized AutoCloseable lock(Path file) throws IOException {
        if (!locks.add(file)) {
            throw new IOException(file + " is in use");
        }
        return () -> {
            synchronized (MemoryFiles.this) {
                locks.remove(file);
            }
        };
    }

    private final class Handle implements DiskFile {
        private final Path path;
        private final Content content;

        Handle(Path path) {
            this.path = path;
            this.content = files.get(path);
        }

        @Override
        public String name() {
            return path.toString();
        }

        @Override
        public long bytes() {
            return content.seen.length;
        }

        @Override
        public void grow(long bytes) throws IOException {
            synchronized (MemoryFiles.this) {
                use(path);
                if (full) {
                    throw new IOException(path + ": no space is left");
                }
                if (bytes > content.seen.length) {
                    content.seen = Arrays.copyOf(content.seen, (int) bytes);
                    content.durable = Arrays.copyOf(content.durable, (int) bytes);
                }
            }
        }

        @Override
        public void read(long offset, ByteBuffer to) throws IOException {
            synchronized (MemoryFiles.this) {
                use(path);
                bytesRead.merge(path, (long) to.remaining(), Long::sum);
                int inside = (int) Math.max(0, Math.min(to.remaining(), content.seen.length - offset));
                to.put(content.seen, (int) Math.min(offset, content.seen.length), inside);
                while (to.hasRemaining()) {
                    to.put((byte) 0);
                }
            }
        }

        @Override
        public void write(long offset, ByteBuffer from) throws IOException {
            synchronized (MemoryFiles.this) {
                use(path);
                for (long at = offset / BLOCK; at * BLOCK < offset + from.remaining(); at++) {
                    content.unsynced.add((int) at);
                }
                from.get(content.seen, (int) offset, from.remaining());
            }
        }

        @Override
        public void zero(long offset, long length) throws IOException {
            write(offset, ByteBuffer.allocate((int) length));
        }

        @Override
        public long nextData(long offset) {
            synchronized (MemoryFiles.this) {
                return next(offset, true);
            }
        }

        @Override
        public long nextHole(long offset) {
            synchronized (MemoryFiles.this) {
                long hole = next(offset, false);
                return hole < 0 ? content.seen.length : hole;
            }
        }

        private long next(long offset, boolean data) {
            for (long at = offset; at < content.seen.length; at = at / BLOCK * BLOCK + BLOCK) {
                int start = (int) (at / BLOCK * BLOCK);
                int end = Math.min(content.seen.length, start + BLOCK);
                if (Arrays.equals(content.seen, start, end, ZEROS, 0, end - start) != data) {
                    return at;
                }
            }
            return -1;
        }

        @Override
        public void sync() throws IOException {
            Callable<Void> first = beforeSync.remove(path);
            if (first != null) {
                try {
                    first.call();
                } catch (Exception e) {
                    throw new IOException(path + ": " + e.getMessage(), e);
                }
            }
            synchronized (MemoryFiles.this) {
                use(path);
                syncs++;
                for (int block : content.unsynced) {
                    int from = block * BLOCK;
                    System.arraycopy(content.seen, from, content.durable, from, Math.min(BLOCK, content.seen.length - from));
                }
                content.unsynced.clear();
            }
        }

        @Override
        public void close() {
            // Nothing is held.
        }
    }
}
