package org.plover.disk.nbd;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The beginning of a qcow2 image, as far as it tells whether the image can be served (QEMU's docs/interop/qcow2.txt). Only read from
 * images that are configured as such.
 *
 * @param bytes length of the disk in it
 */
record Qcow2Header(long bytes) {
    private static final int MAGIC = 0x514649fb;
    private static final int FIXED_BYTES_V2 = 72;
    private static final int FIXED_BYTES_V3 = 104;
    private static final long CORRUPT = 2;
    private static final long EXTERNAL_DATA = 4;

    /** Whether an image begins like one. */
    static boolean begins(ByteBuffer image) {
        return image.remaining() >= 4 && image.getInt(image.position()) == MAGIC;
    }

    /** Whether this file or block device begins like one. */
    static boolean begins(Path image) throws IOException {
        try (FileChannel file = FileChannel.open(image, StandardOpenOption.READ)) {
            ByteBuffer start = ByteBuffer.allocate(4);
            file.read(start, 0);
            return begins(start.flip());
        }
    }

    /** @throws IOException if it is none, or one that is not served; says why and what to do */
    static Qcow2Header read(Path image) throws IOException {
        String name = "disk image " + image;
        try (FileChannel file = FileChannel.open(image, StandardOpenOption.READ)) {
            ByteBuffer in = read(file, 0, FIXED_BYTES_V2);
            if (!begins(in)) {
                throw new IOException(name + " is configured as format=qcow2 and is none; configure it as format=raw if it is raw");
            }
            int version = in.getInt(4);
            if (version != 2 && version != 3) {
                throw new IOException(name + " is of version " + version + " of qcow2, known are 2 and 3; convert it with qemu-img convert");
            }
            if (in.getLong(8) != 0) {
                String base = new String(read(file, in.getLong(8), Math.min(1023, Math.max(0, in.getInt(16)))).array(), StandardCharsets.UTF_8);
                throw new IOException(name + " has the backing file " + base + ", whose change nobody would see; make it whole with"
                        + " 'qemu-img rebase -f qcow2 -b \"\" " + image + "'");
            }
            if (in.getInt(32) != 0) {
                throw new IOException(name + " is encrypted, and the appliance has no key; convert it with qemu-img convert, and encrypt what it"
                        + " lies on");
            }
            long features = version == 2 ? 0 : read(file, 0, FIXED_BYTES_V3).getLong(72);
            if ((features & CORRUPT) != 0) {
                throw new IOException(name + " is marked as corrupt; look at it with qemu-img check, or let it be copied anew from the other"
                        + " replica");
            }
            if ((features & EXTERNAL_DATA) != 0) {
                throw new IOException(name + " keeps its content in another file; convert it with qemu-img convert, or configure that file as"
                        + " format=raw");
            }
            return new Qcow2Header(in.getLong(24));
        } catch (EOFException e) {
            throw new IOException(name + " is configured as format=qcow2 and ends within its header; make a new one with qemu-img create", e);
        }
    }

    private static ByteBuffer read(FileChannel file, long offset, int bytes) throws IOException {
        ByteBuffer in = ByteBuffer.allocate(bytes);
        while (in.hasRemaining()) {
            if (file.read(in, offset + in.position()) < 0) {
                throw new EOFException();
            }
        }
        return in.flip();
    }
}
