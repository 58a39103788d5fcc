package org.plover.replication;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.cm.ConfigurationListener;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.event.Event;
import org.osgi.service.event.EventAdmin;
import org.osgi.service.metatype.annotations.Designate;
import org.plover.api.consensus.ConsensusProvider;
import org.plover.api.disk.DiskProvider;
import org.plover.api.gate.OutputGateProvider;
import org.plover.api.group.MemberKind;
import org.plover.api.hasher.PageHasherProvider;
import org.plover.api.health.Finding;
import org.plover.api.machine.MachineProvider;
import org.plover.api.network.NetworkPortProvider;
import org.plover.api.policy.SyncPolicy;
import org.plover.api.status.DiskVerifyReport;
import org.plover.api.status.EpochRecord;
import org.plover.api.status.LatencyCounts;
import org.plover.api.status.ProgressingFuture;
import org.plover.api.status.ProtectedVm;
import org.plover.api.status.VerifyReport;
import org.plover.api.status.VmEvent;
import org.plover.api.status.VmStatus;
import org.plover.api.transport.TransportProvider;
import org.plover.replication.core.Settings;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A protected VM: one component per configuration {@code org.plover.vm~NAME}. Hashers and policies may come and go while it
 * runs; the parts that hold the guest or the agreement (transport, consensus, machine, gate, network) are there for its whole
 * life, and taking one of them away ends this member, as the death of its host would.
 */
@Component(configurationPid = VmComponent.PID, configurationPolicy = ConfigurationPolicy.REQUIRE, immediate = true, service = {})
@Designate(ocd = VmConfig.class, factory = true)
public final class VmComponent implements ProtectedVm, Settings {
    static final String PID = "org.plover.vm";
    private static final Logger LOG = LoggerFactory.getLogger(VmComponent.class);

    @Reference(target = "(transport.id=*)")
    private TransportProvider transport;
    @Reference(target = "(consensus.id=*)")
    private ConsensusProvider consensus;
    @Reference(target = "(machine.id=*)")
    private MachineProvider machine;
    @Reference(target = "(gate.id=*)")
    private OutputGateProvider gate;
    @Reference(target = "(network.id=*)")
    private NetworkPortProvider network;
    @Reference(target = "(disk.id=*)")
    private DiskProvider disk;

    @Reference
    private ConfigurationAdmin configurations;
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    private volatile EventAdmin eventAdmin;

    private static final long START_ANEW_MILLIS = 5000;

    private final Hashers hashers = new Hashers();
    private final Map<String, SyncPolicy> policies = new ConcurrentHashMap<>();
    private volatile VmConfig config;
    private volatile SyncPolicy chosen = Unhurried.INSTANCE;
    private VmSettings settings;
    private BundleContext context;
    private String name;
    private Path dataDir;
    private EventLog events;
    private volatile GroupLoop loop;
    private volatile boolean stopped;
    private ServiceRegistration<ProtectedVm> registration;
    private ServiceRegistration<ConfigurationListener> watch;

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addHasher(PageHasherProvider provider) {
        hashers.add(provider);
    }

