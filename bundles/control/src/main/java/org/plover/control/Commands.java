package org.plover.control;

import jakarta.json.JsonException;
import jakarta.json.JsonNumber;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import jakarta.json.spi.JsonProvider;
import java.io.StringReader;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.plover.api.health.PreflightCheck;
import org.plover.api.status.ProtectedVm;
import org.plover.control.wire.Protocol;
import org.plover.control.wire.Protocol.Code;
import org.plover.control.wire.RecordJson;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What can be asked of the appliance. {@link #answer} turns a request line into an answer and may block for as long as the
 * command takes; the server gives every client a thread of its own for that. Thread-safe.
 */
final class Commands {
    private static final Logger LOG = LoggerFactory.getLogger(Commands.class);
    private static final JsonProvider JSON = JsonProvider.provider();

    private final String version;
    private final Supplier<List<ProtectedVm>> vms;
    private final Supplier<List<PreflightCheck>> checks;
    private final Preflight preflight;
    private final IntSupplier timeoutSeconds;

    Commands(String version, Supplier<List<ProtectedVm>> vms, Supplier<List<PreflightCheck>> checks, Preflight preflight,
             IntSupplier timeoutSeconds) {
        this.version = version;
        this.vms = vms;
        this.checks = checks;
        this.preflight = preflight;
        this.timeoutSeconds = timeoutSeconds;
    }

    /** Never throws for what is in the request: a wrong one gets an answer that says what is wrong with it. */
    JsonObject answer(String line) throws InterruptedException {
        try {
            return JSON.createObjectBuilder()
                    .add(Protocol.OK, true)
                    .add(Protocol.RESULT, execute(parse(line)))
                    .build();
        } catch (CommandException e) {
            return error(e.code(), e.getMessage());
        } catch (RuntimeException e) {
            LOG.error("Control request {} failed", line, e);
            return error(Code.FAILED, "the appliance failed to answer (" + e + "): its log has the details");
        }
    }

    static JsonObject error(Code code, String text) {
        return JSON.createObjectBuilder()
                .add(Protocol.OK, false)
                .add(Protocol.CODE, code.text())
                .add(Protocol.ERROR, text)
                .build();
    }

    private static JsonObject parse(String line) throws CommandException {
        try (var reader = JSON.createReader(new StringReader(line))) {
            return reader.readObject();
        } catch (JsonException | IllegalStateException e) {
            throw new CommandException(Code.BAD_REQUEST, "a request is one JSON object in one line, this is not: " + e.getMessage());
        }
    }

    private JsonValue execute(JsonObject request) throws CommandException, InterruptedException {
        String command = text(request, Protocol.COMMAND);
        if (command == null) {
            throw new CommandException(Code.BAD_REQUEST, "the request names no \"" + Protocol.COMMAND + "\"");
        }
        return switch (command) {
            case Protocol.HELLO -> hello();
            case Protocol.STATUS -> status(request);
            case Protocol.EPOCHS -> RecordJson.toJson(theVm(request).epochsSince(number(request, Protocol.SINCE, -1)));
            case Protocol.VERIFY -> verify(request);
            case Protocol.SWITCHOVER -> switchover(request);
            case Protocol.DOCTOR -> RecordJson.toJson(preflight.run(checks.get()));
            default -> throw new CommandException(Code.UNKNOWN_COMMAND,
                    "there is no command '" + command + "'; the command line may be newer than the running appliance ("
                            + version + "): restart the appliance");
        };
    }

    private JsonObject hello() {
        return JSON.createObjectBuilder()
                .add("pid", ProcessHandle.current().pid())
                .add("version", version)
                .add("vms", JSON.createArrayBuilder(byName().keySet()))
                .build();
    }

    private JsonValue status(JsonObject request) throws CommandException {
        List<ProtectedVm> asked = request.containsKey(Protocol.VM) ? List.of(theVm(request)) : List.copyOf(byName().values());
        return RecordJson.toJson(asked.stream().map(ProtectedVm::status).toList());
    }

    private JsonObject verify(JsonObject request) throws CommandException, InterruptedException {
        ProtectedVm vm = theVm(request);
        return RecordJson.toJson(await(request, vm, vm::verify, "verify",
                "an epoch must end for it, and a large guest takes longer to compare: look at 'plover status', then try again with "
                        + "a longer --timeout"));
    }

    private JsonObject switchover(JsonObject request) throws CommandException, InterruptedException {
        ProtectedVm vm = theVm(request);
        LOG.info("{}: a switchover was asked for on the control socket", vm.name());
        String sentence = await(request, vm, vm::switchover, "switchover",
                "it may still come about: 'plover status' says which member leads");
        return JSON.createObjectBuilder().add(Protocol.MESSAGE, sentence).build();
    }

    private <T> T await(JsonObject request, ProtectedVm vm, Supplier<CompletableFuture<T>> operation, String what, String advice)
            throws CommandException, InterruptedException {
        long seconds = number(request, Protocol.TIMEOUT_SECONDS, timeoutSeconds.getAsInt());
        if (seconds < 1 || seconds > Protocol.TIMEOUT_SECONDS_MAX) {
            throw new CommandException(Code.BAD_REQUEST,
                    "a timeout is 1 to " + Protocol.TIMEOUT_SECONDS_MAX + " seconds, not " + seconds);
        }
        try {
            return operation.get().get(seconds, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            LOG.warn("{}: {} has no result after {} s", vm.name(), what, seconds);
            throw new CommandException(Code.TIMEOUT, vm.name() + ": " + what + " has no result after " + seconds + " s; " + advice);
        } catch (ExecutionException e) {
            throw failure(vm, what, e.getCause());
        } catch (RuntimeException e) {
            throw failure(vm, what, e);
        }
    }

    private static CommandException failure(ProtectedVm vm, String what, Throwable cause) {
        if (cause instanceof IllegalStateException && cause.getMessage() != null) {
            return new CommandException(Code.REFUSED, vm.name() + ": " + cause.getMessage());
        }
        LOG.warn("{}: {} failed", vm.name(), what, cause);
        return new CommandException(Code.FAILED, vm.name() + ": " + what + " failed (" + cause + "); the appliance's log has the details");
    }

    /** The VM that the request names, or the only one there is. */
    private ProtectedVm theVm(JsonObject request) throws CommandException {
        TreeMap<String, ProtectedVm> here = byName();
        String name = text(request, Protocol.VM);
        if (name != null && here.containsKey(name)) {
            return here.get(name);
        } else if (here.isEmpty()) {
            throw new CommandException(Code.UNKNOWN_VM, "this appliance protects no virtual machine yet: give it an "
                    + "org.plover.vm~NAME configuration first");
        }
        String names = String.join(", ", here.keySet());
        if (name != null) {
            throw new CommandException(Code.UNKNOWN_VM, "there is no virtual machine '" + name + "' here; there is: " + names);
        } else if (here.size() > 1) {
            throw new CommandException(Code.WHICH_VM, "this appliance protects several virtual machines: say by --vm which one of "
                    + names);
        }
        return here.firstEntry().getValue();
    }

    /** By name, in its order; of two services of one name, as there are for a moment when one replaces another, the later. */
    private TreeMap<String, ProtectedVm> byName() {
        TreeMap<String, ProtectedVm> here = new TreeMap<>();
        vms.get().forEach(vm -> here.put(vm.name(), vm));
        return here;
    }

    private static String text(JsonObject request, String field) throws CommandException {
        JsonValue value = request.get(field);
        if (value == null) {
            return null;
        } else if (value instanceof JsonString text) {
            return text.getString();
        }
        throw new CommandException(Code.BAD_REQUEST, "\"" + field + "\" must be a string, not " + value);
    }

    private static long number(JsonObject request, String field, long otherwise) throws CommandException {
        JsonValue value = request.get(field);
        if (value == null) {
            return otherwise;
        } else if (value instanceof JsonNumber number && number.isIntegral()) {
            return number.longValue();
        }
        throw new CommandException(Code.BAD_REQUEST, "\"" + field + "\" must be a whole number, not " + value);
    }
}
