package org.plover.network.tap;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

import org.plover.api.network.NetworkPort;
import org.plover.api.network.PortListener;
import org.plover.api.network.PortSpec;
import org.plover.linux.Linux;
import org.plover.linux.PollSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A port on a tap interface. Its link is up exactly while it is active: a bridge sends nothing to a port that is down and forgets at once
 * which addresses were behind it, so that a backup attracts no traffic, and a former primary does not keep it.
 *
 * <p>One reader thread, which also closes the descriptors: nobody may close a number that a system call still uses.
 */
final class TapPort implements NetworkPort {
    private static final Logger log = LoggerFactory.getLogger(TapPort.class);
    /** Longest frame that a tap hands over, whatever its MTU: 64 KiB and headers; the kernel cuts what is longer without a word. */
    private static final int FRAME_BYTES_MAX = 65_536 + 64;
    private static final int ETHERNET_BYTES = 14;
    private static final long CLOSE_WAIT_MILLIS = 5_000;
    private static final long CHECK_MILLIS = 400;

    private final PortSpec spec;
    private final PortListener listener;
    private final long mac;
    private final int wakeup;
    private final GuestAddresses addresses;
    private final Supplier<TapSettings> settings;
    private final ScheduledExecutorService scheduler;
    private final Consumer<TapPort> onClose;
    private final Thread reader;

    /** Guards sending against deactivation, and the descriptors against the reader's end. */
    private final Object lock = new Object();
    private final ByteBuffer copy = ByteBuffer.allocateDirect(FRAME_BYTES_MAX);
    private volatile boolean closed;
    private boolean gone;
    /** Null while somebody has taken it off the host. Changed under the lock; closed by the reader only. */
    private volatile TapDevice device;
    private volatile String trouble = "";
    private ScheduledFuture<?> watch;
    private long unsentFrames;
    private long announcement;
    private volatile boolean active;

    TapPort(PortSpec spec, PortListener listener, TapDevice device, long mac, GuestAddresses addresses, Supplier<TapSettings> settings,
            ScheduledExecutorService scheduler, Consumer<TapPort> onClose) throws IOException {
        this.spec = spec;
        this.listener = listener;
        this.device = device;
        this.mac = mac;
        this.addresses = addresses;
        this.settings = settings;
        this.scheduler = scheduler;
        this.onClose = onClose;
        wakeup = Linux.eventfd();
        reader = new Thread(this::read, "plover-tap-" + spec.tap());
        reader.setDaemon(true);
    }

