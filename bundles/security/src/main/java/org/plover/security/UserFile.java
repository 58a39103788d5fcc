package org.plover.security;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.plover.api.control.AccessRole;

/** The file of users: a line for each, {@code NAME ROLE HASH}. Only its owner may read it. */
final class UserFile {
    static final String NAME = "users";

    /** @param hash of the password */
    record User(String name, AccessRole role, PasswordHash hash) {
    }

    private final Path path;

    UserFile(Path path) {
        this.path = path;
    }

    boolean exists() {
        return Files.exists(path);
    }

    /** @throws IOException if it cannot be read or a line is none of ours; better nobody gets in than somebody with the wrong role */
    Map<String, User> read() throws IOException {
        Map<String, User> users = new TreeMap<>();
        int number = 0;
        for (String line : Files.readAllLines(path, StandardCharsets.UTF_8)) {
            number++;
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            String[] words = line.trim().split("\\s+");
            try {
                if (words.length != 3) {
                    throw new IllegalArgumentException("it should be NAME ROLE HASH");
                }
                AccessRole role = AccessRole.of(words[1]).orElseThrow(() -> new IllegalArgumentException("there is no role " + words[1]));
                users.put(words[0], new User(words[0], role, PasswordHash.parse(words[2])));
            } catch (IllegalArgumentException e) {
                throw new IOException("file " + path + ", line " + number + ": " + e.getMessage() + "; mend it, or move the file away to begin anew", e);
            }
        }
        return users;
    }

    /** A reader sees the old file or the new one, never half of one; the new one is on the device when this returns. */
    void write(Map<String, User> users) throws IOException {
        StringBuilder text = new StringBuilder("# Who may log in over HTTP; 'plover user' changes it. NAME ROLE HASH\n");
        users.values().forEach(user -> text.append(user.name()).append(' ').append(user.role().text()).append(' ').append(user.hash().text()).append('\n'));
        Path next = path.resolveSibling(path.getFileName() + ".new");
        Files.deleteIfExists(next);
        Set<PosixFilePermission> owner = EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
        try (FileChannel out = FileChannel.open(next, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(owner))) {
            ByteBuffer bytes = ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
            out.force(true);
        }
        Files.move(next, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
