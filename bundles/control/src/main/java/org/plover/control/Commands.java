package org.plover.control;

import jakarta.json.JsonArray;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import jakarta.json.spi.JsonProvider;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.plover.api.control.AccessRole;
import org.plover.api.control.Caller;
import org.plover.api.control.CommandService;
import org.plover.api.health.PreflightCheck;
import org.plover.api.status.ProtectedVm;
import org.plover.control.domain.DomainException;
import org.plover.control.domain.HostView;
import org.plover.control.domain.Planner;
import org.plover.control.wire.Protocol.Code;
import org.plover.control.wire.Protocol;
import org.plover.control.wire.Provider;
import org.plover.control.wire.RecordJson;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What can be asked of the appliance, and by whom. {@link #answer} turns a request into an answer and may block for as long as the
 * command takes; every door gives each client a thread of its own for that. Thread-safe.
 */
final class Commands implements CommandService {
    private static final Logger LOG = LoggerFactory.getLogger(Commands.class);
    private static final JsonProvider JSON = JsonProvider.provider();

    /** The lowest role that may give a command; what is not here is no command. */
    private static final Map<String, AccessRole> LOWEST = lowest();

    private final String version;
    private final Vms vms;
    private final Supplier<List<PreflightCheck>> checks;
    private final Preflight preflight;
    private final Supplier<List<Provider>> providers;
    private final Orders orders;
    private final Operations operations;
    private final SettingsCommands settings;
    private final UserCommands users;
    private final Enrolment enrolment;

    Commands(String version, Vms vms, Supplier<List<PreflightCheck>> checks, Preflight preflight,
             Supplier<List<Provider>> providers, Orders orders, Operations operations, SettingsCommands settings, UserCommands users,
             Enrolment enrolment) {
        this.version = version;
        this.vms = vms;
        this.checks = checks;
        this.preflight = preflight;
        this.providers = providers;
        this.orders = orders;
        this.operations = operations;
        this.settings = settings;
        this.users = users;
        this.enrolment = enrolment;
    }

    private static Map<String, AccessRole> lowest() {
        Map<String, AccessRole> lowest = new HashMap<>();
        for (String command : List.of(Protocol.HELLO, Protocol.STATUS, Protocol.EPOCHS, Protocol.EVENTS, Protocol.DOCTOR, Protocol.PROVIDERS, Protocol.SETTINGS,
                Protocol.OPERATIONS, Protocol.OPERATION)) {
            lowest.put(command, AccessRole.VIEWER);
        }
        for (String command : List.of(Protocol.SWITCHOVER, Protocol.VERIFY, Protocol.VERIFY_DISKS, Protocol.BACKUP, Protocol.JOIN, Protocol.LEAVE,
                Protocol.START, Protocol.CANCEL)) {
            lowest.put(command, AccessRole.OPERATOR);
        }
        for (String command : List.of(Protocol.FORCE_PRIMARY, Protocol.REPLACE, Protocol.GROW_DISK, Protocol.ENROL, Protocol.SET, Protocol.CHECK,
                Protocol.PLAN, Protocol.USERS, Protocol.USER_ADD, Protocol.USER_PASSWORD, Protocol.USER_REMOVE, Protocol.USER_UNLOCK)) {
            lowest.put(command, AccessRole.ADMINISTRATOR);
        }
        return lowest;
    }

    @Override
    public String answer(String request, Caller caller) throws InterruptedException {
        return answerTo(request, caller).toString();
    }

    /** Never throws for what is in the request: a wrong one gets an answer that says what is wrong with it. */
    JsonObject answerTo(String line, Caller caller) throws InterruptedException {
        String command = "?";
        try {
            JsonObject request = Request.parse(line);
            command = Request.needed(request, Protocol.COMMAND);
            return JSON.createObjectBuilder()
                    .add(Protocol.OK, true)
                    .add(Protocol.RESULT, execute(command, request, caller))
                    .build();
        } catch (CommandException e) {
            return error(e.code(), e.getMessage());
        } catch (RuntimeException e) {
            // Not the request itself: there may be a password in it.
            LOG.error("Request {} by {} at door {} failed", command, caller.name(), caller.door(), e);
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

    private JsonValue execute(String command, JsonObject request, Caller caller) throws CommandException, InterruptedException {
        require(command, caller);
        return switch (command) {
            case Protocol.HELLO -> hello();
            case Protocol.STATUS -> status(request);
            case Protocol.EPOCHS -> RecordJson.toJson(vms.the(request).epochsSince(Request.number(request, Protocol.SINCE, -1)));
            case Protocol.EVENTS -> RecordJson.toJson(vms.the(request).eventsSince(Request.number(request, Protocol.SINCE, -1)));
            case Protocol.ENROL -> enrolment.enrol(request, caller);
            case Protocol.DOCTOR -> RecordJson.toJson(preflight.run(checks.get()));
            case Protocol.PROVIDERS -> RecordJson.toJson(providers.get());
            case Protocol.SETTINGS -> settings.list(Request.text(request, Protocol.PID));
            case Protocol.SET -> settings.set(request, caller);
            case Protocol.CHECK -> settings.check(request);
            case Protocol.PLAN -> plan(request);
            case Protocol.OPERATIONS -> operations.list();
            case Protocol.OPERATION -> operations.get(Request.needed(request, Protocol.ID));
            case Protocol.START -> {
                String kind = Request.needed(request, Protocol.KIND);
                if (!Orders.KINDS.contains(kind)) {
                    throw new CommandException(Code.BAD_REQUEST, "there is no order '" + kind + "'; there is: "
                            + String.join(", ", Orders.KINDS));
                }
                require(kind, caller);
                yield operations.start(kind, request, caller);
            }
            case Protocol.CANCEL -> {
                String id = Request.needed(request, Protocol.ID);
                require(operations.kind(id), caller);
                yield operations.cancel(id, caller);
            }
            case Protocol.USERS, Protocol.USER_ADD, Protocol.USER_PASSWORD, Protocol.USER_REMOVE, Protocol.USER_UNLOCK ->
                users.execute(command, request, caller);
            default -> orders.execute(command, request, caller, begun -> { });
        };
    }

    private void require(String command, Caller caller) throws CommandException {
        AccessRole lowest = LOWEST.get(command);
        if (lowest == null) {
            throw new CommandException(Code.UNKNOWN_COMMAND,
                    "there is no command '" + command + "'; the command line may be newer than the running appliance ("
                            + version + "): restart the appliance");
        } else if (!caller.role().covers(lowest)) {
            LOG.warn("{} of user {} at door {} is refused: role {} is too low", command, caller.name(), caller.door(), caller.role().text());
            throw new CommandException(Code.FORBIDDEN, "'" + command + "' needs the role " + lowest.text() + ", " + caller.name() + " has "
                    + caller.role().text());
        }
    }

    private static JsonObject plan(JsonObject request) throws CommandException {
        List<String> members = List.of();
        if (request.get(Protocol.MEMBERS) instanceof JsonArray given) {
            members = given.stream().filter(JsonString.class::isInstance).map(member -> ((JsonString) member).getString()).toList();
        }
        try {
            return RecordJson.toJson(Planner.plan(Request.needed(request, Protocol.TEXT), new Planner.Wishes(orEmpty(request, Protocol.NAME), members,
                    orEmpty(request, Protocol.BRIDGE)), HostView.ofThisHost()));
        } catch (DomainException e) {
            throw new CommandException(Code.BAD_REQUEST, e.getMessage());
        }
    }

    private static String orEmpty(JsonObject request, String field) throws CommandException {
        return Objects.requireNonNullElse(Request.text(request, field), "");
    }

    private JsonObject hello() {
        return JSON.createObjectBuilder()
                .add("pid", ProcessHandle.current().pid())
                .add("version", version)
                .add("vms", JSON.createArrayBuilder(vms.byName().keySet()))
                .build();
    }

    private JsonValue status(JsonObject request) throws CommandException {
        List<ProtectedVm> asked = request.containsKey(Protocol.VM) ? List.of(vms.the(request)) : List.copyOf(vms.byName().values());
        return RecordJson.toJson(asked.stream().map(ProtectedVm::status).toList());
    }
}
