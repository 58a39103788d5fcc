package org.plover.api.network;

import java.nio.ByteBuffer;

/** Receives frames from the host's network for the guest. Called on the port's reader thread; blocking it makes the kernel queue, then drop. */
@FunctionalInterface
public interface PortListener {
    /** A frame for the guest; the buffer is valid during the call only. */
    void onFrame(int nic, ByteBuffer frame);
}
