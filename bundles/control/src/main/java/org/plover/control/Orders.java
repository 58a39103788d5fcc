package org.plover.control;

import jakarta.json.JsonArray;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonString;
import jakarta.json.spi.JsonProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.plover.api.control.Caller;
import org.plover.api.status.MemberStatus;
import org.plover.api.status.ProtectedVm;
import org.plover.api.status.Role;
import org.plover.api.status.VmStatus;
import org.plover.control.wire.Protocol;
import org.plover.control.wire.Protocol.Code;
import org.plover.control.wire.RecordJson;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Orders to a protected VM: each is carried out and written down. Thread-safe. */
final class Orders {
    /** All that can be ordered. */
    static final List<String> KINDS = List.of(Protocol.VERIFY, Protocol.VERIFY_DISKS, Protocol.BACKUP, Protocol.GROW_DISK,
            Protocol.SWITCHOVER, Protocol.LEAVE, Protocol.JOIN, Protocol.REPLACE, Protocol.FORCE_PRIMARY);

    private static final Logger LOG = LoggerFactory.getLogger(Orders.class);
    private static final JsonProvider JSON = JsonProvider.provider();

    private static final String AGREEMENT_ADVICE = "a majority must agree to it, and may still: 'plover status' shows who has left";

    private final Vms vms;
    private final VmConfigurations configurations;
    private final OrderLog log;
    private final IntSupplier timeoutSeconds;

    /** How a request waits for its result. */
    private record Waiting(JsonObject request, ProtectedVm vm, Consumer<CompletableFuture<?>> begun) {
    }

    /** Which disk is to become how long. */
    private record Growth(int disk, long bytes) {
    }

    Orders(Vms vms, VmConfigurations configurations, OrderLog log, IntSupplier timeoutSeconds) {
        this.vms = vms;
        this.configurations = configurations;
        this.log = log;
        this.timeoutSeconds = timeoutSeconds;
    }

    /**
     * What can be said against an order before it is begun.
     *
     * @throws CommandException if it lacks something, or is for no virtual machine that there is
     */
    String check(String order, JsonObject request) throws CommandException {
        String vm = vms.the(request).name();
        seconds(request);
        switch (order) {
            case Protocol.BACKUP -> files(request);
            case Protocol.GROW_DISK -> growth(request);
            case Protocol.FORCE_PRIMARY -> Request.needed(request, Protocol.CONFIRMATION);
            case Protocol.LEAVE, Protocol.JOIN -> Request.needed(request, Protocol.MEMBER);
            case Protocol.REPLACE -> {
                Request.needed(request, Protocol.MEMBER);
                VmConfigurations.check(Request.needed(request, Protocol.ADDRESS));
            }
            default -> { }
        }
        return vm;
    }

