package org.plover.control;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.framework.BundleContext;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.metatype.MetaTypeService;
import org.osgi.service.metatype.annotations.Designate;
import org.plover.api.control.Caller;
import org.plover.api.control.CommandService;
import org.plover.api.control.UserDirectory;
import org.plover.api.health.PreflightCheck;
import org.plover.api.status.ProtectedVm;
import org.plover.api.settings.SettingsCheck;
import org.plover.api.settings.SettingsGuard;
import org.plover.control.wire.Protocol;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the commands, offers them to other doors, and keeps the control socket open as long as the appliance runs; moves it when its
 * configuration says so.
 */
@Component(service = {CommandService.class, SettingsGuard.class}, configurationPid = ControlConfig.PID, immediate = true)
@Designate(ocd = ControlConfig.class)
public final class ControlComponent implements CommandService, SettingsGuard {
    static final Duration CHECK_LIMIT = Duration.ofSeconds(30);

    private static final Logger LOG = LoggerFactory.getLogger(ControlComponent.class);

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    private volatile List<ProtectedVm> vms;

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    private volatile List<PreflightCheck> checks;

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    private volatile ConfigurationAdmin configurationAdmin;

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    private volatile MetaTypeService metaTypeService;

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    private volatile UserDirectory users;

    private final Map<String, SettingsCheck> settingsChecks = new ConcurrentHashMap<>();

    private Path data;
    private Commands commands;
    private Operations operations;
    private SettingsRules rules;
    private volatile int timeoutSeconds;
    private Path path;
    private ControlServer server;

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addSettingsCheck(SettingsCheck check, Map<String, Object> properties) {
        settingsChecks.put(String.valueOf(properties.get(SettingsCheck.PID)), check);
    }

    void removeSettingsCheck(SettingsCheck check, Map<String, Object> properties) {
        settingsChecks.remove(String.valueOf(properties.get(SettingsCheck.PID)), check);
    }

    /**
     * @throws IOException if the socket cannot be had; the message says why. Without it the command line cannot reach this
     *                     appliance, which goes on working all the same.
     */
    @Activate
    void activate(BundleContext context, ControlConfig config) throws IOException {
        String directory = context.getProperty(Protocol.DATA_PROPERTY);
        data = Path.of(directory == null || directory.isBlank() ? "data" : directory);
        OrderLog log = new OrderLog(data.resolve(OrderLog.FILE_NAME), Clock.systemUTC());
        Metatype metatype = new Metatype(context, () -> metaTypeService);
        Vms here = new Vms(() -> vms);
        VmConfigurations configurations = new VmConfigurations(() -> configurationAdmin);
        Orders orders = new Orders(here, configurations, log, () -> timeoutSeconds);
        operations = new Operations(orders, Clock.systemUTC());
        rules = new SettingsRules(metatype, settingsChecks::get);
        commands = new Commands(context.getBundle().getVersion().toString(), here, () -> checks, new Preflight(CHECK_LIMIT),
                new Providers(context), orders, operations,
                new SettingsCommands(metatype, rules, () -> configurationAdmin, log), new UserCommands(() -> users, log),
                new Enrolment(configurations));
        timeoutSeconds = config.timeoutSeconds();
        if (CheckMode.isOn(context)) {
            LOG.debug("No control socket: this appliance runs only to check the host");
        } else {
            path = socket(config);
            server = ControlServer.open(path, commands);
        }
    }

    /** A socket that cannot be moved stays where it is. */
    @Modified
    void modified(ControlConfig config) throws IOException {
        timeoutSeconds = config.timeoutSeconds();
        Path wanted = socket(config);
        if (server == null || wanted.equals(path)) {
            return;
        }
        ControlServer moved = ControlServer.open(wanted, commands);
        server.close();
        server = moved;
        path = wanted;
    }

    @Override
    public String answer(String request, Caller caller) throws InterruptedException {
        return commands.answer(request, caller);
    }

    @Override
    public String refusal(String pid, Map<String, ?> values) {
        return rules.refusal(pid, values);
    }

    @Deactivate
    void deactivate() throws IOException {
        operations.close();
        if (server != null) {
            server.close();
        }
    }

    private Path socket(ControlConfig config) {
        Path path = config.socketPath().isBlank() ? data.resolve(Protocol.SOCKET_NAME) : Path.of(config.socketPath());
        return path.toAbsolutePath().normalize();
    }
}
