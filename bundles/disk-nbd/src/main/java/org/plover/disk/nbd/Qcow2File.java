package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/** A qcow2 image, as a raw file by a {@link StorageDaemon}. */
final class Qcow2File implements DiskFile {
    private final LinuxFile file;
    private final StorageDaemon daemon;

    Qcow2File(LinuxFile file, StorageDaemon daemon) {
        this.file = file;
        this.daemon = daemon;
    }

    StorageDaemon daemon() {
        return daemon;
    }

    @Override
    public String name() {
        return file.name();
    }

    @Override
    public long bytes() {
        return file.bytes();
    }

    @Override
    public void grow(long bytes) throws IOException {
        try {
            file.grow(bytes);
        } catch (IOException e) {
            throw daemon.explain(e);
        }
    }

    @Override
    public void read(long offset, ByteBuffer to) throws IOException {
        try {
            file.read(offset, to);
        } catch (IOException e) {
            throw daemon.explain(e);
        }
    }

    @Override
    public void write(long offset, ByteBuffer from) throws IOException {
        try {
            file.write(offset, from);
        } catch (IOException e) {
            throw daemon.explain(e);
        }
    }

    /** The daemon forwards a punched hole as a discard, which leaves what does not fill a cluster as it was. So zeros first. */
    @Override
    public void zero(long offset, long length) throws IOException {
        try {
            file.zeroAndGiveBack(offset, length);
        } catch (IOException e) {
            throw daemon.explain(e);
        }
    }

    @Override
    public long nextData(long offset) throws IOException {
        try {
            return file.nextData(offset);
        } catch (IOException e) {
            throw daemon.explain(e);
        }
    }

    @Override
    public long nextHole(long offset) throws IOException {
        try {
            return file.nextHole(offset);
        } catch (IOException e) {
            throw daemon.explain(e);
        }
    }

    @Override
    public void sync() throws IOException {
        try {
            file.sync();
        } catch (IOException e) {
            throw daemon.explain(e);
        }
    }

    @Override
    public void onLost(Consumer<IOException> told) {
        daemon.onLost(told);
    }

    @Override
    public void close() throws IOException {
        try {
            file.close();
        } catch (IOException e) {
            // Without its daemon that cannot succeed; the descriptor is gone all the same.
            throw daemon.explain(e);
        } finally {
            daemon.close();
        }
    }
}
