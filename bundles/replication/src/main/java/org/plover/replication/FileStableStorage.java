package org.plover.replication;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.plover.api.consensus.StableStorage;

/** Stable storage in one small file, replaced by rename after it has been forced to the device. */
final class FileStableStorage implements StableStorage {
    private static final int MAGIC = 0x504c5631;
    private static final int HEADER_BYTES = 4 + 4 + 4;

    private final Path file;
    private final Path next;

    /** @param file the record's file; its directory must exist */
    FileStableStorage(Path file) {
        this.file = file;
        this.next = file.resolveSibling(file.getFileName() + ".new");
    }

    @Override
    public Optional<byte[]> load() throws IOException {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (in.remaining() < HEADER_BYTES || in.getInt() != MAGIC) {
            throw damaged("it does not begin like one");
        }
        int length = in.getInt();
        int crc = in.getInt();
        if (length != in.remaining()) {
            throw damaged("it has " + in.remaining() + " of " + length + " bytes");
        }
        if (crc != crcOf(in.duplicate())) {
            throw damaged("its checksum is wrong");
        }
        byte[] record = new byte[length];
        in.get(record);
        return Optional.of(record);
    }

    private IOException damaged(String how) {
        return new IOException(file + " is not a usable record of votes: " + how + ". This member must not guess what it promised:"
                + " while the other two members run, move that file away, and it joins as a member that has forgotten everything; if"
                + " they do not run, start them first");
    }

    @Override
    public void store(byte[] record) throws IOException {
        try {
            replace(record);
        } catch (IOException e) {
            throw new IOException("cannot keep what this member promises in " + file + ": " + reason(e)
                    + "; make room there, or mend the file system", e);
        }
    }

    private void replace(byte[] record) throws IOException {
        ByteBuffer out = ByteBuffer.allocate(HEADER_BYTES + record.length)
                .putInt(MAGIC).putInt(record.length).putInt(crcOf(ByteBuffer.wrap(record))).put(record).flip();
        try (FileChannel channel = FileChannel.open(next, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
            while (out.hasRemaining()) {
                channel.write(out);
            }
            channel.force(true);
        }
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        try (FileChannel directory = FileChannel.open(file.toAbsolutePath().getParent(), StandardOpenOption.READ)) {
            directory.force(true);
        }
    }

    /** Without the file's name, which is said already. */
    private static String reason(IOException e) {
        return e instanceof FileSystemException f && f.getReason() != null ? f.getReason() : e.getMessage();
    }

    private static int crcOf(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }
}
