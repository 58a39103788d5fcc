package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.plover.api.disk.DiskListener;
import org.plover.api.disk.DiskProvider;
import org.plover.api.disk.Disks;
import org.plover.api.disk.DisksSpec;
import org.plover.api.health.Finding;

/** The real store of disks without a server: a test writes to it as a guest would. */
public final class BareDisks implements DiskProvider {
    /** What was opened last. */
    public volatile Disks opened;

    @Override
    public String id() {
        return "bare";
    }

    @Override
    public List<Finding> preflight(DisksSpec spec) {
        return List.of();
    }

    @Override
    public Disks open(DisksSpec spec, DiskListener listener) throws IOException {
        opened = new StoreDisks(spec, listener, new LinuxFiles(), () -> new StoreSettings(8 << 20, 1 << 20, 4 << 20), closed -> { });
        return opened;
    }

    public void write(int disk, long offset, byte[] bytes) throws IOException {
        ((StoreDisks) opened).exports().get(disk).write(offset, ByteBuffer.wrap(bytes), false);
    }

    public void flush(int disk) throws IOException {
        ((StoreDisks) opened).exports().get(disk).flush();
    }

    public byte[] read(int disk, long offset, int length) throws IOException {
        ByteBuffer to = ByteBuffer.allocate(length);
        ((StoreDisks) opened).exports().get(disk).read(offset, to);
        return to.array();
    }
}
