package org.plover.replication.core;

import java.nio.ByteBuffer;
import org.plover.api.gate.OutputGate;
import org.plover.api.status.EpochRecord;

/** What the core asks of its surroundings besides the guest; nothing here blocks. */
public interface Effects {
    /** Sends a consensus message on the control lane. */
    void sendConsensus(int member, ByteBuffer message);

    /** Sends one of this core's own messages (see {@link Wire}) on the control lane; false if the link is down or full. */
    boolean send(int member, ByteBuffer message);

    /** The output gate of this replica. */
    OutputGate gate();

    /** Opens or shuts the host's network ports; opening also announces the guest's addresses. */
    void activatePorts(boolean active);

    /** Draws random bytes. */
    byte[] random(int bytes);

    /** Something the operator's log should tell. */
    void log(String message);

    /** As {@link #log}, for what needs an operator's attention. */
    void warn(String message);

    /** An epoch has been committed. */
    void committed(EpochRecord epoch);

    /** An input that this primary had proposed came out of the log. */
    void agreed(long index);
}
