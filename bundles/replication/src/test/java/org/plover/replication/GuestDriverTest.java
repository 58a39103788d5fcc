package org.plover.replication;

import static org.junit.Assert.assertEquals;

import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.plover.api.disk.DisksSpec;
import org.plover.api.machine.Machine;
import org.plover.api.machine.MachineProvider;
import org.plover.api.machine.MachineSpec;
import org.plover.api.memory.GuestMemory;
import org.plover.api.memory.PageSet;
import org.plover.api.transport.Transport;
import org.plover.linux.Linux;
import org.plover.replication.core.GuestEvents;

/** The guest's edge over a machine that only notes what is asked of it. */
public class GuestDriverTest {
    private static final int PAGES = 256;

    private final BlockingQueue<String> calls = new LinkedBlockingQueue<>();
    private final Hashers hashers = new Hashers();
    private long ram;
    private boolean connected;
    private Runnable whileStopping = () -> { };
    private GuestDriver driver;

    private record Ram(long address, int pageCount) implements GuestMemory {
    }

    @SuppressWarnings("unchecked")
    private static <T> T fake(Class<T> type, java.lang.reflect.InvocationHandler handler) {
        return (T) Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler);
    }

    @Before
    public void setUp() throws Exception {
        ram = Linux.mapAnonymous((long) PAGES * GuestMemory.PAGE_BYTES);
        Machine machine = fake(Machine.class, (p, method, a) -> switch (method.getName()) {
            case "memory" -> new Ram(ram, PAGES);
            case "saveDeviceState" -> ByteBuffer.allocate(4);
            case "stop", "resume" -> {
                calls.add(method.getName());
                whileStopping.run();
                yield null;
            }
            default -> null;
        });
        MachineProvider provider = fake(MachineProvider.class, (p, method, a) -> machine);
        Transport transport = fake(Transport.class, (p, method, a) -> connected);
        GuestEvents events = fake(GuestEvents.class, (p, method, a) -> {
            calls.add(method.getName());
            return null;
        });
        MachineSpec spec = new MachineSpec("vm", Path.of("run"), 1, 1, Path.of("kernel"), null, "", List.of());
        driver = new GuestDriver(new GuestDriver.Hardware(provider, spec, null,
                new DisksSpec("vm", Path.of("state"), Path.of("run"), List.of()), () -> 0), hashers, () -> transport, new GuestDriver.Surroundings() {
            @Override
            public void post(Runnable event) {
                event.run();
            }

            @Override
            public GuestEvents events() {
                return events;
            }

            @Override
            public int peer() {
                return 1;
            }

            @Override
            public void onFrame(int nic, ByteBuffer frame) {
                calls.add("frame");
            }
        });
    }

    @After
    public void tearDown() throws Exception {
        driver.close();
        hashers.close();
        Linux.munmap(ram, (long) PAGES * GuestMemory.PAGE_BYTES);
    }

    private void next(String expected) throws InterruptedException {
        assertEquals(expected, calls.poll(5, TimeUnit.SECONDS));
    }

    /** Otherwise a backup whose primary dies at that moment would take over with a guest that stands still. */
    @Test
    public void shouldTellThatTheBackupsGuestStandsStillEvenIfThePrimaryIsGone() throws Exception {
        driver.prepare();
        next("onReady");
        driver.captureBackup(1, 1, 0, "xxh3");
        next("stop");
        next("onBackupCaptured");
        driver.resume();
        next("resume");
    }

    @Test
    public void shouldSaveAndRunOnUnlessTheGuestIsToBeHandedOver() throws Exception {
        driver.boot();
        next("onReady");
        driver.capture(new org.plover.replication.core.Guest.Capture(1, 1, false, false, false, "xxh3"));
        next("stop");
        next("onCaptured");
        driver.finishCapture(1, new PageSet(PAGES));
        next("resume");
        next("onResumed");
        driver.capture(new org.plover.replication.core.Guest.Capture(2, 2, false, false, true, "xxh3"));
        next("stop");
        next("onCaptured");
        driver.finishCapture(2, new PageSet(PAGES));
        next("onResumed");
    }

    @Test
    public void shouldReportNothingThatWasAskedOfAMachineBeforeItWasDestroyed() throws Exception {
        driver.prepare();
        next("onReady");
        driver.destroy();
        driver.prepare();
        next("onReady");
        driver.resume();
        next("resume");
    }

    @Test
    public void shouldReportNothingThatWasUnderWayWhenTheMachineWasDestroyed() throws Exception {
        driver.prepare();
        next("onReady");
        whileStopping = () -> {
            driver.destroy();
            calls.add("destroyed");
        };
        driver.captureBackup(1, 1, 0, "xxh3");
        next("stop");
        next("destroyed");
        driver.prepare();
        next("onReady");
    }
}
