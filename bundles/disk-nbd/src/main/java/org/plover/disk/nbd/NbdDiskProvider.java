package org.plover.disk.nbd;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.Designate;
import org.plover.api.disk.DiskListener;
import org.plover.api.disk.DiskProvider;
import org.plover.api.disk.Disks;
import org.plover.api.disk.DisksSpec;
import org.plover.api.health.Finding;
import org.plover.api.health.PreflightCheck;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Serves disks by NBD on Unix sockets. Those still open when it is taken away are closed: nobody could reach them any more. */
@Component(service = {DiskProvider.class, PreflightCheck.class}, configurationPid = NbdDiskConfig.PID, property = DiskProvider.ID + "=nbd")
@Designate(ocd = NbdDiskConfig.class)
public final class NbdDiskProvider implements DiskProvider, PreflightCheck {
    private static final Logger log = LoggerFactory.getLogger(NbdDiskProvider.class);
    private static final String SOCKET = "disks.nbd";

    private final Set<StoreDisks> open = ConcurrentHashMap.newKeySet();
    private volatile StoreSettings settings = StoreSettings.DEFAULTS;
    private volatile String storageDaemon = StorageDaemon.PROGRAM;

    @Activate
    @Modified
    void configure(NbdDiskConfig config) {
        try {
            settings = new StoreSettings(config.journalBytesMax(), config.writebackBytesMax(), config.heldBytesMax());
        } catch (IllegalArgumentException e) {
            log.error("{}: {}. Nothing of this configuration is applied, these stay: {}", NbdDiskConfig.PID, e.getMessage(), settings);
            return;
        }
        storageDaemon = config.storageDaemon().isBlank() ? StorageDaemon.PROGRAM : config.storageDaemon().strip();
        log.info("Disks: {}, qcow2 by {}", settings, storageDaemon);
    }

    @Override
    public String id() {
        return "nbd";
    }

    @Override
    public List<Finding> preflight(DisksSpec spec) {
        return DisksPreflight.check(spec, settings, storageDaemon);
    }

    /** What is wrong with the disks that are being served; what will be is checked by {@link #preflight}. */
    @Override
    public List<Finding> check() {
        return open.stream().map(StoreDisks::health).toList();
    }

    @Override
    public Disks open(DisksSpec spec, DiskListener listener) throws IOException {
        StoreDisks disks = new StoreDisks(spec, listener, new LinuxFiles(() -> storageDaemon), () -> settings, open::remove);
        try {
            OfflineDisks.remember(spec);
            Files.createDirectories(spec.socketDir());
            disks.serve(spec.socketDir().resolve(SOCKET));
        } catch (IOException | RuntimeException e) {
            disks.close();
            throw e;
        }
        open.add(disks);
        log.info("disks of {}: {} served, {}, epoch {}", spec.name(), disks.count(), disks.standing(), disks.epoch());
        return disks;
    }

    @Deactivate
    void deactivate() {
        for (StoreDisks disks : List.copyOf(open)) {
            log.warn("{} are still open while their provider goes away; they are closed", disks);
            disks.close();
        }
    }
}
