package org.plover.machine.qemu;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** The demo guest with one more program, which writes to the disk, reads back and says on the console what it found. */
final class DiskGuest {
    /** Runs before the guest's own init, from the kernel's argument {@code rdinit}. */
    static final String INIT = "/disk-init";
    static final String BAD = "DISK-BAD";
    static final String GOOD = "DISK-ROUND";
    /** The length that the guest sees. */
    static final String SECTORS = "DISK-SECTORS ";
    private static final String WORKLOAD = """
            #!/bin/sh
            export PATH=/bin
            work() {
                while [ ! -b /dev/vda ]; do sleep 1; done
                mkdir -p /disk
                mount -t ext4 /dev/vda /disk || echo DISK-BAD mount
                i=0
                while :; do
                    f=/disk/f$((i % 6))
                    dd if=/dev/urandom of=/tmp/new bs=4k count=$((4 + i % 13 * 4)) 2>/dev/null
                    dd if=/tmp/new of=$f.tmp bs=16k conv=fsync 2>/dev/null && mv $f.tmp $f || echo DISK-BAD write $i
                    echo 1 > /proc/sys/vm/drop_caches
                    cmp /tmp/new $f || echo DISK-BAD content $i
                    echo DISK-SECTORS $(cat /sys/block/vda/size)
                    echo DISK-ROUND $i
                    i=$((i + 1))
                done
            }
            mount -t devtmpfs none /dev
            work &
            exec /init
            """;

    private DiskGuest() {
    }

    /** Writes the guest's initrd with the program appended: the kernel unpacks one archive after the other. */
    static Path initrd(Path to) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(Files.readAllBytes(GuestImage.initrd()));
        pad(out);
        entry(out, INIT.substring(1), 0100755, WORKLOAD.getBytes(StandardCharsets.UTF_8));
        entry(out, "TRAILER!!!", 0, new byte[0]);
        return Files.write(to, out.toByteArray());
    }

    /** One file in the cpio format "newc". */
    private static void entry(ByteArrayOutputStream out, String name, int mode, byte[] content) throws IOException {
        out.write(String.format("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 1, mode, 0, 0, 1, 0, content.length, 0, 0,
                0, 0, name.length() + 1, 0).getBytes(StandardCharsets.US_ASCII));
        out.write((name + "\0").getBytes(StandardCharsets.US_ASCII));
        pad(out);
        out.write(content);
        pad(out);
    }

    private static void pad(ByteArrayOutputStream out) {
        while (out.size() % 4 != 0) {
            out.write(0);
        }
    }
}