    void removeHasher(PageHasherProvider provider) {
        hashers.remove(provider);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addPolicy(SyncPolicy policy) {
        policies.put(policy.id(), policy);
        choosePolicy();
    }

    void removePolicy(SyncPolicy policy) {
        if (policies.remove(policy.id(), policy)) {
            choosePolicy();
        }
    }

    @Activate
    void activate(BundleContext bundleContext, VmConfig newConfig, Map<String, Object> properties) {
        context = bundleContext;
        String pid = (String) properties.get(Constants.SERVICE_PID);
        name = pid != null && pid.contains("~") ? pid.substring(pid.indexOf('~') + 1) : "vm";
        String data = context.getProperty("plover.data");
        dataDir = Path.of(data == null ? "data" : data).toAbsolutePath();
        events = new EventLog(LoggerFactory.getLogger("plover." + name), System::currentTimeMillis, this::tell);
        watch = context.registerService(ConfigurationListener.class, new SettingsWatch(configurations, events), null);
        start(newConfig);
    }

    /** Starts this member. What cannot start stays visible as a VM that has failed, and starts once its configuration is corrected. */
    private synchronized void start(VmConfig newConfig) {
        config = newConfig;
        try {
            settings = VmSettings.of(name, newConfig, dataDir);
            choosePolicy();
            checkHost();
            loop = new GroupLoop(settings, new GroupLoop.Parts(transport, consensus, machine, gate, network, disk), hashers, this,
                    events, this::startAnewLater);
            publish(this);
        } catch (IllegalArgumentException | IOException e) {
            if (e instanceof IOException) {
                startAnewLater();
            }
            RefusedVm refused = new RefusedVm(name, newConfig.self(), events, e);
            LOG.error("VM {} is not protected here: {}", name, refused.message());
            events.add("failed", "this member " + refused.message());
            publish(refused);
        }
    }

    /** What stood in the way, a full disk for instance, may be gone in a while. */
    private void startAnewLater() {
        Thread later = new Thread(() -> {
            try {
                Thread.sleep(START_ANEW_MILLIS);
                startAnew();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }, "plover-start-" + name);
        later.setDaemon(true);
        later.start();
    }

    private synchronized void startAnew() {
        if (stopped) {
            return;
        }
        LOG.info("VM {}: this member is started anew", name);
        registration.unregister();
        if (loop != null) {
            loop.close();
            loop = null;
        }
        start(config);
    }

    /** A member whose host cannot run the guest takes part all the same: its vote is needed. So this only says what is wrong. */
    private void checkHost() {
        if (settings.group().me().kind() != MemberKind.REPLICA) {
            return;
        }
        List<Finding> findings = new ArrayList<>(machine.preflight(settings.machine()));
        if (!settings.disks().disks().isEmpty()) {
            findings.addAll(disk.preflight(settings.disks()));
        }
        for (Finding finding : findings) {
            if (finding.level() == Finding.Level.ERROR) {
                LOG.error("VM {}: the guest cannot run on this host: {}: {}; {}", name, finding.subject(), finding.text(), finding.remedy());
                events.add("warning", "the guest cannot run on this host: " + finding.subject() + ": " + finding.text() + "; " + finding.remedy());
            }
        }
    }

    private void publish(ProtectedVm vm) {
        Dictionary<String, Object> published = new Hashtable<>();
        published.put(NAME, name);
        registration = context.registerService(ProtectedVm.class, vm, published);
    }

    @Modified
    synchronized void modified(VmConfig newConfig) {
        if (loop == null) {
            registration.unregister();
            start(newConfig);
            return;
        }
        try {
            VmSettings next = VmSettings.of(settings.name(), newConfig, dataDir);
            String changes = SettingChanges.between(config, newConfig);
            if (!changes.isEmpty()) {
                events.info("setting-changed", changes);
            }
            if (next.sameButForLive(settings)) {
                loop.readdress(next.group());
                settings = next;
            } else {
                LOG.warn("VM {}: members, hardware or interfaces were changed; that takes effect when this appliance is restarted",
                        settings.name());
            }
            config = newConfig;
            choosePolicy();
        } catch (IllegalArgumentException e) {
            LOG.error("VM {}: the new configuration is not used, the old one stays: {}", settings.name(), e.getMessage());
            events.add("setting-refused", "the new configuration is not used, the old one stays: " + e.getMessage());
        }
    }

    @Deactivate
    synchronized void deactivate() {
        stopped = true;
        watch.unregister();
        if (registration != null) {
            registration.unregister();
        }
        if (loop != null) {
            loop.close();
        }
        hashers.close();
    }

    private void tell(VmEvent event) {
        EventAdmin admin = eventAdmin;
        if (admin != null) {
            admin.postEvent(new Event(VmEvent.TOPIC, Map.of(VmEvent.VM, name, VmEvent.MEMBER, String.valueOf(config.self()),
                    VmEvent.KIND, event.kind(), VmEvent.TEXT, event.text(), VmEvent.SEQUENCE, event.sequence(),
                    VmEvent.AT_MILLIS, event.atMillis())));
        }
    }

    private void choosePolicy() {
        if (stopped) {
            return; // services go one after the other: nothing to tell
        }
        VmConfig now = config;
        SyncPolicy wanted = now == null ? null : policies.get(now.policy());
        if (wanted == null && now != null) {
            wanted = policies.values().stream().findFirst().orElse(null);
            LOG.warn("sync policy {} is not there; using {}", now.policy(), wanted == null ? "a plain interval" : wanted.id());
        }
        chosen = wanted == null ? Unhurried.INSTANCE : wanted;
    }

    // ---- settings of the core ----

    @Override
    public SyncPolicy policy() {
        return chosen;
    }

    @Override
    public String hasher() {
        return hashers.choose(List.of(config.hashers()));
    }

    @Override
    public int verifyIntervalEpochs() {
        return config.verifyIntervalEpochs();
    }

    @Override
    public int epochTimeoutMillis() {
        return config.epochTimeoutMillis();
    }

    @Override
    public long inputBacklogBytesMax() {
        return config.inputBacklogBytesMax();
    }

    @Override
    public int copyMiBPerSecondMax() {
        return config.copyMiBPerSecondMax();
    }

    @Override
    public long diskEpochBytesMax() {
        return (long) config.diskEpochMiBMax() << 20;
    }

    @Override
    public boolean handsOverOnDiskError() {
        return config.onDiskError().equals(VmSettings.HAND_OVER);
    }

    @Override
    public String hardware(long[] diskBytes) {
        return settings.hardware(diskBytes);
    }

    @Override
    public List<String> differences(long[] diskBytes, String theirs, String theirName) {
        return settings.differences(diskBytes, theirs, theirName);
    }

    // ---- what operators ask ----

    @Override
    public String name() {
        return name;
    }

    @Override
    public VmStatus status() {
        return StatusBuilder.build(loop, hasher(), chosen.id(), transport.id());
    }

    @Override
    public List<EpochRecord> epochsSince(long epoch) {
        return loop.history().since(epoch);
    }

    @Override
    public LatencyCounts inputConsensus() {
        return loop.history().latencies();
    }

    @Override
    public List<VmEvent> eventsSince(long sequence) {
        return events.since(sequence);
    }

    @Override
    public CompletableFuture<VerifyReport> verify() {
        CompletableFuture<VerifyReport> request = order("verify", report -> report.pagesCompared() + " pages compared at epoch "
                + report.epoch() + ", " + report.pagesDiffering() + " differ");
        loop.verify(request);
        return request;
    }

    @Override
    public CompletableFuture<DiskVerifyReport> verifyDisks() {
        CompletableFuture<DiskVerifyReport> request = order("verify disks", report -> report.blocksCompared() + " blocks compared, "
                + report.blocksDiffering() + " differ");
        loop.verifyDisks(request);
        return request;
    }

    @Override
    public CompletableFuture<String> backup(List<String> files) {
        int disks = settings.disks().disks().size();
        if (files.size() != disks) {
            return CompletableFuture.failedFuture(new IllegalStateException("the guest has " + disks + " disks; name as many files, not "
                    + files.size()));
        }
        ProgressingFuture<Void> request = order("backup", done -> "copied to " + String.join(", ", files));
        loop.copyDisks(files.stream().map(Path::of).toList(), request);
        ProgressingFuture<String> answer = new ProgressingFuture<>();
        answer.follow(request);
        request.whenComplete((done, failed) -> {
            if (failed == null) {
                answer.complete("copied " + disks + " disk" + (disks == 1 ? "" : "s") + " to " + String.join(", ", files));
            } else {
                answer.completeExceptionally(failed);
            }
        });
        return answer;
    }

    @Override
    public CompletableFuture<String> growDisk(int number, long bytes) {
        if (number < 0 || number >= settings.disks().disks().size()) {
            return CompletableFuture.failedFuture(new IllegalStateException("there is no disk " + number + "; the guest has "
                    + settings.disks().disks().size() + ", counted from 0"));
        }
        CompletableFuture<String> request = new CompletableFuture<>();
        loop.growDisk(number, bytes, request);
        return request;
    }

    @Override
    public CompletableFuture<String> switchover() {
        CompletableFuture<String> request = order("switchover", answer -> answer);
        loop.switchover(request);
        return request;
    }

    @Override
    public CompletableFuture<String> forcePrimary(String confirmation) {
        CompletableFuture<String> request = order("force-primary", answer -> answer);
        loop.forcePrimary(confirmation, request);
        return request;
    }

    @Override
    public CompletableFuture<String> leave(String member) {
        CompletableFuture<String> request = order("leave " + member, answer -> answer);
        loop.leave(member, request);
        return request;
    }

    @Override
    public CompletableFuture<String> join(String member) {
        CompletableFuture<String> request = order("join " + member, answer -> answer);
        loop.join(member, request);
        return request;
    }

    /** An operator's order, and what comes of it, as events. The door it came by has logged it, with who gave it. */
    private <T> ProgressingFuture<T> order(String what, Function<T, String> result) {
        events.add("order", "ordered: " + what);
        ProgressingFuture<T> request = new ProgressingFuture<>();
        request.whenComplete((answer, refused) -> events.add("order", what + (refused == null ? ": " + result.apply(answer)
                : refused instanceof CancellationException ? " was cancelled" : " was not done: " + refused.getMessage())));
        return request;
    }
}
