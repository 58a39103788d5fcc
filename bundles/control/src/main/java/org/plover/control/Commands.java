package org.plover.control;

import jakarta.json.JsonArray;
import jakarta.json.JsonException;
import jakarta.json.JsonNumber;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import jakarta.json.spi.JsonProvider;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.plover.api.health.PreflightCheck;
import org.plover.api.status.MemberStatus;
import org.plover.api.status.ProtectedVm;
import org.plover.api.status.Role;
import org.plover.api.status.VmStatus;
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

    private static final String AGREEMENT_ADVICE = "a majority must agree to it, and may still: 'plover status' shows who has left";

    private final String version;
    private final Supplier<List<ProtectedVm>> vms;
    private final Supplier<List<PreflightCheck>> checks;
    private final Preflight preflight;
    private final VmConfigurations configurations;
    private final OrderLog orders;
    private final IntSupplier timeoutSeconds;

    Commands(String version, Supplier<List<ProtectedVm>> vms, Supplier<List<PreflightCheck>> checks, Preflight preflight,
             VmConfigurations configurations, OrderLog orders, IntSupplier timeoutSeconds) {
        this.version = version;
        this.vms = vms;
        this.checks = checks;
        this.preflight = preflight;
        this.configurations = configurations;
        this.orders = orders;
        this.timeoutSeconds = timeoutSeconds;
    }

    /**
     * Never throws for what is in the request: a wrong one gets an answer that says what is wrong with it.
     *
     * @param user who asks, as the kernel says, or empty if it does not
     */
    JsonObject answer(String line, String user) throws InterruptedException {
        try {
            return JSON.createObjectBuilder()
                    .add(Protocol.OK, true)
                    .add(Protocol.RESULT, execute(parse(line), user))
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

    private JsonValue execute(JsonObject request, String user) throws CommandException, InterruptedException {
        String command = text(request, Protocol.COMMAND);
        if (command == null) {
            throw new CommandException(Code.BAD_REQUEST, "the request names no \"" + Protocol.COMMAND + "\"");
        }
        return switch (command) {
            case Protocol.HELLO -> hello();
            case Protocol.STATUS -> status(request);
            case Protocol.EPOCHS -> RecordJson.toJson(theVm(request).epochsSince(number(request, Protocol.SINCE, -1)));
            case Protocol.VERIFY, Protocol.VERIFY_DISKS, Protocol.BACKUP, Protocol.SWITCHOVER, Protocol.FORCE_PRIMARY, Protocol.LEAVE, Protocol.JOIN, Protocol.REPLACE ->
                order(command, request, user);
            case Protocol.ENROL -> enrol(request, user);
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

    /** Carries an order out, and writes down who gave it, in which situation, and what came of it. */
    private JsonObject order(String order, JsonObject request, String user) throws CommandException, InterruptedException {
        ProtectedVm vm = theVm(request);
        JsonObjectBuilder arguments = JSON.createObjectBuilder();
        for (String name : List.of(Protocol.MEMBER, Protocol.ADDRESS, Protocol.CONFIRMATION)) {
            if (text(request, name) != null) {
                arguments.add(name, text(request, name));
            }
        }
        if (request.containsKey(Protocol.FILES)) {
            arguments.add(Protocol.FILES, request.get(Protocol.FILES));
        }
        String id = orders.given(vm.name(), order, arguments.build(), user, situation(vm));
        String result = "interrupted";
        String message = "the appliance stopped before there was a result";
        try {
            JsonObject done = carryOut(order, request, vm);
            result = "done";
            message = done.getString(Protocol.MESSAGE, done.toString());
            return done;
        } catch (CommandException e) {
            result = e.code().text();
            message = e.getMessage();
            throw e;
        } catch (RuntimeException e) {
            result = Code.FAILED.text();
            message = e.toString();
            throw e;
        } finally {
            orders.ended(id, vm.name(), order, result, message);
        }
    }

    /** An order is not held up by a status that cannot be had. */
    private static String situation(ProtectedVm vm) {
        try {
            return OrderLog.situation(vm.status());
        } catch (RuntimeException e) {
            LOG.error("{}: no status to write down with an order", vm.name(), e);
            return "status not known: " + e;
        }
    }

    private JsonObject carryOut(String order, JsonObject request, ProtectedVm vm) throws CommandException, InterruptedException {
        return switch (order) {
            case Protocol.VERIFY -> RecordJson.toJson(await(request, vm, vm::verify, order,
                    "an epoch must end for it, and a large guest takes longer to compare: look at 'plover status', then try again with "
                            + "a longer --timeout"));
            case Protocol.VERIFY_DISKS -> RecordJson.toJson(await(request, vm, vm::verifyDisks, order,
                    "it goes on and its result is lost; large disks take longer: try again with a longer --timeout"));
            case Protocol.BACKUP -> {
                List<String> files = files(request);
                yield said(await(request, vm, () -> vm.backup(files), order, "the copy goes on; give a longer --timeout to wait for it"));
            }
            case Protocol.SWITCHOVER -> said(await(request, vm, vm::switchover, order,
                    "it may still come about: 'plover status' says which member leads"));
            case Protocol.FORCE_PRIMARY -> {
                String confirmation = needed(request, Protocol.CONFIRMATION);
                yield said(await(request, vm, () -> vm.forcePrimary(confirmation), order,
                        "it may still come about: look at 'plover status' before anything else is done"));
            }
            case Protocol.LEAVE -> said(leave(request, vm));
            case Protocol.JOIN -> {
                String member = needed(request, Protocol.MEMBER);
                yield said(await(request, vm, () -> vm.join(member), order, AGREEMENT_ADVICE));
            }
            default -> replace(request, vm);
        };
    }

    private String leave(JsonObject request, ProtectedVm vm) throws CommandException, InterruptedException {
        String member = needed(request, Protocol.MEMBER);
        return await(request, vm, () -> vm.leave(member), Protocol.LEAVE, AGREEMENT_ADVICE);
    }

    private static JsonObject said(String sentence) {
        return JSON.createObjectBuilder().add(Protocol.MESSAGE, sentence).build();
    }

    /** On the primary: takes the member out. On each member that stays: learns the new address. */
    private JsonObject replace(JsonObject request, ProtectedVm vm) throws CommandException, InterruptedException {
        String name = needed(request, Protocol.MEMBER);
        String address = needed(request, Protocol.ADDRESS);
        VmConfigurations.check(address);
        VmStatus status = vm.status();
        MemberStatus member = status.members().stream().filter(m -> m.name().equals(name)).findFirst()
                .orElseThrow(() -> new CommandException(Code.BAD_REQUEST, "there is no member " + name + "; the members are "
                        + names(status, m -> true)));
        if (member.self()) {
            throw new CommandException(Code.REFUSED, name + " is this member itself; give the order on the primary, once this host is off");
        }
        List<String> message = new ArrayList<>();
        if (!member.left() && status.role() == Role.PRIMARY) {
            message.add(leave(request, vm));
        } else if (!member.left()) {
            throw new CommandException(Code.REFUSED, vm.name() + ": " + name + " has not left the group yet: give this order on the primary"
                    + (status.primary().isEmpty() ? "" : ", " + status.primary() + ",") + " first");
        }
        String content = configurations.readdress(vm.name(), name, address);
        MemberStatus self = status.members().stream().filter(MemberStatus::self).findFirst().orElseThrow();
        message.add(self.name() + " looks for " + name + " at " + address + " from now on");
        JsonObjectBuilder answer = JSON.createObjectBuilder().add(Protocol.MESSAGE, String.join("\n", message));
        if (self.kind().equals(member.kind()) || self.kind().equals("replica")) {
            // A witness does not know the guest's hardware.
            answer.add(Protocol.FILE, VmConfigurations.FACTORY + "~" + vm.name() + ".config").add(Protocol.CONTENT, content);
        }
        return answer.build();
    }

    private JsonObject enrol(JsonObject request, String user) throws CommandException {
        String member = needed(request, Protocol.MEMBER);
        String pin = text(request, Protocol.PIN);
        VmConfigurations.Enrolled enrolled = configurations.enrol(member, needed(request, Protocol.FINGERPRINT), pin);
        if (pin != null) {
            LOG.info("member {} is believed with the key {} from now on, by order of {}", member, pin, user);
        }
        JsonObjectBuilder files = JSON.createObjectBuilder();
        enrolled.files().forEach(files::add);
        return JSON.createObjectBuilder().add(Protocol.ADDRESS, enrolled.host()).add(Protocol.PINS, JSON.createArrayBuilder(enrolled.pins()))
                .add(Protocol.FILES, files).add(Protocol.OTHERS, JSON.createArrayBuilder(enrolled.others())).build();
    }

    private static String names(VmStatus status, Predicate<MemberStatus> which) {
        return status.members().stream().filter(which).map(MemberStatus::name).collect(Collectors.joining(", "));
    }

    private static List<String> files(JsonObject request) throws CommandException {
        if (!(request.get(Protocol.FILES) instanceof JsonArray files) || files.isEmpty()
                || !files.stream().allMatch(file -> file instanceof JsonString text && text.getString().startsWith("/"))) {
            throw new CommandException(Code.BAD_REQUEST, "\"" + Protocol.FILES + "\" must be a list of absolute paths, one for each disk");
        }
        return files.getValuesAs(JsonString::getString);
    }

    private static String needed(JsonObject request, String field) throws CommandException {
        String text = text(request, field);
        if (text == null || text.isBlank()) {
            throw new CommandException(Code.BAD_REQUEST, "the request names no \"" + field + "\"");
        }
        return text;
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