    /** Starts the reader; from now on only {@link #close} takes the interface off the host. */
    void start() {
        reader.start();
        synchronized (lock) {
            watch = scheduler.scheduleWithFixedDelay(this::check, CHECK_MILLIS, CHECK_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    PortSpec spec() {
        return spec;
    }

    /** {@inheritDoc} What the kernel has no room for is dropped, as on any network. */
    @Override
    public void send(ByteBuffer frame) {
        synchronized (lock) {
            if (!active || frame.remaining() < ETHERNET_BYTES) {
                return;
            }
            TapDevice tap = device;
            if (tap == null) {
                countUnsent("its interface is not on the host");
                return;
            }
            if (frame.remaining() > FRAME_BYTES_MAX) {
                countUnsent("a frame of " + frame.remaining() + " bytes is too long");
                return;
            }
            try {
                if (Linux.write(tap.fd(), direct(frame)) == Linux.WOULD_BLOCK) {
                    countUnsent("the kernel has no room for more");
                }
            } catch (IOException e) {
                countUnsent(e.getMessage());
            }
        }
    }

    private void countUnsent(String reason) {
        unsentFrames++;
        if (Long.bitCount(unsentFrames) == 1) { // the 1st, 2nd, 4th ...: neither silent nor a flood
            log.warn("tap {}: {} frames of the guest could not be sent so far: {}", spec.tap(), unsentFrames, reason);
        }
    }

    private ByteBuffer direct(ByteBuffer frame) {
        if (frame.isDirect()) {
            return frame;
        }
        return copy.clear().put(frame).flip();
    }

    /**
     * {@inheritDoc} Blocks for some milliseconds; must not be called by a {@link PortListener}'s thread with a lock that senders need.
     *
     * <p>If the interface has been taken away it is switched as soon as it is back.
     *
     * @throws UncheckedIOException if the link cannot be switched; the port is inactive then
     */
    @Override
    public void activate(boolean next) {
        synchronized (lock) {
            if (closed) {
                if (next) {
                    throw new IllegalStateException("tap " + spec.tap() + " is closed and cannot be activated");
                }
                return;
            }
            if (active == next) {
                return;
            }
            try {
                active = false;
                if (device != null && (device.exists() || !next)) {
                    switchLink(next);
                }
                active = next;
                log.info("tap {}: {}", spec.tap(), next ? "active" : "inactive");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private void switchLink(boolean up) throws IOException {
        try {
            device.up(up);
        } catch (IOException e) {
            if (device.exists()) {
                throw e;
            }
            log.debug("tap {} is not there to be switched", spec.tap(), e);
        }
    }

    @Override
    public String trouble() {
        return trouble;
    }

    /** Looks whether the interface is still there and on its bridge, and mends what can be mended. Never throws: it is repeated. */
    private void check() {
        synchronized (lock) {
            if (closed) {
                return;
            }
            try {
                boolean mended = true;
                if (device == null) {
                    TapDevice created = TapDevice.create(spec, mac, settings.get().queueFrames());
                    device = created;
                    lock.notifyAll();
                    if (active) {
                        created.up(true);
                    }
                } else if (!device.exists()) {
                    report("tap " + spec.tap() + " was removed from this host by somebody else; it is being created again");
                    return;
                } else {
                    mended = device.mend(spec, active);
                }
                if (mended || !trouble.isEmpty()) {
                    log.warn("tap {} is back{}", spec.tap(), spec.bridge().isEmpty() ? "" : " on bridge " + spec.bridge());
                    trouble = "";
                    announce();
                }
            } catch (IOException | RuntimeException e) {
                report("tap " + spec.tap() + " is off the network: " + e.getMessage());
            }
        }
    }

    private void report(String what) {
        if (!trouble.equals(what)) {
            trouble = what;
            log.error("{}. Frames of guest interface {} are lost until then", what, spec.nic());
        }
    }

    @Override
    public boolean isActive() {
        return active;
    }

    @Override
    public void observe(ByteBuffer guestFrame) {
        addresses.observe(guestFrame);
    }

    /** {@inheritDoc} Returns at once; a new announcement takes the place of one that is still being repeated. */
    @Override
    public void announce() {
        synchronized (lock) {
            if (!active) {
                return;
            }
            announcement++;
            scheduleRound(announcement, settings.get().announceCount(), 0);
        }
    }

    private void scheduleRound(long number, int roundsLeft, long delayMillis) {
        scheduler.schedule(() -> announceRound(number, roundsLeft), delayMillis, TimeUnit.MILLISECONDS);
    }

    private void announceRound(long number, int roundsLeft) {
        AnnouncementFrames frames = new AnnouncementFrames();
        synchronized (lock) {
            if (!active || number != announcement) {
                return;
            }
            long ageNanos = TimeUnit.SECONDS.toNanos(settings.get().addressAgeSeconds());
            addresses.visit(ageNanos, (kind, mac, tags, high, low) -> frames.build(kind, mac, tags, high, low, this::send));
            if (roundsLeft > 1) {
                scheduleRound(number, roundsLeft - 1, settings.get().announceIntervalMillis());
            }
        }
    }

    /** Applies what the kernel has to be told; the rest of the settings is read when it is used. */
    void applySettings() {
        synchronized (lock) {
            if (closed) {
                return;
            }
            try {
                if (device != null) {
                    device.queueFrames(settings.get().queueFrames());
                }
            } catch (IOException e) {
                log.error("{}. The old length of the queue stays", e.getMessage());
            }
        }
    }

    private void read() {
        ByteBuffer frame = ByteBuffer.allocateDirect(FRAME_BYTES_MAX);
        try {
            for (TapDevice tap = awaitDevice(); tap != null; tap = awaitDevice()) {
                try {
                    read(tap, frame);
                } catch (IOException e) {
                    lose(tap, e);
                }
            }
        } catch (InterruptedException e) {
            log.error("the reader of tap {} was interrupted; the port is closed", spec.tap(), e);
        } finally {
            release();
        }
    }

    /** The interface to read from, or null if the port is closed. */
    private TapDevice awaitDevice() throws InterruptedException {
        synchronized (lock) {
            while (device == null && !closed) {
                lock.wait();
            }
            return closed ? null : device;
        }
    }

    private void read(TapDevice tap, ByteBuffer frame) throws IOException {
        PollSet ready = new PollSet(tap.fd(), wakeup);
        while (!closed) {
            int bytes = Linux.read(tap.fd(), frame.clear());
            if (bytes == Linux.WOULD_BLOCK) {
                ready.await(-1);
            } else if (bytes > 0 && active) {
                deliver(frame.flip());
            }
        }
    }

    private void lose(TapDevice tap, IOException cause) {
        synchronized (lock) {
            device = null;
            report("tap " + spec.tap() + (tap.exists() ? " has failed (" + cause.getMessage() + ")" : " was removed from this host by"
                    + " somebody else") + "; it is being created again");
            closeDevice(tap);
        }
    }

    private void closeDevice(TapDevice tap) {
        try {
            tap.close();
        } catch (IOException e) {
            log.error("tap {} was not closed cleanly: {}", spec.tap(), e.getMessage());
        }
    }

    private void deliver(ByteBuffer frame) {
        try {
            listener.onFrame(spec.nic(), frame);
        } catch (RuntimeException e) {
            log.error("tap {}: a frame for the guest was lost, its receiver failed", spec.tap(), e);
        }
    }

    private void release() {
        synchronized (lock) {
            active = false;
            closed = true;
            gone = true;
            if (watch != null) {
                watch.cancel(false);
            }
            if (device != null) {
                closeDevice(device);
                device = null;
            }
            try {
                Linux.close(wakeup);
            } catch (IOException e) {
                log.error("tap {} was not closed cleanly: {}", spec.tap(), e.getMessage());
            }
        }
        onClose.accept(this);
    }

    /** {@inheritDoc} Waits for the reader, unless the reader itself calls. */
    @Override
    public void close() {
        synchronized (lock) {
            active = false;
            closed = true;
            if (gone) {
                return;
            }
            lock.notifyAll();
            try {
                Linux.signal(wakeup);
            } catch (IOException e) {
                throw new UncheckedIOException("tap " + spec.tap() + ": its reader cannot be ended", e);
            }
        }
        if (Thread.currentThread() != reader) {
            awaitReader();
        }
    }

    private void awaitReader() {
        try {
            reader.join(CLOSE_WAIT_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (reader.isAlive()) {
            log.warn("tap {} stays on the host until the receiver of its last frame returns", spec.tap());
        }
    }
}
