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

    /** What is not memory. */
    record Devices(long checksum, long lastInput, Emitted emitted, long register) {
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
        GuestState s = new GuestState();
        s.devices = new Devices(0, -1, null, 0);
        return s;
    }

    void write(int page, long value) {
        long checksum = devices.checksum() - term(page, pages[page]) + term(page, value);
        pages[page] = value;
        devices = new Devices(checksum, devices.lastInput(), devices.emitted(), devices.register());
    }

    /** Takes up an input: odd ones write their number to the register, even ones read it. Returns what the register holds then. */
    long tookInput(long index, long input) {
        devices = new Devices(devices.checksum(), index, devices.emitted(), (input & 1) == 1 ? input : devices.register());
        return devices.register();
    }

    void emitted(long frame) {
        devices = new Devices(devices.checksum(), devices.lastInput(), new Emitted(frame, devices.emitted()),
                devices.register());
    }

    boolean isWhole() {
        long sum = 0;
        for (int p = 0; p < PAGES; p++) {
            sum += term(p, pages[p]);
        }
        return devices != null && devices.checksum() == sum;
    }

    private static long term(int page, long value) {
        long x = value * 0x9e3779b97f4a7c15L;
        return value == 0 ? 0 : (x ^ x >>> 29) * (2L * page + 0x51ed27L);
    }
}
