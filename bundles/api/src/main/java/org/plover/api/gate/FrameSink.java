package org.plover.api.gate;

import java.nio.ByteBuffer;

/** Where released frames go. */
@FunctionalInterface
public interface FrameSink {
    /** Sends a frame to the network; may block briefly. The buffer is valid during the call only. */
    void send(int nic, ByteBuffer frame);
}