    /**
     * Carries an order out, and writes down who gave it, in which situation, and what came of it.
     *
     * @param begun gets what the order waits for, so that it can be asked how far it is and be cancelled
     */
    JsonObject execute(String order, JsonObject request, Caller caller, Consumer<CompletableFuture<?>> begun)
            throws CommandException, InterruptedException {
        ProtectedVm vm = vms.the(request);
        JsonObjectBuilder arguments = JSON.createObjectBuilder();
        for (String name : List.of(Protocol.MEMBER, Protocol.ADDRESS, Protocol.CONFIRMATION)) {
            if (Request.text(request, name) != null) {
                arguments.add(name, Request.text(request, name));
            }
        }
        if (request.containsKey(Protocol.FILES)) {
            arguments.add(Protocol.FILES, request.get(Protocol.FILES));
        }
        for (String name : List.of(Protocol.DISK, Protocol.BYTES)) {
            if (request.containsKey(name)) {
                arguments.add(name, Request.number(request, name, -1));
            }
        }
        String id = log.given(vm.name(), order, arguments.build(), caller, situation(vm));
        String result = "interrupted";
        String message = "the appliance stopped before there was a result";
        try {
            JsonObject done = carryOut(order, request, vm, begun);
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
            log.ended(id, vm.name(), order, result, message);
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

    private JsonObject carryOut(String order, JsonObject request, ProtectedVm vm, Consumer<CompletableFuture<?>> begun)
            throws CommandException, InterruptedException {
        return switch (order) {
            case Protocol.VERIFY -> RecordJson.toJson(await(new Waiting(request, vm, begun), vm::verify, order,
                    "an epoch must end for it, and a large guest takes longer to compare: look at 'plover status', then try again with "
                            + "a longer --timeout"));
            case Protocol.VERIFY_DISKS -> RecordJson.toJson(await(new Waiting(request, vm, begun), vm::verifyDisks, order,
                    "it goes on and its result is lost; large disks take longer: try again with a longer --timeout"));
            case Protocol.BACKUP -> {
                List<String> files = files(request);
                yield said(await(new Waiting(request, vm, begun), () -> vm.backup(files), order, "the copy goes on; give a longer --timeout to wait for it"));
            }
            case Protocol.GROW_DISK -> {
                Growth growth = growth(request);
                yield said(await(new Waiting(request, vm, begun), () -> vm.growDisk(growth.disk(), growth.bytes()), order,
                        "it goes on, a block device takes its time; give the order again to be told"));
            }
            case Protocol.SWITCHOVER -> said(await(new Waiting(request, vm, begun), vm::switchover, order,
                    "it may still come about: 'plover status' says which member leads"));
            case Protocol.FORCE_PRIMARY -> {
                String confirmation = Request.needed(request, Protocol.CONFIRMATION);
                yield said(await(new Waiting(request, vm, begun), () -> vm.forcePrimary(confirmation), order,
                        "it may still come about: look at 'plover status' before anything else is done"));
            }
            case Protocol.LEAVE -> said(leave(request, vm, begun));
            case Protocol.JOIN -> {
                String member = Request.needed(request, Protocol.MEMBER);
                yield said(await(new Waiting(request, vm, begun), () -> vm.join(member), order, AGREEMENT_ADVICE));
            }
            default -> replace(request, vm, begun);
        };
    }

    private String leave(JsonObject request, ProtectedVm vm, Consumer<CompletableFuture<?>> begun) throws CommandException, InterruptedException {
        String member = Request.needed(request, Protocol.MEMBER);
        return await(new Waiting(request, vm, begun), () -> vm.leave(member), Protocol.LEAVE, AGREEMENT_ADVICE);
    }

    private static Growth growth(JsonObject request) throws CommandException {
        long disk = Request.number(request, Protocol.DISK, -1);
        long bytes = Request.number(request, Protocol.BYTES, -1);
        if (disk < 0 || disk > Integer.MAX_VALUE || bytes < 1) {
            throw new CommandException(Code.BAD_REQUEST, "\"" + Protocol.DISK + "\" must be a disk's number and \"" + Protocol.BYTES
                    + "\" its new length");
        }
        return new Growth((int) disk, bytes);
    }

    private static JsonObject said(String sentence) {
        return JSON.createObjectBuilder().add(Protocol.MESSAGE, sentence).build();
    }

    /** On the primary: takes the member out. On each member that stays: learns the new address. */
    private JsonObject replace(JsonObject request, ProtectedVm vm, Consumer<CompletableFuture<?>> begun) throws CommandException, InterruptedException {
        String name = Request.needed(request, Protocol.MEMBER);
        String address = Request.needed(request, Protocol.ADDRESS);
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
            message.add(leave(request, vm, begun));
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

    private <T> T await(Waiting how, Supplier<CompletableFuture<T>> operation, String what, String advice)
            throws CommandException, InterruptedException {
        ProtectedVm vm = how.vm();
        long seconds = seconds(how.request());
        try {
            CompletableFuture<T> result = operation.get();
            how.begun().accept(result);
            return result.get(seconds, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            LOG.warn("{}: {} has no result after {} s", vm.name(), what, seconds);
            throw new CommandException(Code.TIMEOUT, vm.name() + ": " + what + " has no result after " + seconds + " s; " + advice);
        } catch (CancellationException e) {
            throw new CommandException(Code.CANCELLED, vm.name() + ": " + what + " was cancelled; it has no result");
        } catch (ExecutionException e) {
            throw failure(vm, what, e.getCause());
        } catch (RuntimeException e) {
            throw failure(vm, what, e);
        }
    }

    private long seconds(JsonObject request) throws CommandException {
        long seconds = Request.number(request, Protocol.TIMEOUT_SECONDS, timeoutSeconds.getAsInt());
        if (seconds < 1 || seconds > Protocol.TIMEOUT_SECONDS_MAX) {
            throw new CommandException(Code.BAD_REQUEST,
                    "a timeout is 1 to " + Protocol.TIMEOUT_SECONDS_MAX + " seconds, not " + seconds);
        }
        return seconds;
    }

    private static CommandException failure(ProtectedVm vm, String what, Throwable cause) {
        if (cause instanceof IllegalStateException && cause.getMessage() != null) {
            return new CommandException(Code.REFUSED, vm.name() + ": " + cause.getMessage());
        }
        LOG.warn("{}: {} failed", vm.name(), what, cause);
        return new CommandException(Code.FAILED, vm.name() + ": " + what + " failed (" + cause + "); the appliance's log has the details");
    }
}
