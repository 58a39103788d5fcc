package org.plover.network.tap;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.osgi.service.component.annotations.Component;
import org.plover.api.health.Finding;
import org.plover.api.health.PreflightCheck;
import org.plover.linux.Linux;
import org.plover.linux.SystemCallException;

/** Looks whether this process may create tap interfaces. */
@Component(service = PreflightCheck.class)
public final class TapPreflight implements PreflightCheck {
    private static final int CAP_NET_ADMIN = 12;
    private static final String EFFECTIVE = "CapEff:";

    private final Path status;
    private final String cloneDevice;

    public TapPreflight() {
        this(Path.of("/proc/self/status"), TapDevice.CLONE_DEVICE);
    }

    TapPreflight(Path status, String cloneDevice) {
        this.status = status;
        this.cloneDevice = cloneDevice;
    }

    @Override
    public List<Finding> check() {
        List<Finding> findings = new ArrayList<>();
        findings.add(checkDevice());
        findings.add(checkCapability());
        return findings;
    }

    private Finding checkDevice() {
        String subject = "tap device";
        try {
            Linux.close(Linux.open(cloneDevice, Linux.O_RDWR));
            return Finding.ok(subject, cloneDevice + " can be opened");
        } catch (SystemCallException e) {
            return Finding.error(subject, e.getMessage(), TapDevice.openRemedy(e.errno()));
        }
    }

    private Finding checkCapability() {
        String subject = "CAP_NET_ADMIN";
        try {
            String line = Files.readAllLines(status).stream().filter(candidate -> candidate.startsWith(EFFECTIVE)).findFirst()
                    .orElseThrow(() -> new IOException("there is no line " + EFFECTIVE));
            long capabilities = Long.parseUnsignedLong(line.substring(EFFECTIVE.length()).trim(), 16);
            if ((capabilities >>> CAP_NET_ADMIN & 1) != 0) {
                return Finding.ok(subject, "tap interfaces can be created");
            }
            return Finding.error(subject, "the process may not create tap interfaces",
                    "run the appliance as root, or give it the capability with 'AmbientCapabilities=CAP_NET_ADMIN' in its systemd unit");
        } catch (IOException | NumberFormatException e) {
            return Finding.warning(subject, "the capabilities of this process cannot be read from " + status + ": " + e.getMessage(),
                    "mount /proc");
        }
    }
}
