package org.plover.disk.nbd;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.plover.api.disk.DiskFormat;
import org.plover.api.disk.DiskSpec;
import org.plover.api.disk.DisksSpec;

/** Opens a qcow2 image, writes to it, says so, and waits to be killed. */
final class DoomedDisks {
    private DoomedDisks() {
    }

    public static void main(String[] arguments) throws Exception {
        Path root = Path.of(arguments[0]);
        StoreDisks disks = (StoreDisks) new NbdDiskProvider().open(new DisksSpec("vm", root.resolve("state"), root.resolve("sockets"),
                List.of(new DiskSpec(root.resolve("image.qcow2"), 512, false, DiskFormat.QCOW2))), failed -> { });
        disks.exports().get(0).write(1 << 20, ByteBuffer.wrap("written by the doomed".getBytes()), true);
        System.out.println("ready");
        Thread.sleep(Long.MAX_VALUE);
    }
}
