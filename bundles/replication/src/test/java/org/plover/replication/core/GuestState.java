package org.plover.replication.core;

/**
 * All there is to a simulated guest: pages of memory, and a device state that knows what the pages must hold and what the
 * guest has emitted so far. Whoever mixes pages of one moment with the devices of another is found out by {@link #isWhole}.
 */
final class GuestState {
    static final int PAGES = 24;

    /** Frames emitted, newest first; shared between states, never changed. */
    record Emitted(long frame, Emitted before) {
    }

    /** What is not memory. {@code diskSum} is the checksum of the disk as this guest sees it, 0 without one. */
    record Devices(long checksum, long lastInput, Emitted emitted, long register, long diskSum) {
        boolean hasEmitted(long frame) {
            for (Emitted e = emitted; e != null; e = e.before()) {
                if (e.frame() == frame) {
                    return true;
                }
            }
            return false;
        }
    }

    final long[] pages = new long[PAGES];
    /** Null in a machine that has been prepared and not been loaded. */
    Devices devices;

    static GuestState booted() {
        return booted(null, 0, 0);
    }

    /** From a disk, which knows the register and what had been emitted. */
    static GuestState booted(Emitted emitted, long register, long diskSum) {
        GuestState s = new GuestState();
        s.devices = new Devices(0, -1, emitted, register, diskSum);
        return s;
    }

    void write(int page, long value) {
        long checksum = devices.checksum() - term(page, pages[page]) + term(page, value);
        pages[page] = value;
        devices = new Devices(checksum, devices.lastInput(), devices.emitted(), devices.register(), devices.diskSum());
    }

    /** Takes up an input: odd ones write their number to the register, even ones read it. Returns what the register holds then. */
    long tookInput(long index, long input) {
        devices = new Devices(devices.checksum(), index, devices.emitted(), (input & 1) == 1 ? input : devices.register(),
                devices.diskSum());
        return devices.register();
    }

    Emitted emitted(long frame) {
        Emitted next = new Emitted(frame, devices.emitted());
        devices = new Devices(devices.checksum(), devices.lastInput(), next, devices.register(), devices.diskSum());
        return next;
    }

    /** Writes to the disk. */
    void write(SimDisk disk, int block, long value) {
        long sum = devices.diskSum() - term(block, disk.get(block)) + term(block, value);
        disk.write(block, value);
        devices = new Devices(devices.checksum(), devices.lastInput(), devices.emitted(), devices.register(), sum);
    }

    boolean isWhole() {
        long sum = 0;
        for (int p = 0; p < PAGES; p++) {
            sum += term(p, pages[p]);
        }
        return devices != null && devices.checksum() == sum;
    }

    static long term(int page, long value) {
        long x = value * 0x9e3779b97f4a7c15L;
        return value == 0 ? 0 : (x ^ x >>> 29) * (2L * page + 0x51ed27L);
    }
}
