package org.plover.control;

import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonValue;
import jakarta.json.spi.JsonProvider;
import java.io.IOException;
import java.util.Arrays;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.plover.api.control.AccessRole;
import org.plover.api.control.Caller;
import org.plover.api.control.UserDirectory;
import org.plover.control.wire.Protocol;
import org.plover.control.wire.Protocol.Code;
import org.plover.control.wire.RecordJson;

/** Who may log in over HTTP, as far as commands change it. What is changed is written down, passwords are not. */
final class UserCommands {
    private static final JsonProvider JSON = JsonProvider.provider();

    private final Supplier<UserDirectory> directory;
    private final OrderLog log;

    UserCommands(Supplier<UserDirectory> directory, OrderLog log) {
        this.directory = directory;
        this.log = log;
    }

    JsonValue execute(String command, JsonObject request, Caller caller) throws CommandException {
        UserDirectory users = directory.get();
        if (users == null) {
            throw new CommandException(Code.FAILED, "this appliance has no part that keeps users; compare its bundles with those of the distribution");
        }
        if (command.equals(Protocol.USERS)) {
            return RecordJson.toJson(users.list());
        }
        String name = Request.needed(request, Protocol.NAME);
        JsonObjectBuilder arguments = JSON.createObjectBuilder().add(Protocol.NAME, name);
        if (Request.text(request, Protocol.ROLE) != null) {
            arguments.add(Protocol.ROLE, Request.text(request, Protocol.ROLE));
        }
        String id = log.given(OrderLog.NO_VM, command, arguments.build(), caller, "");
        String result = Code.FAILED.text();
        String message = "";
        try {
            message = carryOut(command, request, users, name);
            result = "done";
            return JSON.createObjectBuilder().add(Protocol.MESSAGE, message).build();
        } catch (IllegalArgumentException e) {
            result = Code.REFUSED.text();
            message = e.getMessage();
            throw new CommandException(Code.REFUSED, e.getMessage());
        } catch (IOException e) {
            message = "users cannot be stored: " + e.getMessage();
            throw new CommandException(Code.FAILED, message);
        } finally {
            log.ended(id, OrderLog.NO_VM, command, result, message);
        }
    }

    private static String carryOut(String command, JsonObject request, UserDirectory users, String name) throws CommandException, IOException {
        switch (command) {
            case Protocol.USER_ADD -> {
                String text = Request.needed(request, Protocol.ROLE);
                AccessRole role = AccessRole.of(text).orElseThrow(() -> new IllegalArgumentException("there is no role '" + text + "'; choose "
                        + Arrays.stream(AccessRole.values()).map(AccessRole::text).collect(Collectors.joining(", "))));
                users.add(name, role, Request.needed(request, Protocol.PASSWORD).toCharArray());
                return "user " + name + " may log in as " + role.text();
            }
            case Protocol.USER_PASSWORD -> {
                users.password(name, Request.needed(request, Protocol.PASSWORD).toCharArray());
                return "user " + name + " has a new password";
            }
            case Protocol.USER_REMOVE -> {
                users.remove(name);
                return "user " + name + " may no longer log in";
            }
            default -> {
                users.unlock(name);
                return "user " + name + " may try again";
            }
        }
    }
}
