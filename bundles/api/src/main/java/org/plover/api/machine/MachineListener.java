package org.plover.api.machine;

import java.nio.ByteBuffer;

/** Receives what a guest does on its own. */
public interface MachineListener {
    /**
     * The guest emitted a frame. Called on the interface's reader thread; blocking it holds the guest's transmissions
     * back. The buffer is valid during the call only.
     */
    void onFrame(int nic, ByteBuffer frame);

    /** The machine's process ended without {@link Machine#close}; noticed within milliseconds. */
    void onExit(String reason);
}
