package org.plover.control;

import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.spi.JsonProvider;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.plover.api.control.Caller;
import org.plover.api.status.MemberStatus;
import org.plover.api.status.VmStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What operators ordered on this host, for ever: a file to which one JSON object a line is appended, when an order is given and
 * when it is known what came of it. What is appended is on the device before the order is carried out. Thread-safe.
 */
final class OrderLog {
    static final String FILE_NAME = "orders.log";
    /** In place of a virtual machine's name, for orders about the appliance itself. */
    static final String NO_VM = "-";

    private static final Logger LOG = LoggerFactory.getLogger(OrderLog.class);
    private static final JsonProvider JSON = JsonProvider.provider();

    private final Path file;
    private final Clock clock;
    private final AtomicLong number = new AtomicLong();

    OrderLog(Path file, Clock clock) {
        this.file = file;
        this.clock = clock;
    }

    Path file() {
        return file;
    }

    /**
     * An order is about to be carried out.
     *
     * @param caller who gave it; no name if the door could not tell
     * @param before the {@link #situation} in which it was given
     * @return its number, for {@link #ended}
     */
    String given(String vm, String order, JsonObject arguments, Caller caller, String before) {
        String id = ProcessHandle.current().pid() + "." + number.incrementAndGet();
        LOG.info("{}: order {} {} of user {} at door {}, {}", vm, order, arguments.isEmpty() ? "" : arguments,
                caller.name().isEmpty() ? "?" : caller.name(), caller.door(), before);
        JsonObjectBuilder line = line(id, vm, order);
        line.add("arguments", arguments).add("user", caller.name()).add("door", caller.door()).add("before", before);
        append(line.build());
        return id;
    }

    /** What came of it. */
    void ended(String id, String vm, String order, String result, String message) {
        LOG.info("{}: order {}: {}: {}", vm, order, result, message);
        append(line(id, vm, order).add("result", result).add("message", message).build());
    }

    private JsonObjectBuilder line(String id, String vm, String order) {
        return JSON.createObjectBuilder().add("time", clock.instant().truncatedTo(ChronoUnit.MILLIS).toString())
                .add("id", id).add("vm", vm).add("order", order);
    }

    /** What a member knew, in one sentence. */
    static String situation(VmStatus status) {
        String inSync = status.members().stream().filter(MemberStatus::inSync).map(MemberStatus::name).collect(Collectors.joining(","));
        return status.member() + " is " + status.role() + " in view " + status.view() + ", epoch " + status.epoch() + ", primary "
                + (status.primary().isEmpty() ? "-" : status.primary()) + ", in sync " + (inSync.isEmpty() ? "-" : inSync) + ": "
                + status.message();
    }

    /** An order that cannot be written down is carried out all the same: in an emergency the disk may be what is broken. */
    private synchronized void append(JsonObject line) {
        try (FileChannel out = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
            ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
            out.force(true);
        } catch (IOException e) {
            LOG.error("An order could not be written to {} ({}); this is what it would say: {}", file, e.toString(), line);
        }
    }
}
