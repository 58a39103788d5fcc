package org.plover.network.tap;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;

import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.Designate;
import org.plover.api.network.NetworkPort;
import org.plover.api.network.NetworkPortProvider;
import org.plover.api.network.PortListener;
import org.plover.api.network.PortSpec;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens ports on tap interfaces. Those still open when it is taken away are closed: their interfaces would be in the next one's way. */
@Component(service = NetworkPortProvider.class, configurationPid = TapConfig.PID, property = NetworkPortProvider.ID + "=tap")
@Designate(ocd = TapConfig.class)
public final class TapNetworkProvider implements NetworkPortProvider {
    private static final Logger log = LoggerFactory.getLogger(TapNetworkProvider.class);

    private final Set<TapPort> ports = ConcurrentHashMap.newKeySet();
    private final ScheduledExecutorService scheduler = newScheduler();
    private volatile TapSettings settings = TapSettings.DEFAULTS;

    private static ScheduledExecutorService newScheduler() {
        ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "plover-tap-announce");
            thread.setDaemon(true);
            return thread;
        });
        scheduler.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        return scheduler;
    }

    @Activate
    @Modified
    void configure(TapConfig config) {
        try {
            settings = new TapSettings(config.announceCount(), config.announceIntervalMillis(), config.addressAgeSeconds(), config.queueFrames());
        } catch (IllegalArgumentException e) {
            log.error("{}: {}. Nothing of this configuration is applied, these stay: {}", TapConfig.PID, e.getMessage(), settings);
            return;
        }
        ports.forEach(TapPort::applySettings);
        log.info("Tap ports: {}", settings);
    }

    TapSettings settings() {
        return settings;
    }

    @Override
    public String id() {
        return "tap";
    }

    @Override
    public NetworkPort open(PortSpec spec, PortListener listener) throws IOException {
        long mac;
        try {
            mac = MacAddress.parse(spec.mac());
        } catch (IllegalArgumentException e) {
            throw new IOException("tap " + spec.tap() + ": " + e.getMessage(), e);
        }
        TapDevice device = TapDevice.create(spec, mac, settings.queueFrames());
        TapPort port;
        try {
            port = new TapPort(spec, listener, device, mac, new GuestAddresses(mac, System::nanoTime), this::settings, scheduler, ports::remove);
        } catch (IOException | RuntimeException e) {
            device.close();
            throw e;
        }
        ports.add(port);
        port.start();
        log.info("tap {}: created for guest interface {} ({}), MTU {}{}", spec.tap(), spec.nic(), spec.mac(), spec.mtu(),
                spec.bridge().isEmpty() ? "" : ", on bridge " + spec.bridge());
        return port;
    }

    @Deactivate
    void deactivate() {
        for (TapPort port : List.copyOf(ports)) {
            log.warn("tap {} is still open while the provider of taps goes away; it is closed", port.spec().tap());
            port.close();
        }
        scheduler.shutdownNow();
    }
}
