package org.plover.machine.qemu;

import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.plover.api.machine.Machine;
import org.plover.api.machine.MachineException;
import org.plover.api.machine.MachineListener;
import org.plover.api.machine.MachineSpec;
import org.plover.api.machine.NicSpec;
import org.plover.api.machine.StartMode;
import org.plover.api.memory.GuestMemory;
import org.plover.api.memory.PageSet;
import org.plover.linux.Memory;

/** A machine with the demo guest in it, and a client at its two interfaces. */
final class TestGuest implements MachineListener, AutoCloseable {
    static final byte[] MAC = {0x52, 0x54, 0, 0, 0, 1};
    static final int NICS = 2;

    final MachineSpec spec;
    final Machine machine;
    final CompletableFuture<String> exit = new CompletableFuture<>();
    final AtomicInteger pingReplies = new AtomicInteger();
    private final LinkedBlockingQueue<Integer> arpReplies = new LinkedBlockingQueue<>();

    TestGuest(Settings settings, Path runtimeDirectory, int vcpus) throws MachineException {
        this(settings, spec(runtimeDirectory, vcpus));
    }

    TestGuest(Settings settings, MachineSpec spec) throws MachineException {
        this.spec = spec;
        machine = QemuMachineProvider.with(settings).create(spec, this);
    }

    static MachineSpec spec(Path runtimeDirectory, int vcpus) {
        return new MachineSpec("test", runtimeDirectory, 256, vcpus, GuestImage.kernel(), GuestImage.initrd(),
                "console=ttyS0 quiet ip=10.0.0.2:::255.255.255.0::eth0:off ip=10.0.1.2:::255.255.255.0::eth1:off",
                List.of(new NicSpec("52:54:00:00:00:01", 1500), new NicSpec("52:54:00:00:00:02", 1400)));
    }

    /** Boots and waits until the guest's network answers on all interfaces. */
    TestGuest boot() throws Exception {
        machine.start(StartMode.BOOT);
        for (int nic = 0; nic < NICS; nic++) {
            awaitAnswer(nic, 120);
        }
        return this;
    }

    @Override
    public void onFrame(int nic, ByteBuffer frame) {
        if (Frames.isArpReply(frame, nic)) {
            arpReplies.add(nic);
        } else if (Frames.pingReply(frame) >= 0) {
            pingReplies.incrementAndGet();
        }
    }

    @Override
    public void onExit(String reason) {
        exit.complete(reason);
    }

    /** Asks until the guest answers: the running guest is alive. */
    void awaitAnswer(int nic, int seconds) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        arpReplies.clear();
        while (System.nanoTime() < deadline) {
            machine.inject(nic, Frames.arpRequest(nic));
            Integer answer = arpReplies.poll(250, TimeUnit.MILLISECONDS);
            if (answer != null && answer == nic) {
                return;
            }
        }
        throw new AssertionError("the guest does not answer on interface " + nic + "; see " + spec.runtimeDir());
    }

    PageSet emptySet() {
        return new PageSet(machine.memory().pageCount());
    }

    PageSet fetchDirty() throws MachineException {
        PageSet set = emptySet();
        machine.fetchDirty(set);
        return set;
    }

    void copyFrom(TestGuest other, PageSet pages) {
        for (int page : pages.toArray()) {
            long offset = (long) page * GuestMemory.PAGE_BYTES;
            Memory.copy(other.machine.memory().address() + offset, machine.memory().address() + offset, GuestMemory.PAGE_BYTES);
        }
    }

    /** Compares all of RAM. */
    void assertSameMemoryAs(TestGuest other, String when) {
        PageSet different = differing(machine.memory().address(), other.machine.memory().address(), machine.memory().pageCount());
        assertTrue(when + ": " + different.size() + " pages differ, first " + java.util.Arrays.stream(different.toArray())
                .limit(10).boxed().toList(), different.isEmpty());
    }

    static PageSet differing(long a, long b, int pages) {
        PageSet different = new PageSet(pages);
        for (int page = 0; page < pages; page++) {
            long offset = (long) page * GuestMemory.PAGE_BYTES;
            if (!Memory.equal(a + offset, b + offset, GuestMemory.PAGE_BYTES)) {
                different.add(page);
            }
        }
        return different;
    }

    @Override
    public void close() {
        machine.close();
    }
}
