package org.plover.itests;

import java.util.ArrayList;
import java.util.List;
import org.plover.api.status.ProtectedVm;
import org.plover.api.status.VmStatus;

/** Looks at a VM many times a second and notes every moment at which it was not as well protected as at the start. */
final class ProtectionWatch implements AutoCloseable {

    private static final long LOOK_MILLIS = 20;

    private final ProtectedVm vm;
    private final VmStatus start;
    private final List<String> incidents = new ArrayList<>();
    private final Thread thread = new Thread(this::watch, "protection-watch");
    private long looks;
    private long epoch;

    ProtectionWatch(ProtectedVm vm) {
        this.vm = vm;
        this.start = vm.status();
        thread.start();
    }

    synchronized List<String> incidents() {
        return List.copyOf(incidents);
    }

    synchronized long looks() {
        return looks;
    }

    private void watch() {
        try {
            while (true) {
                look(vm.status());
                Thread.sleep(LOOK_MILLIS);
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            note("the watch itself ended: " + e);
        }
    }

    private void look(VmStatus status) {
        if (!status.protectedNow()) {
            note("not protected: " + status.message());
        } else if (status.view() != start.view() || !status.primary().equals(start.primary())) {
            note("view " + status.view() + " of " + status.primary() + " instead of " + start.view() + " of " + start.primary());
        } else if (status.epoch() < epoch) {
            note("epoch " + status.epoch() + " after epoch " + epoch);
        }
        epoch = status.epoch();
        synchronized (this) {
            looks++;
        }
    }

    private synchronized void note(String incident) {
        if (incidents.isEmpty() || !incidents.get(incidents.size() - 1).equals(incident)) {
            incidents.add(incident);
        }
    }

    @Override
    public void close() throws InterruptedException {
        thread.interrupt();
        thread.join();
    }
}
