package org.plover.api.policy;

/** What a policy may know of the running epoch. Valid during the call only. */
public interface EpochView {
    /** Nanoseconds since both guests were last known equal, that is since the primary's guest went on. */
    long ageNanos();

    /** Quiet samples in a row on this guest (see {@link SyncPolicy#isQuiet}). */
    int idleSamples();

    /** Whether the backup has applied the last epoch, has received every input, and its guest is quiet. */
    boolean peerIdle();

    /** Activity of the busiest vCPU during the last sample interval, 0 to 1000. */
    int busyPermille();

    /** Frames that wait for this epoch's end. */
    int heldFrames();

    /** Bytes that wait for this epoch's end. */
    long heldBytes();

    /** Nanoseconds since the oldest held frame was emitted; 0 if none is held. */
    long heldNanos();

    /** Inputs that the guest received in this epoch. */
    long inputs();
}
