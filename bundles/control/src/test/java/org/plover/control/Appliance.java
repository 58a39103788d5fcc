package org.plover.control;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.rules.ExternalResource;
import org.junit.rules.TemporaryFolder;
import org.osgi.service.cm.ConfigurationAdmin;
import org.plover.api.health.PreflightCheck;
import org.plover.api.status.ProtectedVm;

/** A control server on a real socket in a directory of its own, with virtual machines and checks that the test gives it. */
public final class Appliance extends ExternalResource {
    public final List<ProtectedVm> vms = new CopyOnWriteArrayList<>();
    public final List<PreflightCheck> checks = new CopyOnWriteArrayList<>();
    /** Of the configurations that the test gives it, or null. */
    public ConfigurationAdmin configurationAdmin;
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
        return new Commands("0.1.0", () -> vms, () -> checks, new Preflight(Duration.ofSeconds(5)),
                new VmConfigurations(() -> configurationAdmin), new OrderLog(data().resolve(OrderLog.FILE_NAME), Clock.systemUTC()), () -> 5);
    }

    public Path data() {
        return folder.getRoot().toPath();
    }

    public Path socket() {
        return data().resolve("plover.sock");
    }
}
