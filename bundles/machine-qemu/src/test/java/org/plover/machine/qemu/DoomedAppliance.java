package org.plover.machine.qemu;

import java.nio.file.Path;
import org.plover.api.machine.StartMode;

/** A JVM of its own that runs a guest until it is killed. */
final class DoomedAppliance {
    private DoomedAppliance() {
    }

    public static void main(String[] arguments) throws Exception {
        TestGuest guest = new TestGuest(Settings.DEFAULT, Path.of(arguments[0]), 1);
        guest.machine.start(StartMode.BOOT);
        System.out.println("started");
        Thread.currentThread().join();
    }
}
