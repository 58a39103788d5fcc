package org.plover.gate.epoch;

import java.util.function.LongSupplier;
import org.plover.api.gate.FrameSink;
import org.plover.api.gate.OutputGate;

/** The real gate on virtual time, which its provider has no way to set, and with as little memory as a gate may have. */
public final class SimGates {
    private SimGates() {
    }

    public static OutputGate create(String vm, FrameSink sink, int framesMax, LongSupplier nanoTime) {
        return new EpochGate(vm, sink, new GateLimits(GateLimits.BYTES_LOWEST, framesMax, GateLimits.BYTES_LOWEST), nanoTime);
    }
}
