package org.plover.control;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.rules.ExternalResource;
import org.junit.rules.TemporaryFolder;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.metatype.AttributeDefinition;
import org.plover.api.control.UserDirectory;
import org.plover.api.health.PreflightCheck;
import org.plover.api.settings.SettingsCheck;
import org.plover.api.status.ProtectedVm;

/** A control server on a real socket in a directory of its own, with virtual machines and checks that the test gives it. */
public final class Appliance extends ExternalResource {
    public final List<ProtectedVm> vms = new CopyOnWriteArrayList<>();
    public final List<PreflightCheck> checks = new CopyOnWriteArrayList<>();
    /** Of the configurations that the test gives it, or null. */
    public ConfigurationAdmin configurationAdmin;
    /** What can be configured. */
    final Map<String, Metatype.Pid> metatype = new ConcurrentHashMap<>();
    public final Map<String, SettingsCheck> settingsChecks = new ConcurrentHashMap<>();
    /** Who may log in, or null. */
    public UserDirectory users;
    private final TemporaryFolder folder = new TemporaryFolder();
    private ControlServer server;

    @Override
    protected void before() throws IOException {
        folder.create();
        start();
    }

    @Override
    protected void after() {
        try {
            stop();
        } catch (IOException e) {
            throw new AssertionError("the server cannot be closed", e);
        } finally {
            folder.delete();
        }
    }

    public void start() throws IOException {
        server = ControlServer.open(socket(), commands());
    }

    /** Ends it in order; may be called twice. */
    public void stop() throws IOException {
        if (server != null) {
            server.close();
            server = null;
        }
    }

    Commands commands() {
        OrderLog log = new OrderLog(data().resolve(OrderLog.FILE_NAME), Clock.systemUTC());
        Vms here = new Vms(() -> vms);
        VmConfigurations configurations = new VmConfigurations(() -> configurationAdmin);
        Orders orders = new Orders(here, configurations, log, () -> 5);
        return new Commands("0.1.0", here, () -> checks, new Preflight(Duration.ofSeconds(5)), List::of, orders, new Operations(orders, Clock.systemUTC()),
                new SettingsCommands(() -> metatype, new SettingsRules(() -> metatype, settingsChecks::get), () -> configurationAdmin, log),
                new UserCommands(() -> users, log), new Enrolment(configurations));
    }

    /** Lets one whole number be configured under a factory's PID. */
    public void declare(String factoryPid, String key, String min, String max) {
        metatype.put(factoryPid, new Metatype.Pid(factoryPid, true, factoryPid, "", List.of(new Metatype.Attribute(key, key, "",
                AttributeDefinition.INTEGER, false, List.of(), min, max, List.of()))));
    }

    public Path data() {
        return folder.getRoot().toPath();
    }

    public Path socket() {
        return data().resolve("plover.sock");
    }
}
