package org.plover.replication;

import java.nio.ByteBuffer;
import org.plover.replication.core.GuestEvents;

/** Surroundings of a guest without a network: what is posted runs at once, on the thread that posts it. */
record NoNetwork(GuestEvents events, int peer) implements GuestDriver.Surroundings {
    @Override
    public void post(Runnable event) {
        event.run();
    }

    @Override
    public void onFrame(int nic, ByteBuffer frame) {
        throw new AssertionError("this guest has no network");
    }
}
