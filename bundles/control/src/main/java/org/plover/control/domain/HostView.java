package org.plover.control.domain;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.OptionalLong;

/** What a plan wants to know of the host that it is made on. */
public interface HostView {
    /** Length of a file or block device in bytes; nothing if it is not there or cannot be read. */
    OptionalLong bytesOf(String path);

    /** Whether there is a bridge of this name. */
    boolean hasBridge(String name);

    /** The host that this runs on. Opens files for reading only. */
    static HostView ofThisHost() {
        return new HostView() {
            @Override
            public OptionalLong bytesOf(String path) {
                try (FileChannel file = FileChannel.open(Path.of(path), StandardOpenOption.READ)) {
                    // A block device has no size of its own as a file; its end is where one can seek to.
                    return OptionalLong.of(Files.isRegularFile(Path.of(path)) ? file.size() : end(path));
                } catch (IOException | InvalidPathException e) {
                    return OptionalLong.empty();
                }
            }

            private long end(String path) throws IOException {
                String device = Path.of(path).toRealPath().getFileName().toString();
                return 512 * Long.parseLong(Files.readString(Path.of("/sys/class/block", device, "size")).strip());
            }

            @Override
            public boolean hasBridge(String name) {
                return name.matches("[A-Za-z0-9_.-]+") && Files.isDirectory(Path.of("/sys/class/net", name, "bridge"));
            }
        };
    }
}
